// A database of form 3, made by the steps up to it, carried over to what finds parts of words.
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { expect, test } from 'vitest';
import { migrations } from '../../../src/main/database/migrations/index.ts';
import { closeDatabase, openDatabase, userVersion } from '../../../src/main/database/open.ts';
import { rebuildSearch } from '../../../src/main/database/search-index.ts';
import { createStore } from '../../../src/main/database/store.ts';
import { temporaryFolder } from '../support/storage.ts';

const indexed = 'SELECT rowid, body, conversation_key FROM search ORDER BY rowid';

function carriedOver() {
  const folder = temporaryFolder();
  const place = {
    file: path.join(folder, 'textbind.db'),
    backupFolder: path.join(folder, 'backups'),
  };
  const before = openDatabase({ ...place, migrations: migrations.slice(0, 3) });
  const [id, other] = [randomUUID(), randomUUID()];
  before.exec(`
    INSERT INTO conversations (key, id, title, created_at, updated_at) VALUES
      (1, '${id}', 'Fruit', 1, 5), (2, '${other}', '好', 2, 6);
    INSERT INTO deletions (key, id, conversation_key, created_at) VALUES (1, '${randomUUID()}', 1, 1);
    INSERT INTO pictures (key, id, hash, media_type, width, height, bytes, origin, caption, created_at)
      VALUES (1, '${randomUUID()}', '${'a'.repeat(64)}', 'image/png', 4, 4, 9, 'drawn', 'a ripe pear', 1);
    INSERT INTO turns (key, id, conversation_key, parent_key, is_current, role, status, created_at) VALUES
      (1, '${randomUUID()}', 1, NULL, 1, 'user', 'complete', 1),
      (2, '${randomUUID()}', 1, 1, 1, 'assistant', 'complete', 1);
    UPDATE turns SET model = 'Mini' WHERE key = 2;
    INSERT INTO parts (key, turn_key, position, kind, body, picture_key) VALUES
      (1, 1, 0, 'text', 'Lighthouses, 我喜欢苹果', NULL), (2, 2, 0, 'picture', NULL, 1);
    INSERT INTO parts (key, turn_key, position, is_current, kind, body, error)
      VALUES (3, 2, 0, 0, 'undrawn', 'thrown', '{}');
    UPDATE parts SET deletion_key = 1 WHERE key = 3;`);
  closeDatabase(before);
  const database = openDatabase(place);
  return { database, store: createStore(database), id, other };
}

test('full text of before finds parts of words and short words of any script', () => {
  const { database, store, id, other } = carriedOver();
  expect(userVersion(database)).toBe(migrations.at(-1)?.version);
  const found = (typed: string): string[] =>
    store.conversations.search(typed, 10, 0).conversations.map((each) => each.id);
  for (const typed of ['house', 'HTHOU', '苹果', '喜', 'li', 's', 'ripe pear', 'Fruit']) {
    expect(found(typed), typed).toEqual([id]);
  }
  expect(found('好')).toEqual([other]);
  for (const typed of ['thrown', '果苹', 'houses light x', 'ruit pear']) {
    expect(found(typed), typed).toEqual([]);
  }
  database.exec("INSERT INTO search (search) VALUES ('integrity-check')");
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  database.close();
});

test('what was carried over is what the triggers and a new index make', () => {
  const { database } = carriedOver();
  const rows = database.prepare(indexed).all();
  expect(rows).toHaveLength(4);
  rebuildSearch(database);
  expect(database.prepare(indexed).all()).toEqual(rows);
  database.exec("UPDATE parts SET body = body || '' WHERE kind = 'text'");
  database.exec('UPDATE pictures SET caption = caption');
  database.exec('UPDATE conversations SET title = title');
  expect(database.prepare(indexed).all()).toEqual(rows);
  database.close();
});

test('a conversation that is deleted for good leaves no row of full text', () => {
  const { database, id } = carriedOver();
  database.prepare('DELETE FROM conversations WHERE id = ?').run(id);
  expect(database.prepare('SELECT rowid FROM search').all()).toHaveLength(1);
  database.close();
});

test('nothing is pinned, archived or tagged, and the newest picture stands beside its conversation', () => {
  const { database, store, id } = carriedOver();
  const [, fruit] = store.conversations.list(10, 0).conversations;
  expect(fruit).toMatchObject({
    id,
    pinned: false,
    archived: false,
    tags: [],
    thumbnail: 'a'.repeat(64),
  });
  expect(store.conversations.settings(id)).toEqual({});
  expect(store.conversations.filterWords()).toEqual({ tags: [], models: ['Mini'] });
  database.close();
});
