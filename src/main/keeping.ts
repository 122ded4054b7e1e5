import { keptDays } from '../shared/domain/conversation.ts';
import { StudioError } from '../shared/errors.ts';
import type { Clock } from '../base/clock.ts';
import type { Calendar } from './database/calendar.ts';
import type { OpenedStorage } from './database/storage.ts';
import type { Logger } from '../base/log.ts';
import type { PictureStore } from './pictures/store.ts';

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;

/** Deleted conversations and versions, pictures that no turn shows (they may stand in a draft), and files in the trash. */
export const keptMs = {
  deleted: keptDays * dayMs,
  unusedPicture: 7 * dayMs,
  trashedFile: 30 * dayMs,
} as const;

/** After the first window, so that nothing here stands in its way; then again and again. Milliseconds. */
const rhythm = { first: 10_000, tidy: 6 * hourMs, watch: 1_000 } as const;
/** A copy is made when the newest is older than this. */
const copyEveryMs = dayMs;

export interface KeepingOptions {
  readonly storage: OpenedStorage;
  readonly pictures: PictureStore;
  readonly calendar: Calendar;
  readonly clock: Clock;
  readonly log: Logger;
  /** Tells the window of what nobody asked for. */
  readonly tell: (error: unknown) => void;
  /** Tells the window of something that is well again. */
  readonly say: (message: string) => void;
}

/** What is done to storage beside all requests: copies, the trash, and a look at whether it is still there. */
export interface Keeping {
  /** One round, as the timers do it. */
  tidy(): Promise<void>;
  close(): void;
}

/** Starts the keeping of an open storage. */
export function startKeeping(options: KeepingOptions): Keeping {
  const { storage, clock, log, tell } = options;
  const { place } = storage;
  let closed = false;
  let told = false;
  const every = (delayMs: number, work: () => Promise<void>): void => {
    clock.after(delayMs, () => {
      if (closed) return;
      void work().finally(() => every(work === watch ? rhythm.watch : rhythm.tidy, work));
    });
  };
  const tidy = async (): Promise<void> => {
    await attempt('pictures not collected', log, () => collect(options));
    await attempt('no daily copy', log, () => copyDaily(options), tell);
  };
  const retry = createRetry(options);
  const watch = async (): Promise<void> => {
    retry();
    if (told || place.isThere()) return;
    told = true;
    log.error('the database is gone');
    // The file is gone, what is open is not: a copy where the next start looks for one.
    await attempt('no copy of what was open', log, async () => {
      await storage.backups.make(storage.database, 'day');
    });
    await attempt('', log, async () => place.check(), tell);
  };
  every(rhythm.first, tidy);
  every(rhythm.watch, watch);
  return {
    tidy,
    close() {
      closed = true;
    },
  };
}

/** Tries to store what the disk refused; says so once, and once more when all of it is stored. */
function createRetry({ storage, tell, say }: KeepingOptions): () => void {
  const { unsaved } = storage.store;
  let told = false;
  return () => {
    if (unsaved.count === 0) return;
    if (unsaved.retry() === 0) {
      if (told) say('The disk takes writing again: everything is stored.');
      told = false;
    } else if (!told) {
      told = true;
      tell(
        new StudioError(
          'storage',
          `${unsaved.error?.message ?? ''} The reply is kept in memory and is stored as soon as that is possible.`,
          { cause: unsaved.error },
        ),
      );
    }
  };
}

async function collect({ storage, pictures, calendar, log }: KeepingOptions): Promise<void> {
  const now = calendar.now();
  // A database that was just made names no picture, and that says nothing about the files.
  if (storage.isNew || storage.isReplaced || now < calendar.leaveFilesUntil()) return;
  const { conversations, versions } = storage.store;
  const purged = conversations.purge(now - keptMs.deleted);
  const erased = versions.erase(now - keptMs.deleted);
  const collected = await pictures.collect({
    unusedSince: now - keptMs.unusedPicture,
    trashedBefore: now - keptMs.trashedFile,
  });
  log.info('pictures collected', { purged, erased, ...collected });
}

async function copyDaily({ storage, clock, log }: KeepingOptions): Promise<void> {
  const { backups, database } = storage;
  const newest = backups.list()[0]?.madeAt ?? null;
  // One from a future that a clock set back has left behind is no reason not to make another.
  if (newest !== null && Math.abs(clock.now() - newest) < copyEveryMs) return;
  const turns = Number(database.prepare('SELECT count(*) FROM turns').pluck().get());
  if (turns === 0) return;
  const begin = performance.now();
  await backups.make(database, 'day');
  log.info('daily copy', { ms: Math.round(performance.now() - begin) });
}

async function attempt(
  what: string,
  log: Logger,
  work: () => Promise<void>,
  tell: (error: unknown) => void = () => undefined,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (what !== '') log.error(what, { reason: String(error) });
    tell(error);
  }
}
