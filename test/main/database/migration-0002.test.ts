// Databases of before versions, carried over: made by migration 0001 and the statements that wrote them then.
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { expect, test } from 'vitest';
import { migrations } from '../../../src/main/database/migrations/index.ts';
import { migration0001 } from '../../../src/main/database/migrations/0001-conversations.ts';
import {
  closeDatabase,
  openDatabase,
  userVersion,
  type StudioDatabase,
} from '../../../src/main/database/open.ts';
import { rebuildSearch } from '../../../src/main/database/search-index.ts';
import { createStore } from '../../../src/main/database/store.ts';
import { temporaryFolder } from '../support/storage.ts';
import { someUsage } from '../support/turns.ts';

const error = JSON.stringify({ kind: 'out-of-memory', message: 'No memory.', detail: null });
const notices = JSON.stringify([{ code: 'caption-cut', message: 'Cut.' }]);
const usage = JSON.stringify(someUsage);

function places() {
  const folder = temporaryFolder();
  return { file: path.join(folder, 'textbind.db'), backupFolder: path.join(folder, 'backups') };
}

interface Writer {
  conversation(title: string, deletedAt?: number | null): number;
  turn(conversation: number, position: number, over?: Record<string, unknown>): number;
  part(turn: number, position: number, over: Record<string, unknown>): void;
  picture(over: Record<string, unknown>): number;
}

/** Writes rows as version 1 knew them. */
function writerOf(database: StudioDatabase): Writer {
  const insert = (table: string, row: Record<string, unknown>): number => {
    const names = Object.keys(row);
    const sql = `INSERT INTO ${table} (${names.join()}) VALUES (${names.map((name) => `@${name}`).join()})`;
    return Number(database.prepare(sql).run(row).lastInsertRowid);
  };
  return {
    conversation: (title, deletedAt = null) =>
      insert('conversations', {
        id: randomUUID(),
        title,
        created_at: 1,
        updated_at: 2,
        deleted_at: deletedAt,
      }),
    turn: (conversation, position, over = {}) =>
      insert('turns', {
        id: randomUUID(),
        conversation_key: conversation,
        position,
        role: position % 2 === 0 ? 'user' : 'assistant',
        status: 'complete',
        created_at: 10 + position,
        ...over,
      }),
    part: (turn, position, over) => void insert('parts', { turn_key: turn, position, ...over }),
    picture: (over) =>
      insert('pictures', {
        id: randomUUID(),
        hash: 'a'.repeat(64),
        media_type: 'image/png',
        width: 4,
        height: 4,
        bytes: 10,
        origin: 'user',
        created_at: 1,
        ...over,
      }),
  };
}

const words = (body: string) => ({ kind: 'text', body });

/** Conversations of every kind: pictures, failures, a reply written anew, an empty one, one in the trash. */
function fill(database: StudioDatabase): void {
  const write = writerOf(database);
  const recipe = JSON.stringify({ seed: 1, steps: 3, guidance: 5, model: 'Mini' });
  const [fruit, empty, trash] = [
    write.conversation('Fruit'),
    write.conversation('Empty'),
    write.conversation('Thrown away', Date.now()),
  ];
  const own = write.picture({});
  const drawn = write.picture({ origin: 'drawn', caption: 'a ripe pear', recipe });
  const asked = write.turn(fruit, 0);
  write.part(asked, 0, words('Look at '));
  write.part(asked, 1, { kind: 'picture', picture_key: own });
  const thrown = write.turn(trash, 0);
  write.part(thrown, 0, words('thrown words'));
  write.turn(trash, 1);
  // A reply that was written anew: its row was dropped, and the new one came behind rows of another conversation.
  database.prepare('DELETE FROM turns WHERE key = ?').run(write.turn(fruit, 1));
  const reply = write.turn(fruit, 1, { model: 'Mini', notices, usage, status: 'cut' });
  write.part(reply, 0, words('Here: '));
  write.part(reply, 1, { kind: 'picture', picture_key: drawn });
  write.part(reply, 2, { kind: 'undrawn', body: 'a plum', error });
  const again = write.turn(fruit, 2);
  write.part(again, 0, words('More'));
  write.turn(fruit, 3, { status: 'failed', error });
  expect(empty).toBeGreaterThan(0);
}

function migrated(prepare: (database: StudioDatabase) => void) {
  const place = places();
  const before = openDatabase({ ...place, migrations: [migration0001] });
  prepare(before);
  const rows = snapshot(before);
  closeDatabase(before);
  const database = openDatabase(place);
  return { place, database, rows, store: createStore(database) };
}

/** Everything of it that both forms have, by ids. */
function snapshot(database: StudioDatabase): unknown {
  const all = (sql: string): unknown => database.prepare(sql).all();
  const hasOrder = userVersion(database) === 1;
  return {
    conversations: all(
      'SELECT key, id, title, created_at, updated_at, deleted_at FROM conversations ORDER BY key',
    ),
    pictures:
      all(`SELECT key, id, hash, media_type, width, height, bytes, origin, caption, recipe, created_at
      FROM pictures ORDER BY key`),
    turns:
      all(`SELECT c.id AS conversation, t.id, t.role, t.status, t.error, t.notices, t.usage, t.model, t.created_at
      FROM turns t JOIN conversations c ON c.key = t.conversation_key
      ORDER BY c.key, ${hasOrder ? 't.position' : 't.key'}`),
    parts: all(`SELECT p.key, t.id AS turn, p.position, p.kind, p.body, p.picture_key, p.error
      FROM parts p JOIN turns t ON t.key = p.turn_key ORDER BY p.key`),
    // As form 1 had them: a later one puts the conversation into the row's number, and ends each text.
    search:
      all(`SELECT rowid & 0xffffffff AS rowid, rtrim(body, char(10)) AS body, conversation_key FROM search
      ORDER BY rowid & 0xffffffff`),
  };
}

