import type { FakeBridge } from '../fake/fake-bridge.ts';
import { drawFake } from '../fake/fake-pictures.ts';

const titles = [
  'What is in this picture?',
  'Draw a cat on a blue background',
  'Fruit for a still life',
  'Two birds and a boat',
  'Colours that go together',
  'A lighthouse, four ways',
  'Notes for the picture book',
];
const dayMs = 86_400_000;

/** Fills the fake with conversations to look at, and one of `turns` turns to measure with. */
export async function seedPreview({ store }: FakeBridge, turns: number): Promise<void> {
  for (const [index, title] of titles.entries()) {
    const entry = store.create(title, Date.now() - (index + 1) * 0.7 * dayMs);
    const { png, width, height } = await drawFake(title, index * 7, 1);
    const own = await store.addPicture(png, {
      width,
      height,
      origin: 'user',
      caption: null,
      recipe: null,
    });
    const recipe = { seed: 1234 + index, steps: 40, guidance: 5, model: 'TextBind mini' };
    const caption = `${title.toLowerCase()}, seen from the side`;
    const drawn = await store.addPicture(png, { width, height, origin: 'drawn', caption, recipe });
    const when = entry.summary.createdAt;
    entry.turns.push(
      store.turn('user', [
        { kind: 'text', text: 'Look at ' },
        { kind: 'picture', picture: own },
        { kind: 'text', text: ' and tell me what it is.' },
      ]),
      store.turn('assistant', [
        {
          kind: 'text',
          text: 'It is a round fruit on a plain ground. Here is how I would draw it:',
        },
        { kind: 'picture', picture: drawn },
      ]),
    );
    store.update(entry, { updatedAt: when });
  }
  if (turns === 0) return;
  const long = store.create(`A conversation of ${turns} turns`);
  const { png, width, height } = await drawFake('a red apple', 5, 1);
  for (let index = 0; index < turns; index += 1) {
    const text = `Turn ${index + 1}. ${'A sentence that takes a little room on the page. '.repeat(1 + (index % 5))}`;
    if (index % 2 === 0) {
      long.turns.push(store.turn('user', [{ kind: 'text', text }]));
      continue;
    }
    const recipe = { seed: index, steps: 40, guidance: 5, model: 'TextBind mini' };
    const about = { width, height, origin: 'drawn', caption: `apple ${index}`, recipe } as const;
    const drawn =
      index % 10 === 1
        ? [{ kind: 'picture', picture: await store.addPicture(png, about) } as const]
        : [];
    long.turns.push(
      store.turn('assistant', [{ kind: 'text', text: `${text}\n\n- one\n- **two**` }, ...drawn]),
    );
  }
  store.update(long, {});
}
