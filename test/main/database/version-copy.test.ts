// A new version of the app copies the database before its first start, and the version before it can go back to that.
import path from 'node:path';
import { expect, test } from 'vitest';
import { openBackups } from '../../../src/main/database/backups.ts';
import {
  closeStorage,
  repairStorage,
  startStorage,
  type OpenedStorage,
} from '../../../src/main/database/storage.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { temporaryFolder } from '../support/storage.ts';

const id = (last: number): string => `00000000-0000-4000-8000-00000000000${last}`;

function places() {
  const folder = temporaryFolder();
  return {
    database: path.join(folder, 'textbind.db'),
    backups: path.join(folder, 'backups'),
    pictures: path.join(folder, 'pictures'),
  };
}

function open(at: ReturnType<typeof places>, version: string): OpenedStorage {
  const start = startStorage({ places: at, version });
  if (start.kind === 'failed') throw new Error(start.failure.detail);
  return start.storage;
}

test('one copy at the first start of another version, none at the others', async () => {
  const at = places();
  const reasons = (): string[] =>
    openBackups(at.backups, silentLogger)
      .list()
      .map(({ reason }) => reason)
      .filter((reason) => reason === 'version');
  const first = open(at, '0.1.0');
  expect(reasons()).toEqual([]);
  first.store.conversations.create(id(1), 'before', 1);
  await closeStorage(first, silentLogger);
  await closeStorage(open(at, '0.1.0'), silentLogger);
  expect(reasons()).toEqual([]);
  await closeStorage(open(at, '0.2.0'), silentLogger);
  expect(reasons()).toEqual(['version']);
  await closeStorage(open(at, '0.2.0'), silentLogger);
  expect(reasons()).toEqual(['version']);
});

test('rolled back: the older version offers the copies that it can read, and none that it cannot', async () => {
  const at = places();
  const older = open(at, '0.1.0');
  older.store.conversations.create(id(1), 'before', 1);
  await closeStorage(older, silentLogger);
  const newer = open(at, '0.2.0');
  newer.store.conversations.create(id(2), 'by the newer', 2);
  // What a later form of the database looks like to this version.
  newer.database.pragma('user_version = 999');
  await closeStorage(newer, silentLogger);

  const back = startStorage({ places: at, version: '0.1.0' });
  if (back.kind === 'open') throw new Error('a newer database was opened');
  expect(back.failure.kind).toBe('too-new');
  expect(back.failure.copies.map(({ reason }) => reason)).toEqual(['version', 'close']);
  expect(back.failure.canStartAnew).toBe(false);
  const [backup] = back.failure.copies;
  const restored = repairStorage(
    { places: at, version: '0.1.0' },
    { kind: 'restore', backup: backup! },
  );
  if (restored.kind === 'failed') throw new Error(restored.failure.detail);
  const { store, database, notice } = restored.storage;
  expect(store.conversations.summary(id(1))?.title).toBe('before');
  // The newer one is not lost: it lies beside.
  expect(notice).toContain('is kept as');
  database.close();
});
