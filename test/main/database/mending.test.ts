import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { examine } from '../../../src/main/database/damage.ts';
import { rebuildSearch } from '../../../src/main/database/search-index.ts';
import { recognisers, tableColumns } from '../../../src/main/database/salvage/read.ts';
import { migrations } from '../../../src/main/database/migrations/index.ts';
import { userVersion } from '../../../src/main/database/open.ts';
import { toWireError } from '../../../src/shared/errors.ts';
import { openTestStorage, type TestStorage } from '../support/storage.ts';
import { makePicture, makeTurn, text } from '../support/turns.ts';

const id = '00000000-0000-4000-8000-000000000001';

function conversed(): TestStorage {
  const storage = openTestStorage();
  const { store } = storage;
  const picture = makePicture({ caption: 'a red apple' });
  store.pictures.insert(picture, 1);
  store.conversations.create(id, 'Fruit', 1);
  store.turns.append(id, makeTurn('user', [text('Draw an apple')]));
  store.turns.append(id, makeTurn('assistant', [text('Here'), { kind: 'picture', picture }]));
  return storage;
}

function indexed({ database }: TestStorage): unknown[] {
  return database.prepare('SELECT rowid, * FROM search ORDER BY rowid').all();
}

/** Makes full text such that every write to it fails, as on a damaged page. */
function breakSearch({ database }: TestStorage): void {
  database.unsafeMode(true);
  database.exec("UPDATE search_data SET block = x'ffffffffffffffff'");
  database.unsafeMode(false);
}

describe('the search index', () => {
  test('made anew it is what the triggers make', () => {
    const storage = conversed();
    const before = indexed(storage);
    expect(before).toHaveLength(4);
    rebuildSearch(storage.database);
    expect(indexed(storage)).toEqual(before);
    expect(examine(storage.database, 'full')).toEqual({ searchRebuilt: false, faults: [] });
  });

  test('damaged, it refuses no send: it is made anew under way', () => {
    const storage = conversed();
    breakSearch(storage);
    const turn = makeTurn('user', [text('And a pear')]);
    expect(() =>
      storage.database.exec("INSERT INTO search (rowid, body) VALUES (99, 'xyz')"),
    ).toThrow();
    storage.store.transaction(() => storage.store.turns.append(id, turn));
    expect(storage.store.turns.list(id).at(-1)).toEqual(turn);
    expect(storage.store.conversations.search('pear', 10, 0).total).toBe(1);
    expect(storage.store.conversations.search('apple', 10, 0).total).toBe(1);
  });

  test('damaged, it is found at the start and made anew', () => {
    const storage = conversed();
    breakSearch(storage);
    expect(examine(storage.database, 'quick')).toEqual({ searchRebuilt: true, faults: [] });
    expect(storage.store.conversations.search('apple', 10, 0).total).toBe(1);
  });
});

describe('rows that are not as they should be', () => {
  test('one bad turn shows what can be read of it and says what is lost; the others are whole', () => {
    const storage = conversed();
    const { database, store } = storage;
    const whole = store.turns.list(id);
    database.pragma('ignore_check_constraints = ON');
    database.exec(`UPDATE turns SET usage = '{"promptTokens":"x"}', status = 'zzz' WHERE key = 2;
      UPDATE pictures SET width = 0;`);
    const [first, second] = store.turns.list(id);
    expect(first).toEqual(whole[0]);
    expect(second!.parts[0]).toEqual(text('Here'));
    expect(second!.parts[1]).toMatchObject({ kind: 'text' });
    expect(second!.notices).toEqual([
      {
        code: 'damaged',
        message:
          'This turn is damaged in the database. What could not be read: one of its parts, its state, its figures.',
      },
    ]);
    expect(() => store.turns.find(second!.id)).toThrow('it can be read, but not changed');
    expect(store.turns.find(first!.id)?.turn).toEqual(whole[0]);
  });

  test('one bad id does not fail the list', () => {
    const { database, store } = conversed();
    store.conversations.create(randomUUID(), 'Other', 2);
    database.exec("UPDATE conversations SET id = 'x' WHERE key = 1");
    expect(store.conversations.list(10, 0).conversations.map(({ title }) => title)).toEqual([
      'Other',
    ]);
    expect(examine(database, 'full').faults).toEqual(['1 rows have an id that is none']);
  });

  test('what a schema says of it is never told to a person', () => {
    const { database, store } = conversed();
    database.pragma('ignore_check_constraints = ON');
    database.exec('UPDATE pictures SET width = 0');
    const [picture] = database.prepare<[], { id: string }>('SELECT id FROM pictures').all();
    try {
      store.pictures.find(picture!.id);
      expect.unreachable();
    } catch (error) {
      expect(toWireError(error).message).toMatch(/^[A-Z][a-z ,']+\.$/);
    }
  });
});

test('what can be read of a damaged database covers every table', () => {
  const { database } = openTestStorage();
  const tables = [...tableColumns(migrations, userVersion(database)).keys()].sort();
  expect(Object.keys(recognisers)).toEqual(expect.arrayContaining(tables));
});
