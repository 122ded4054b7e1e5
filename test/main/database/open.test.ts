import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { openBackups } from '../../../src/main/database/backups.ts';
import type { Migration } from '../../../src/main/database/migration.ts';
import { migrations } from '../../../src/main/database/migrations/index.ts';
import {
  applicationId,
  closeDatabase,
  openDatabase,
  userVersion,
} from '../../../src/main/database/open.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { temporaryFolder } from '../support/storage.ts';

const steps: readonly Migration[] = [
  { version: 1, name: 'things', sql: 'CREATE TABLE things (name TEXT NOT NULL) STRICT;' },
  { version: 2, name: 'sizes', sql: 'ALTER TABLE things ADD COLUMN size INTEGER;' },
  { version: 3, name: 'colours', sql: 'ALTER TABLE things ADD COLUMN colour TEXT;' },
];

function places() {
  const folder = temporaryFolder();
  return { file: path.join(folder, 'a', 'x.db'), backupFolder: path.join(folder, 'backups') };
}

describe('opening a database', () => {
  test('a new one gets every step and no copy', () => {
    const place = places();
    const database = openDatabase({ ...place, migrations: steps });
    expect(userVersion(database)).toBe(3);
    expect(existsSync(place.backupFolder)).toBe(false);
    database.close();
  });

  test('the numbers of the released steps rise; some may be left out', () => {
    const numbers = migrations.map(({ version }) => version);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  });

  test('a step follows the one before it in the list, whatever their numbers', () => {
    const place = places();
    const later = {
      version: 9,
      name: 'weights',
      sql: 'ALTER TABLE things ADD COLUMN weight REAL;',
    };
    closeDatabase(openDatabase({ ...place, migrations: steps }));
    const database = openDatabase({ ...place, migrations: [...steps, later] });
    expect(userVersion(database)).toBe(9);
    database.exec("INSERT INTO things (name, weight) VALUES ('a', 1.5)");
    closeDatabase(database);
    // A form that no step leads to and none follows.
    const between = new Database(place.file);
    between.pragma('user_version = 5');
    between.close();
    expect(() => openDatabase({ ...place, migrations: [...steps, later] })).toThrow(
      /cannot follow/,
    );
  });

  test('settings that durability rests on', () => {
    const database = openDatabase(places());
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(database.pragma('synchronous', { simple: true })).toBe(2);
    expect(database.pragma('foreign_keys', { simple: true })).toBe(1);
    expect(database.pragma('secure_delete', { simple: true })).toBe(1);
    // Nothing in the system's folder for temporary files (test/e2e/quiet.e2e.ts looks there).
    expect(database.pragma('temp_store', { simple: true })).toBe(2);
    expect(database.pragma('application_id', { simple: true })).toBe(applicationId);
    database.close();
  });

  test('every table of ours is STRICT', () => {
    const database = openDatabase(places());
    const tables = database.pragma('table_list') as {
      name: string;
      type: string;
      strict: number;
    }[];
    const ours = tables.filter(({ name, type }) => type === 'table' && !name.startsWith('sqlite_'));
    expect(ours.map(({ name }) => name).sort()).toEqual([
      'conversations',
      'deletions',
      'parts',
      'pictures',
      'settings',
      'turns',
    ]);
    expect(ours.every(({ strict }) => strict === 1)).toBe(true);
    database.close();
  });

  test('a copy with its data is kept before each step', () => {
    const place = places();
    const first = openDatabase({ ...place, migrations: steps.slice(0, 1) });
    first.exec("INSERT INTO things VALUES ('kept')");
    closeDatabase(first);
    const later = openDatabase({ ...place, migrations: steps });
    expect(userVersion(later)).toBe(3);
    later.close();
    const copies = openBackups(place.backupFolder, silentLogger).list();
    expect(copies.map(({ form, reason }) => ({ form, reason }))).toEqual([
      { form: 2, reason: 'migration' },
      { form: 1, reason: 'migration' },
    ]);
    const copy = new Database(path.join(place.backupFolder, copies[1]!.file), { readonly: true });
    expect(copy.pragma('user_version', { simple: true })).toBe(1);
    expect(copy.prepare('SELECT * FROM things').all()).toEqual([{ name: 'kept' }]);
    copy.close();
  });

  test('a step that fails leaves everything as it was', () => {
    const place = places();
    openDatabase({ ...place, migrations: steps.slice(0, 1) }).close();
    const bad = [
      steps[0]!,
      {
        version: 2,
        name: 'bad',
        sql: 'ALTER TABLE things ADD COLUMN size INTEGER; SELECT nonsense;',
      },
    ];
    expect(() => openDatabase({ ...place, migrations: bad })).toThrow(
      expect.objectContaining({
        kind: 'storage',
        message: expect.stringContaining('stays at form 1') as unknown,
      }),
    );
    const after = openDatabase({ ...place, migrations: steps.slice(0, 1) });
    expect(after.pragma('table_info(things)')).toHaveLength(1);
    after.close();
  });

  test('a step that leaves rows without what they refer to is refused', () => {
    const place = places();
    const sql = `CREATE TABLE a (key INTEGER PRIMARY KEY) STRICT;
      CREATE TABLE b (a_key INTEGER REFERENCES a (key)) STRICT; INSERT INTO b VALUES (7);`;
    expect(() => openDatabase({ ...place, migrations: [{ version: 1, name: 'x', sql }] })).toThrow(
      'lost what they refer to',
    );
  });

  test('a newer one is refused, and not a byte of its folder changes', () => {
    const place = places();
    closeDatabase(openDatabase({ ...place, migrations: steps }));
    const before = fingerprint(path.dirname(place.file));
    expect(() => openDatabase({ ...place, migrations: steps.slice(0, 2) })).toThrow(
      expect.objectContaining({
        kind: 'database-too-new',
        message: expect.stringContaining('form 3') as unknown,
      }),
    );
    expect(fingerprint(path.dirname(place.file))).toEqual(before);
  });

  test('a newer one whose form stands only in its write-ahead log is refused too', () => {
    const place = places();
    const writer = openDatabase({ ...place, migrations: steps.slice(0, 1) });
    writer.pragma('wal_checkpoint(TRUNCATE)');
    writer.pragma('user_version = 9');
    expect(readFileSync(place.file).readUInt32BE(60)).toBe(1);
    expect(() => openDatabase({ ...place, migrations: steps })).toThrow(
      expect.objectContaining({ kind: 'database-too-new' }),
    );
    writer.close();
  });

  test('what is no database is refused with its name, and kept', () => {
    const place = places();
    mkdirSync(path.dirname(place.file), { recursive: true });
    writeFileSync(place.file, 'x'.repeat(5000));
    expect(() => openDatabase(place)).toThrow(
      expect.objectContaining({
        kind: 'storage',
        message: expect.stringContaining(place.file) as unknown,
      }),
    );
    expect(readFileSync(place.file, 'utf8')).toBe('x'.repeat(5000));
  });
});

function fingerprint(folder: string): Record<string, string> {
  const names = readdirSync(folder).sort();
  return Object.fromEntries(
    names.map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(path.join(folder, name)))
        .digest('hex'),
    ]),
  );
}
