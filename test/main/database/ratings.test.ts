// What a person thinks of a reply: carried over from the form before, kept, taken back, out and in with its conversation.
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { migrations } from '../../../src/main/database/migrations/index.ts';
import { closeDatabase, openDatabase, userVersion } from '../../../src/main/database/open.ts';
import { readSalvage } from '../../../src/main/database/salvage/salvage.ts';
import { createStore } from '../../../src/main/database/store.ts';
import { openTestStorage, temporaryFolder } from '../support/storage.ts';
import { makeTurn, text } from '../support/turns.ts';

test('a database of the form before: every turn is there, none is rated, and each can be', () => {
  const folder = temporaryFolder();
  const place = { file: path.join(folder, 'textbind.db'), backupFolder: path.join(folder, 'b') };
  const before = migrations.filter(({ version }) => version < 5);
  const old = openDatabase({ ...place, migrations: before });
  const [conversation, message, reply] = [randomUUID(), randomUUID(), randomUUID()];
  old.exec(`INSERT INTO conversations (id, title, created_at, updated_at) VALUES ('${conversation}', 'Old', 1, 1);
    INSERT INTO turns (id, conversation_key, parent_key, is_current, role, status, created_at)
    VALUES ('${message}', 1, NULL, 1, 'user', 'complete', 1), ('${reply}', 1, 1, 1, 'assistant', 'complete', 2);
    INSERT INTO parts (turn_key, position, kind, body) VALUES (1, 0, 'text', 'Hello'), (2, 0, 'text', 'Good day')`);
  expect(userVersion(old)).toBe(before.at(-1)?.version);
  closeDatabase(old);
  const database = openDatabase(place);
  const store = createStore(database);
  const turns = store.turns.list(conversation);
  expect(turns.map(({ parts }) => parts)).toEqual([[text('Hello')], [text('Good day')]]);
  expect(turns.some((turn) => 'rating' in turn)).toBe(false);
  store.turns.rate(reply, 'down');
  expect(store.turns.find(reply)?.turn.rating).toBe('down');
  expect(() => database.exec('UPDATE turns SET rating = 2')).toThrow(/constraint failed/);
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  closeDatabase(database);
});

test('a rating outlives what is written to its reply, is taken back, and is found', () => {
  const { store } = openTestStorage();
  const id = randomUUID();
  const reply = makeTurn('assistant', [text('Yes.')]);
  store.conversations.create(id, 'Rated', 1);
  store.turns.append(id, makeTurn('user', [text('Well?')]));
  store.turns.append(id, reply);
  expect(store.records.ratedUp()).toEqual([]);
  store.turns.rate(reply.id, 'up');
  store.turns.saveState(reply.id, { ...reply, status: 'cut' });
  store.turns.saveParts(reply.id, [text('Yes. And more.')], 0);
  expect(store.turns.list(id)[1]).toMatchObject({ rating: 'up', status: 'cut' });
  expect(store.records.ratedUp()).toEqual([id]);
  expect(store.records.read(id)?.turns[1]?.rating).toBe('up');
  store.conversations.remove(id, 5);
  expect(store.records.ratedUp()).toEqual([]);
  store.conversations.restore(id);
  store.turns.rate(reply.id, null);
  expect(store.turns.find(reply.id)?.turn).not.toHaveProperty('rating');
});

test('what is read past SQLite keeps its ratings; one that cannot be is none', () => {
  const { store, database, folder } = openTestStorage();
  const id = randomUUID();
  const replies = [makeTurn('assistant', [text('One.')]), makeTurn('assistant', [text('Two.')])];
  store.conversations.create(id, 'Damaged', 1);
  for (const reply of replies) {
    store.turns.append(id, makeTurn('user', [text('Well?')]));
    store.turns.append(id, reply);
    store.turns.rate(reply.id, 'up');
  }
  const file = path.join(folder, 'textbind.db');
  closeDatabase(database);
  // As a flipped bit would leave it: no statement of ours could write it.
  const raw = new Database(file);
  raw.unsafeMode(true);
  raw.pragma('ignore_check_constraints = ON');
  raw.prepare('UPDATE turns SET rating = 7 WHERE id = ?').run(replies[1]!.id);
  raw.close();
  const target = path.join(folder, 'mended.db');
  expect(readSalvage(file)?.write(target)).toBe(0);
  const mended = createStore(openDatabase({ file: target, backupFolder: path.join(folder, 'x') }));
  expect(mended.turns.list(id).map(({ rating }) => rating)).toEqual([
    undefined,
    'up',
    undefined,
    undefined,
  ]);
});
