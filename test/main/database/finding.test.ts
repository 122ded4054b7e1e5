// Lists and searches: filters, what is pinned and archived, and searches of words that most texts have.
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { snippetOf } from '../../../src/main/database/search.ts';
import type { ConversationFilter } from '../../../src/shared/domain/conversation.ts';
import type { MessagePart } from '../../../src/shared/domain/turn.ts';
import { openTestStorage } from '../support/storage.ts';
import { makePicture, makeTurn, text } from '../support/turns.ts';

function library() {
  const { store, database } = openTestStorage();
  const { conversations, turns, pictures } = store;
  const made = (title: string, at: number, parts: MessagePart[], model = 'Mini'): string => {
    const id = randomUUID();
    conversations.create(id, title, at);
    for (const part of parts) if (part.kind === 'picture') pictures.insert(part.picture, 1);
    turns.append(id, makeTurn('user', [text(`about ${title}`)]));
    turns.append(id, makeTurn('assistant', parts, { model }));
    return id;
  };
  const listed = (filter: ConversationFilter = {}): string[] =>
    conversations.list(50, 0, filter).conversations.map(({ title }) => title);
  const found = (typed: string, filter: ConversationFilter = {}): string[] =>
    conversations.search(typed, 50, 0, filter).conversations.map(({ title }) => title);
  return { store, database, made, listed, found };
}

describe('the list', () => {
  test('has pinned ones first, and archived ones only where they are asked for', () => {
    const { store, made, listed, found } = library();
    const [one, two] = [made('one', 1, [text('x')]), made('two', 2, [text('x')])];
    made('three', 3, [text('x')]);
    store.conversations.mark(one, { pinned: true });
    expect(listed()).toEqual(['one', 'three', 'two']);
    store.conversations.mark(two, { archived: true, tags: ['old', 'old'] });
    expect(listed()).toEqual(['one', 'three']);
    expect(store.conversations.list(50, 0).total).toBe(2);
    expect(listed({ archived: true })).toEqual(['two']);
    expect(found('two')).toEqual(['two']);
    expect(found('two', { archived: false })).toEqual([]);
    expect(store.conversations.summary(two)).toMatchObject({ archived: true, tags: ['old'] });
    store.conversations.mark(two, { archived: false });
    expect(store.conversations.summary(two)).toMatchObject({ archived: false, tags: ['old'] });
  });

  test('and a search are filtered by picture, drawing, tag, model and date', () => {
    const { store, made, listed, found } = library();
    const own = makePicture({ origin: 'user', caption: null, recipe: null });
    made('photo', 10, [text('words'), { kind: 'picture', picture: own }]);
    const drawn = made('drawn', 20, [
      { kind: 'picture', picture: makePicture({ caption: 'a pear' }) },
    ]);
    made('plain', 30, [text('words')], 'Other');
    store.conversations.mark(drawn, { tags: ['fruit'] });
    const cases: [ConversationFilter, string[]][] = [
      [{ has: 'picture' }, ['drawn', 'photo']],
      [{ has: 'drawing' }, ['drawn']],
      [{ tag: 'fruit' }, ['drawn']],
      [{ model: 'Other' }, ['plain']],
      [{ since: 20 }, ['plain', 'drawn']],
      [{ since: 10, until: 20 }, ['photo']],
      [{ has: 'picture', model: 'Other' }, []],
    ];
    for (const [filter, titles] of cases) {
      expect(listed(filter), JSON.stringify(filter)).toEqual(titles);
      expect(found('about', filter), JSON.stringify(filter)).toEqual(titles);
      expect(store.conversations.list(50, 0, filter).total).toBe(titles.length);
    }
    expect(store.conversations.filterWords()).toEqual({
      tags: ['fruit'],
      models: ['Mini', 'Other'],
    });
  });

  test('shows the newest picture that is there; one that was deleted is not', () => {
    const { store, made } = library();
    const picture = makePicture({ caption: 'a pear', hash: 'b'.repeat(64) });
    const id = made('drawn', 1, [{ kind: 'picture', picture }]);
    const thumbnail = (): string | null =>
      store.conversations.list(1, 0).conversations[0]!.thumbnail;
    expect(thumbnail()).toBe('b'.repeat(64));
    const [asked] = store.turns.list(id);
    store.versions.removeExchange(asked!.id, { id: randomUUID(), at: 1 });
    expect(thumbnail()).toBeNull();
  });
});

describe('a search', () => {
  test('for what most texts have reads from the newest on, and says that there is more', () => {
    const { store, made } = library();
    store.transaction(() => {
      for (let number = 0; number < 700; number += 1)
        made(`n${number}`, number, [text('common again'), text('common words')]);
      made('rare', 5, [text('a common needle')]);
    });
    const { conversations } = store;
    const first = conversations.search('common', 100, 0);
    expect(first).toMatchObject({ total: 100, isMore: true });
    expect(first.conversations[0]).toMatchObject({ title: 'n699', snippet: 'common words' });
    expect(first.conversations).toHaveLength(100);
    const second = conversations.search('common', 100, 100).conversations;
    expect(second[0]?.title).toBe('n599');
    // Its trigrams are in more texts than are looked at one by one.
    expect(conversations.search('common needle', 100, 0)).toMatchObject({
      total: 1,
      isMore: false,
    });
    expect(conversations.search('o', 5, 0)).toMatchObject({ total: 5, isMore: true });
    const all = conversations.search('common', 500, 400);
    expect(all).toMatchObject({ isMore: false, total: 701 });
    expect(all.conversations.at(-1)?.title).toBe('n0');
  });

  test('finds words of two letters of any script, and nothing where nothing is', () => {
    const { made, found } = library();
    made('chinese', 1, [text('昨天我看见一只苹果色的猫')]);
    made('japanese', 2, [text('りんごを食べる')]);
    made('korean', 3, [text('사과를 먹어요')]);
    made('emoji', 4, [text('fine 🍎')]);
    expect(found('苹果')).toEqual(['chinese']);
    expect(found('猫')).toEqual(['chinese']);
    expect(found('りん')).toEqual(['japanese']);
    expect(found('먹어')).toEqual(['korean']);
    expect(found('사과 먹어요')).toEqual(['korean']);
    expect(found('🍎')).toEqual(['emoji']);
    expect(found('果苹')).toEqual([]);
    expect(found('zq')).toEqual([]);
  });
});

test('a snippet is a line around the words', () => {
  const body = `${'before '.repeat(20)}the needle ${'after '.repeat(40)}`;
  const snippet = snippetOf(body, ['needle']);
  expect(snippet).toMatch(/^…before .*the needle after/);
  expect(snippet.endsWith('…')).toBe(true);
  expect(snippet.length).toBeLessThan(116);
  expect(snippetOf('a\n\nshort\none', ['none'])).toBe('a short one');
});
