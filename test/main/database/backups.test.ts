import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { keptBackups, openBackups } from '../../../src/main/database/backups.ts';
import { closeStorage, startStorage } from '../../../src/main/database/storage.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { openTestStorage, temporaryFolder } from '../support/storage.ts';
import { makeTurn, text } from '../support/turns.ts';

const id = '00000000-0000-4000-8000-000000000001';
const dayMs = 24 * 60 * 60 * 1000;

describe('copies of the database', () => {
  test('one is made at a clean end where something changed, and none where nothing did', async () => {
    const folder = temporaryFolder();
    const places = {
      database: path.join(folder, 'textbind.db'),
      backups: path.join(folder, 'backups'),
      pictures: path.join(folder, 'pictures'),
    };
    const run = async (change: boolean): Promise<number> => {
      const start = startStorage({ places });
      if (start.kind === 'failed') throw new Error(start.failure.detail);
      if (change) start.storage.store.conversations.create(id, 'x', 1);
      await closeStorage(start.storage, silentLogger);
      return openBackups(places.backups, silentLogger).list().length;
    };
    expect([await run(true), await run(false)]).toEqual([1, 1]);
  });

  test('a copy is one file with its counts and its hash; writing goes on while it is made', async () => {
    const { folder, database, store } = openTestStorage();
    store.conversations.create(id, 'x', 1);
    for (let turn = 0; turn < 300; turn += 1)
      store.turns.append(id, makeTurn('user', [text('lorem ipsum '.repeat(1000))]));
    const backups = openBackups(path.join(folder, 'copies'), silentLogger, { now: () => 1234 });
    const making = backups.make(database, 'day');
    store.turns.append(id, makeTurn('user', [text('meanwhile')]));
    const made = await making;
    expect(made).toMatchObject({ reason: 'day', madeAt: 1234, conversations: 1 });
    expect(made!.turns).toBeGreaterThanOrEqual(300);
    expect(readdirSync(path.join(folder, 'copies')).sort()).toEqual([
      made!.file,
      `${made!.file}.json`,
    ]);
  });

  test('of a damaged database none is made, and nothing half-made is left', async () => {
    const { folder, database, store } = openTestStorage();
    store.conversations.create(id, 'x', 1);
    database.pragma('wal_checkpoint(TRUNCATE)');
    database.unsafeMode(true);
    database.pragma('writable_schema = ON');
    database.exec("UPDATE sqlite_schema SET rootpage = 900 WHERE name = 'turns'");
    const backups = openBackups(path.join(folder, 'copies'), silentLogger);
    await expect(backups.make(database, 'day')).rejects.toMatchObject({ kind: 'storage' });
    expect(readdirSync(path.join(folder, 'copies'))).toEqual([]);
  });

  test('a copy that changed since is refused; one without its manifest is not offered', async () => {
    const { folder, database, store } = openTestStorage();
    store.conversations.create(id, 'x', 1);
    const copies = path.join(folder, 'copies');
    const backups = openBackups(copies, silentLogger);
    const made = (await backups.make(database, 'day'))!;
    const file = path.join(copies, made.file);
    const target = path.join(folder, 'restored.db');
    backups.restoreTo(made, target);
    expect(readFileSync(target).equals(readFileSync(file))).toBe(true);
    const bytes = readFileSync(file);
    bytes[5000]! ^= 1;
    writeFileSync(file, bytes);
    expect(() => backups.restoreTo(made, target)).toThrow('is damaged or gone');
    writeFileSync(`${file}.json`, '{');
    expect(backups.list()).toEqual([]);
  });

  test('the newest, the last of each day, and those before a change of form are kept', async () => {
    const { folder, database, store } = openTestStorage();
    store.conversations.create(id, 'x', 1);
    let now = 100 * dayMs;
    const backups = openBackups(path.join(folder, 'copies'), silentLogger, { now: () => now });
    backups.makeNow(database, 'migration');
    for (let day = 0; day < 12; day += 1) {
      for (let hour = 0; hour < 3; hour += 1) await backups.make(database, 'close');
      now += dayMs;
    }
    const list = backups.list();
    const days = new Set(list.map(({ madeAt }) => Math.floor(madeAt / dayMs)));
    expect(list.filter(({ reason }) => reason === 'migration')).toHaveLength(1);
    expect(days.size).toBe(keptBackups.days + 1);
    expect(list.length).toBeLessThanOrEqual(keptBackups.newest + keptBackups.days + 1);
    expect(readdirSync(path.join(folder, 'copies'))).toHaveLength(2 * list.length);
    backups.erase();
    expect(readdirSync(path.join(folder, 'copies'))).toEqual([]);
  });
});
