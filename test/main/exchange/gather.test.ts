// Conversations as training data, over a real database and real pictures.
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Gatherer } from '../../../src/main/exchange/gather.ts';
import { createPictureStore } from '../../../src/main/pictures/store.ts';
import { textbindConversationSchema } from '../../../src/shared/domain/textbind-conversation.ts';
import type { Rating, Turn } from '../../../src/shared/domain/turn.ts';
import { encodePng } from '../../support/png.ts';
import { openTestStorage } from '../support/storage.ts';
import { makeTurn, text } from '../support/turns.ts';

function openGatherer() {
  const { store, folder } = openTestStorage();
  const pictures = createPictureStore(path.join(folder, 'pictures'), store.pictures);
  const gatherer = new Gatherer({ store, pictures });
  const conversation = (title: string): string => {
    const id = randomUUID();
    store.conversations.create(id, title, 1);
    return id;
  };
  /** A message and its reply at the end of the conversation. */
  const exchange = (id: string, message: string, reply: Turn, rating?: Rating): Turn => {
    store.turns.append(id, makeTurn('user', [text(message)]));
    store.turns.append(id, reply);
    if (rating !== undefined) store.turns.rate(reply.id, rating);
    return reply;
  };
  const says = (words: string, over: Partial<Turn> = {}): Turn =>
    makeTurn('assistant', [text(words)], over);
  const read = (file: string) =>
    textbindConversationSchema.array().parse(JSON.parse(readFileSync(file, 'utf8')));
  const written = async (from: Parameters<typeof gatherer.list>[0], changed: string[] = []) => {
    const out = path.join(folder, 'data');
    const done = await gatherer.write(out, { from, changed });
    return { ...done, out, rows: read(done.file) };
  };
  return { store, pictures, gatherer, conversation, exchange, says, written };
}

const rated = { kind: 'rated' } as const;

test('of rated conversations: what leads to the last good reply, without poor and broken ones', async () => {
  const { gatherer, conversation, exchange, says, written } = openGatherer();
  conversation('Never rated');
  const id = conversation('Fruit');
  exchange(id, 'one', says('first'));
  exchange(id, 'two', says('second'), 'down');
  exchange(id, 'three', says('third', { status: 'stopped' }));
  exchange(id, 'four', says('fourth', { status: 'cut' }), 'up');
  exchange(id, 'five', says('fifth'));
  const { rows, total } = gatherer.list(rated, 10, 0);
  expect(total).toBe(1);
  expect(rows[0]!.exchanges.map(({ taken }) => taken)).toEqual([true, false, false, true]);
  const data = await written(rated);
  expect(data.rows.map(({ conversation: turns }) => turns.map(({ content }) => content))).toEqual([
    ['one', 'first', 'four', 'fourth'],
  ]);
});

test('a person says otherwise of any exchange; a row of which nothing is taken is none', async () => {
  const { gatherer, conversation, exchange, says, written } = openGatherer();
  const id = conversation('Fruit');
  const first = exchange(id, 'one', says('first'));
  const poor = exchange(id, 'two', says('second'), 'down');
  const good = exchange(id, 'three', says('third'), 'up');
  const { rows } = await written(rated, [first.id, poor.id]);
  expect(rows[0]!.conversation.map(({ content }) => content)).toEqual([
    'two',
    'second',
    'three',
    'third',
  ]);
  await expect(written(rated, [first.id, good.id])).rejects.toMatchObject({ kind: 'not-found' });
  expect(gatherer.list({ kind: 'some', conversationIds: [id] }, 10, 0).rows).toHaveLength(1);
});

test('a good reply on another branch is a row of its own, and deleted turns are passed through', async () => {
  const { store, gatherer, conversation, exchange, says } = openGatherer();
  const id = conversation('Branches');
  const left = exchange(id, 'one', says('left'), 'up');
  const right = says('right');
  store.turns.append(id, right, { beside: left.id, current: true });
  store.turns.rate(right.id, 'up');
  const after = exchange(id, 'two', says('after right'), 'up');
  const gone = exchange(id, 'three', says('gone'), 'up');
  store.versions.removeExchange(store.turns.find(gone.id)!.parentId!, { id: randomUUID(), at: 1 });
  const { rows } = gatherer.list(rated, 10, 0);
  expect(rows.map((row) => row.exchanges.map(({ replyId }) => replyId))).toEqual([
    [left.id],
    [right.id, after.id],
  ]);
});

test('pictures go along, each once and only where they are taken; those of others stay', async () => {
  const { store, pictures, conversation, exchange, written } = openGatherer();
  const id = conversation('Pictures');
  const add = (shade: number, caption: string) =>
    pictures.add(encodePng(4, 4, shade), { name: 'x', origin: 'drawn', caption, recipe: null });
  const [taken, left] = [await add(10, 'a pear'), await add(200, 'a plum')];
  const part = (picture: typeof taken) => ({ kind: 'picture' as const, picture });
  exchange(id, 'draw', makeTurn('assistant', [text('Here: '), part(taken), part(taken)]), 'up');
  const poor = exchange(id, 'again', makeTurn('assistant', [part(left)]), 'down');
  exchange(id, 'thanks', makeTurn('assistant', [text('With pleasure.')]), 'up');
  expect(store.turns.find(poor.id)?.turn.rating).toBe('down');
  const { rows, out, missingPictures } = await written(rated);
  const [, drawn] = rows[0]!.conversation;
  expect(drawn).toMatchObject({
    content: 'Here: <image><image>',
    caption_list: ['a pear', 'a pear'],
  });
  expect(rows[0]!.image_dir).toBe('images');
  const [name] = drawn!.image_list;
  expect(existsSync(path.join(out, 'images', name!))).toBe(true);
  expect(existsSync(path.join(out, 'images', `${left.hash.slice(0, 16)}.png`))).toBe(false);
  expect(missingPictures).toBe(0);
});

test('some conversations at a time, the newest first, and long words shown short', () => {
  const { store, gatherer, conversation, exchange, says } = openGatherer();
  for (let number = 0; number < 5; number += 1) {
    const id = conversation(`C${number}`);
    exchange(id, 'x'.repeat(2000), says('ok'), 'up');
    store.conversations.touch(id, 100 + number);
  }
  const { rows, total } = gatherer.list(rated, 2, 2);
  expect(total).toBe(5);
  expect(rows.map(({ title }) => title)).toEqual(['C2', 'C1']);
  const [shown] = rows[0]!.exchanges[0]!.message;
  expect(shown?.kind === 'text' ? shown.text.length : 0).toBeLessThan(610);
});
