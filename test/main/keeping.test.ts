import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { silentLogger } from '../../src/base/log.ts';
import { createCalendar } from '../../src/main/database/calendar.ts';
import { closeDatabase } from '../../src/main/database/open.ts';
import {
  repairStorage,
  startStorage,
  type OpenedStorage,
  type StorageStart,
} from '../../src/main/database/storage.ts';
import { startKeeping } from '../../src/main/keeping.ts';
import { createPictureStore } from '../../src/main/pictures/store.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { placesIn, temporaryFolder, type Places } from './support/storage.ts';
import { makeTurn, text } from './support/turns.ts';

const dayMs = 24 * 60 * 60 * 1000;
const hash = 'ab'.repeat(32);

/** A picture that no row names, a year old. */
function putOldPicture({ pictures }: Places): string {
  const file = path.join(pictures, 'ab', hash);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, 'x');
  utimesSync(file, new Date(0), new Date(0));
  return file;
}

function opened(start: StorageStart): OpenedStorage {
  if (start.kind === 'failed') throw new Error(start.failure.detail);
  return start.storage;
}

/** One start at a time of the machine's clock, tidied once and ended. */
async function run(
  storage: OpenedStorage,
  places: Places,
  now: number,
  during: () => void = () => undefined,
): Promise<void> {
  const timers = new FakeClock();
  const clock = {
    now: () => now,
    monotonicMs: () => timers.monotonicMs(),
    after: timers.after.bind(timers),
  };
  const calendar = createCalendar(storage.store.settings, () => now);
  if (storage.isNew || storage.isReplaced) calendar.leaveFilesFor(30 * dayMs);
  const keeping = startKeeping({
    storage,
    pictures: createPictureStore(places.pictures, storage.store.pictures, () => calendar.stamp()),
    calendar,
    clock,
    log: silentLogger,
    tell: (error) => expect.unreachable(String(error)),
    say: () => undefined,
  });
  onTestFinished(() => keeping.close());
  during();
  await keeping.tidy();
  keeping.close();
  closeDatabase(storage.database);
}

describe('what is tidied away', () => {
  test('no picture beside a database that was made anew, in this start and in those of a month', async () => {
    const places = placesIn(temporaryFolder());
    const picture = putOldPicture(places);
    const failed = startStorage({ places });
    expect(failed).toMatchObject({ kind: 'failed', failure: { kind: 'missing' } });
    const now = Date.now();
    await run(opened(repairStorage({ places }, { kind: 'start-anew' })), places, now);
    expect(existsSync(picture)).toBe(true);
    for (const day of [1, 9, 19, 29]) {
      await run(opened(startStorage({ places })), places, now + day * dayMs);
      expect(existsSync(picture)).toBe(true);
    }
    for (const day of [32, 40])
      await run(opened(startStorage({ places })), places, now + day * dayMs);
    expect(existsSync(picture)).toBe(false);
    expect(existsSync(path.join(places.pictures, 'trash', hash))).toBe(true);
  });

  test('a clock 40 days ahead for one start purges nothing; a month of real days does', async () => {
    const places = placesIn(temporaryFolder());
    const id = '00000000-0000-4000-8000-000000000001';
    const now = Date.now();
    const start = (day: number, during?: (storage: OpenedStorage) => void): Promise<void> => {
      const storage = opened(startStorage({ places }));
      return run(storage, places, now + day * dayMs, () => during?.(storage));
    };
    const isKept = (): boolean => {
      const storage = opened(startStorage({ places }));
      const kept = storage.database.prepare('SELECT count(*) FROM conversations').pluck().get();
      closeDatabase(storage.database);
      return kept === 1;
    };
    await start(0);
    await start(1, ({ store }) => {
      store.conversations.create(id, 'Deleted', now);
      store.conversations.remove(id, now + dayMs);
    });
    await start(41);
    expect(isKept()).toBe(true);
    await start(2);
    await start(-9000);
    expect(isKept()).toBe(true);
    for (const day of [12, 22, 30]) await start(day);
    expect(isKept()).toBe(true);
    await start(32);
    expect(isKept()).toBe(false);
  });

  test('a daily copy is made once there is something to copy, and not again the same day', async () => {
    const places = placesIn(temporaryFolder());
    const first = opened(startStorage({ places }));
    first.store.conversations.create('00000000-0000-4000-8000-000000000001', 'x', 1);
    first.store.turns.append('00000000-0000-4000-8000-000000000001', makeTurn('user', [text('x')]));
    closeDatabase(first.database);
    for (const expected of [1, 1]) {
      const storage = opened(startStorage({ places }));
      const copies = storage.backups.list;
      await run(storage, places, Date.now());
      expect(copies()).toHaveLength(expected);
    }
  });
});
