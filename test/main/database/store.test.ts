import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { toMatch } from '../../../src/main/database/search.ts';
import { searchWords } from '../../../src/shared/domain/fold.ts';
import { settingsSchema } from '../../../src/shared/domain/settings.ts';
import { openTestStorage } from '../support/storage.ts';
import { makePicture, makeTurn, someUsage, text } from '../support/turns.ts';

function withConversation(title = 'Fruit') {
  const storage = openTestStorage();
  const id = randomUUID();
  storage.store.conversations.create(id, title, 1000);
  return { ...storage, id };
}

describe('turns', () => {
  test('come back as they were stored, parts in order', () => {
    const { store, id } = withConversation();
    const picture = makePicture();
    store.pictures.insert(picture, 1000);
    const error = { kind: 'out-of-memory', message: 'No memory.', detail: null } as const;
    const turns = [
      makeTurn('user', [text('one'), { kind: 'picture', picture }, text('two')]),
      makeTurn('assistant', [{ kind: 'undrawn', caption: 'a pear', error }], {
        status: 'failed',
        error,
        notices: [{ code: 'caption-cut', message: 'Cut.' }],
        usage: someUsage,
      }),
    ];
    for (const turn of turns) store.turns.append(id, turn);
    expect(store.turns.list(id)).toEqual(turns);
    expect(store.conversations.summary(id)).toMatchObject({ turnCount: 2, title: 'Fruit' });
    expect(store.turns.find(turns[0]!.id)).toMatchObject({ conversationId: id, parentId: null });
    expect(store.turns.find(turns[1]!.id)).toMatchObject({ parentId: turns[0]!.id });
  });

  test('saving parts from an index rewrites those, and drops what stands behind', () => {
    const { store, id } = withConversation();
    const turn = makeTurn('assistant', [text('a'), text('b'), text('c')]);
    store.turns.append(id, turn);
    store.turns.saveParts(turn.id, [text('a'), text('B')], 1);
    expect(store.turns.list(id)[0]?.parts).toEqual([text('a'), text('B')]);
  });

  test('a turn in no conversation, and a part of a picture that is not stored, are refused', () => {
    const { store, id } = withConversation();
    expect(() => store.turns.append(randomUUID(), makeTurn('user', []))).toThrow('No conversation');
    const broken = makeTurn('user', [{ kind: 'picture', picture: makePicture() }]);
    expect(() => store.turns.append(id, broken)).toThrow('CHECK constraint');
    expect(store.turns.list(id)).toEqual([]);
  });

  test('what streamed when the app died is interrupted; a caption without words goes', () => {
    const { store, id } = withConversation();
    const error = { kind: 'cancelled', message: 'x', detail: null } as const;
    const half = makeTurn('assistant', [text('half'), { kind: 'undrawn', caption: '', error }], {
      status: 'streaming',
    });
    const done = makeTurn('assistant', [text('done')]);
    store.turns.append(id, done);
    store.turns.append(id, half);
    expect(store.turns.interruptStreaming()).toBe(1);
    expect(store.turns.list(id)).toEqual([
      done,
      { ...half, parts: [text('half')], status: 'interrupted' },
    ]);
  });
});

describe('conversations', () => {
  test('are listed newest first, deleted ones not; restore brings them back; purge does not ask', () => {
    const { store } = openTestStorage();
    const ids = Array.from({ length: 5 }, () => randomUUID());
    ids.forEach((id, index) => store.conversations.create(id, `c${index}`, index));
    store.conversations.touch(ids[1]!, 100);
    store.conversations.remove(ids[3]!, 200);
    const titles = () => store.conversations.list(10, 0).conversations.map(({ title }) => title);
    expect(titles()).toEqual(['c1', 'c4', 'c2', 'c0']);
    expect(store.conversations.list(2, 1)).toMatchObject({
      total: 4,
      conversations: [{ title: 'c4' }, { title: 'c2' }],
    });
    expect(store.conversations.summary(ids[3]!)).toBeNull();
    expect(store.conversations.restore(ids[3]!)).toBe(true);
    expect(titles()).toContain('c3');
    store.conversations.remove(ids[3]!, 200);
    expect(store.conversations.purge(200)).toBe(0);
    expect(store.conversations.purge(201)).toBe(1);
    expect(store.conversations.restore(ids[3]!)).toBe(false);
  });

  test('purging takes turns, parts and their search rows along', () => {
    const { store, database, id } = withConversation();
    store.turns.append(id, makeTurn('user', [text('banana')]));
    store.conversations.remove(id, 1);
    store.conversations.purge(2);
    for (const table of ['turns', 'parts', 'search']) {
      expect(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get()).toBe(0);
    }
  });
});