test('nothing is lost: every row of every kind is there, in its order', () => {
  const { database, rows, store } = migrated(fill);
  expect(userVersion(database)).toBe(migrations.at(-1)?.version);
  expect(snapshot(database)).toEqual(rows);
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  expect(database.pragma('foreign_key_check')).toEqual([]);
  const { conversations } = store.conversations.list(10, 0);
  expect(conversations.map(({ title, turnCount }) => [title, turnCount])).toEqual([
    ['Empty', 0],
    ['Fruit', 4],
  ]);
  const [fruit] = store.conversations.search('ripe', 10, 0).conversations;
  expect(store.turns.list(fruit!.id)).toMatchObject([
    { role: 'user', parts: [{ text: 'Look at ' }, { picture: { origin: 'user' } }] },
    {
      status: 'cut',
      model: 'Mini',
      notices: [{ code: 'caption-cut' }],
      usage: { replyTokens: 2 },
      parts: [
        { text: 'Here: ' },
        { picture: { caption: 'a ripe pear' } },
        { kind: 'undrawn', caption: 'a plum', error: { kind: 'out-of-memory' } },
      ],
    },
    { parts: [{ text: 'More' }] },
    { status: 'failed', error: { message: 'No memory.' }, parts: [] },
  ]);
  expect(store.versions.of(fruit!.id)).toEqual({ turns: [], drawings: [] });
  database.close();
});

test('full text that is damaged can be made anew before a database is carried over', () => {
  const { database, rows } = migrated((before) => {
    fill(before);
    before.exec('DELETE FROM search');
    rebuildSearch(before);
  });
  expect((rows as { search: unknown[] }).search).toHaveLength(10);
  expect(snapshot(database)).toEqual(rows);
  database.close();
});

test('what is carried over takes versions, search and the trash like what is new', () => {
  const { database, store } = migrated(fill);
  const [fruit] = store.conversations.search('ripe', 10, 0).conversations;
  const [, reply, again] = store.turns.list(fruit!.id);
  const anew = { ...reply!, id: randomUUID(), parts: [{ kind: 'text' as const, text: 'kiwi' }] };
  store.turns.append(fruit!.id, anew, { beside: reply!.id, current: true });
  expect(store.turns.list(fruit!.id)).toHaveLength(2);
  expect(store.conversations.search('kiwi', 10, 0).total).toBe(1);
  store.versions.choose(reply!.id);
  expect(store.turns.list(fruit!.id)[2]).toEqual(again);
  store.turns.saveParts(again!.id, [{ kind: 'text', text: 'mango' }], 0);
  expect(store.conversations.search('mango', 10, 0).total).toBe(1);
  const [trashed] = store.conversations.deleted(10, 0).conversations;
  expect(trashed).toMatchObject({ title: 'Thrown away', turnCount: 2 });
  expect(store.conversations.erase(trashed!.id)).toBe(true);
  expect(store.conversations.search('thrown', 10, 0).total).toBe(0);
  database.exec("INSERT INTO search (search) VALUES ('integrity-check')");
  database.close();
});

test('the rules that keep it a tree hold against any statement', () => {
  const { database } = migrated(fill);
  const refused = (sql: string) =>
    expect(() => database.exec(sql), sql).toThrow(/constraint failed/);
  refused('UPDATE turns SET parent_key = key WHERE parent_key IS NOT NULL');
  refused('UPDATE turns SET parent_key = key + 1 WHERE parent_key IS NULL');
  // A parent in another conversation.
  refused(`UPDATE turns SET parent_key = (SELECT min(key) FROM turns) WHERE key = (SELECT max(key) FROM turns)
    AND conversation_key <> (SELECT conversation_key FROM turns ORDER BY key LIMIT 1)`);
  refused('DELETE FROM turns WHERE parent_key IS NULL');
  const copy = (parent: string) => `INSERT INTO turns
    (id, conversation_key, parent_key, is_current, role, status, created_at)
    SELECT 'x', conversation_key, ${parent}, 1, role, status, 0 FROM turns WHERE parent_key IS NOT NULL LIMIT 1`;
  refused(copy('parent_key'));
  refused(copy('NULL'));
  refused(`INSERT INTO parts (turn_key, position, kind, body)
    SELECT turn_key, position, 'text', 'x' FROM parts LIMIT 1`);
  database.close();
});

test('keys in any order are carried over: a turn never has a lower key than the one before it', () => {
  const { database, store } = migrated((before) => {
    const write = writerOf(before);
    const conversation = write.conversation('Shuffled');
    for (const [key, position] of [
      [9, 0],
      [4, 1],
      [7, 2],
      [2, 3],
    ] as const) {
      write.part(write.turn(conversation, position, { key }), 0, words(`turn ${position}`));
    }
  });
  const [shuffled] = store.conversations.list(1, 0).conversations;
  expect(store.turns.list(shuffled!.id).map(({ parts }) => parts)).toEqual(
    [0, 1, 2, 3].map((position) => [{ kind: 'text', text: `turn ${position}` }]),
  );
  database.close();
});
