import { randomUUID } from 'node:crypto';
import type { AppServices } from '../../../src/main/services.ts';
import type { Picture } from '../../../src/shared/domain/picture.ts';
import { emptyTurn, type MessagePart, type Turn } from '../../../src/shared/domain/turn.ts';
import { paint } from '../../support/painted-picture.ts';

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

type Storage = Pick<AppServices, 'store' | 'pictures'>;

/** Stores conversations to look at, and one of `turns` turns to measure with. */
export async function seedConversations(storage: Storage, turns: number): Promise<void> {
  for (const [index, title] of titles.entries()) {
    const at = Date.now() - Math.round((index + 1) * 0.7 * dayMs);
    const own = await addPicture(storage, title, index * 7, 'user');
    const drawn = await addPicture(storage, `${title}, seen from the side`, index, 'drawn');
    addConversation(storage, title, at, [
      said('user', at, [text('Look at '), picture(own), text(' and tell me what it is.')]),
      said('assistant', at, [
        text('It is a round fruit on a plain ground. Here is how I would draw it:'),
        picture(drawn),
      ]),
    ]);
  }
  if (turns > 0) await seedLong(storage, turns);
}

/** Fills the gallery: so many drawings of a hundred files, twenty to a conversation. */
export async function seedPictures(storage: Storage, pictures: number): Promise<void> {
  const { store } = storage;
  const files: Picture[] = [];
  for (let index = 0; index < Math.min(pictures, 100); index += 1) {
    files.push(await addPicture(storage, `fruit ${index}`, index * 31, 'drawn'));
  }
  store.transaction(() => {
    for (let index = 0; index < pictures; index += 20) {
      const drawn = Array.from({ length: Math.min(20, pictures - index) }, (_, at) => {
        const file = files[(index + at) % files.length]!;
        const shown = {
          ...file,
          id: randomUUID(),
          caption: `${file.caption}, number ${index + at}`,
        };
        store.pictures.insert(shown, Date.now());
        return said('assistant', Date.now(), [picture(shown)]);
      });
      addConversation(storage, `Drawings from ${index}`, Date.now() - 90 * dayMs, drawn);
    }
  });
}

async function seedLong(storage: Storage, turns: number): Promise<void> {
  const at = Date.now();
  const apple = await addPicture(storage, 'a red apple', 5, 'drawn');
  const all = Array.from({ length: turns }, (_, index) => {
    const sentence = 'A sentence that takes a little room on the page. ';
    const words = `Turn ${index + 1}. ${sentence.repeat(1 + (index % 5))}`;
    if (index % 2 === 0) return said('user', at, [text(words)]);
    const drawn = index % 10 === 1 ? [picture(apple)] : [];
    return said('assistant', at, [text(`${words}\n\n- one\n- **two**`), ...drawn]);
  });
  addConversation(storage, `A conversation of ${turns} turns`, at, all);
}

function addConversation(
  { store }: Storage,
  title: string,
  at: number,
  turns: readonly Turn[],
): void {
  const id = randomUUID();
  store.transaction(() => {
    store.conversations.create(id, title, at);
    for (const turn of turns) store.turns.append(id, turn);
  });
}

function addPicture(
  { pictures }: Storage,
  caption: string,
  seed: number,
  origin: Picture['origin'],
): Promise<Picture> {
  const recipe = { seed, steps: 40, guidance: 5, model: 'TextBind mini' };
  const about = origin === 'user' ? { caption: null, recipe: null } : { caption, recipe };
  return pictures.add(paint(caption, seed), { name: 'A picture', origin, ...about });
}

function said(role: Turn['role'], createdAt: number, parts: MessagePart[]): Turn {
  const model = role === 'assistant' ? 'TextBind mini' : null;
  return { ...emptyTurn({ id: randomUUID(), role, createdAt }), parts, model, status: 'complete' };
}

const text = (words: string): MessagePart => ({ kind: 'text', text: words });
const picture = (shown: Picture): MessagePart => ({ kind: 'picture', picture: shown });