describe('search', () => {
  test('finds titles, texts and captions, newest conversation first, with the place found', () => {
    const { store } = openTestStorage();
    const [inTitle, inText, inCaption] = [randomUUID(), randomUUID(), randomUUID()];
    store.conversations.create(inTitle, 'Green apples', 1);
    store.conversations.create(inText, 'Fruit', 2);
    store.turns.append(inText, makeTurn('user', [text('I like an apple in the morning')]));
    store.conversations.create(inCaption, 'Pictures', 3);
    const picture = makePicture({ caption: 'an apple on a table' });
    store.pictures.insert(picture, 1);
    store.turns.append(inCaption, makeTurn('assistant', [{ kind: 'picture', picture }]));
    const found = store.conversations.search('appl', 10, 0);
    expect(found.total).toBe(3);
    expect(found.conversations.map(({ id, snippet }) => [id, snippet])).toEqual([
      [inCaption, 'an apple on a table'],
      [inText, 'I like an apple in the morning'],
      [inTitle, 'Green apples'],
    ]);
    expect(store.conversations.search('apple morning', 10, 0).total).toBe(1);
    expect(store.conversations.search('Äpple', 10, 0).total).toBe(3);
  });

  test('follows every change: text that grows, captions, titles, turns that go, deletion', () => {
    const { store, database, id } = withConversation('first title');
    const turn = makeTurn('assistant', [text('ban')], { status: 'streaming' });
    store.turns.append(id, turn);
    const total = (words: string) => store.conversations.search(words, 10, 0).total;
    store.turns.saveParts(turn.id, [text('banana split')], 0);
    expect([total('split'), total('ban'), total('first')]).toEqual([1, 1, 1]);
    store.conversations.rename(id, 'second title');
    expect([total('first'), total('second')]).toEqual([0, 1]);
    const picture = makePicture({ caption: 'a kiwi' });
    store.pictures.insert(picture, 1);
    store.turns.saveParts(turn.id, [{ kind: 'picture', picture }], 0);
    expect([total('split'), total('kiwi')]).toEqual([0, 1]);
    database.prepare('UPDATE pictures SET caption = ?').run('a lemon');
    expect([total('kiwi'), total('lemon')]).toEqual([0, 1]);
    store.versions.removeExchange(turn.id, { id: randomUUID(), at: 1 });
    expect(total('lemon')).toBe(0);
    expect(total('title')).toBe(1);
    store.conversations.remove(id, 1);
    expect(total('title')).toBe(0);
    database.exec("INSERT INTO search (search) VALUES ('integrity-check')");
  });

  test.each([
    ['"', ''],
    ['   ', ''],
    ['?! ()', ''],
    ['pear', '"pea" AND "ear"'],
    ['red "ab', '"red" AND """ab"'],
    ['Äl', '("al " OR "alp")'],
    ['o NOT', '("o  ") AND "not"'],
    ['xy', ''],
    ['qq', null],
  ])('what a person types is made safe: %s', (typed, query) => {
    const begins: Record<string, string[] | null> = { al: ['al ', 'alp'], o: ['o  '], qq: null };
    expect(
      toMatch(searchWords(typed), (short) => begins[short] ?? (short === 'qq' ? null : [])),
    ).toBe(query);
  });

  test('no typed text makes SQLite complain', () => {
    const { store } = withConversation();
    const hostile = [
      '"',
      "'",
      '*',
      'a*b',
      'NEAR(a b)',
      '-a',
      'a"b"c',
      '(((',
      'col:x',
      '^a',
      'a\0b',
      '{a b}: c',
    ];
    for (const typed of hostile)
      expect(() => store.conversations.search(typed, 5, 0)).not.toThrow();
  });
});

describe('settings', () => {
  test('have defaults, keep what is set, and survive one that is broken', () => {
    const { store, database } = openTestStorage();
    const defaults = settingsSchema.parse({});
    expect(store.settings.get()).toEqual(defaults);
    const sampling = { ...defaults.sampling, temperature: 0.7 };
    expect(store.settings.set({ theme: 'dark', sampling })).toMatchObject({
      theme: 'dark',
      sampling,
    });
    database.prepare(`UPDATE settings SET value = '"pink"' WHERE name = 'theme'`).run();
    expect(store.settings.get()).toEqual({ ...defaults, sampling });
  });

  test('keep small state apart', () => {
    const { store } = openTestStorage();
    store.settings.keepState('theme', { a: 1 });
    expect(store.settings.state('theme')).toEqual({ a: 1 });
    expect(store.settings.get().theme).toBe('system');
    expect(store.settings.state('nothing')).toBeNull();
  });
});
