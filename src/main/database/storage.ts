import { existsSync, renameSync, rmSync } from 'node:fs';
import { StudioError } from '../../shared/errors.ts';
import { silentLogger, type Logger } from '../../base/log.ts';
import { openBackups, putAside, type Backup, type Backups, type InspectCopy } from './backups.ts';
import { examine } from './damage.ts';
import { keepSearchSecure } from './erasure.ts';
import { migrations } from './migrations/index.ts';
import { closeDatabase, openDatabase, type StudioDatabase } from './open.ts';
import { endedUncleanly, inspectPlace, PlaceWatch, sizeOf, type StoragePlaces } from './place.ts';
import { tableColumns } from './salvage/read.ts';
import { rebuildSearch } from './search-index.ts';
import { readSalvage } from './salvage/salvage.ts';
import { storageFaultOf } from './sqlite-errors.ts';
import { createStore, type Store } from './store.ts';
import { describeFailure, type StartFailure } from './start-failure.ts';

/** A database up to this size is looked at from end to end at each start. Bytes; 31 MB took 0.85 s, two cores at load 15. */
const alwaysExamined = 16 * 1024 * 1024;

/** The version of the app that opened it last, among the small state of the app's own. */
const versionState = 'version';

/** The open database, and what a person should know about how it was opened. */
export interface OpenedStorage {
  readonly database: StudioDatabase;
  readonly store: Store;
  readonly backups: Backups;
  readonly place: PlaceWatch;
  /** It was made at this start: no picture beside it may be taken for one that nobody wants. */
  readonly isNew: boolean;
  /** It was put in another's place: from a copy, or from what could be read. */
  readonly isReplaced: boolean;
  /** What was mended without loss; null where there was nothing. */
  readonly notice: string | null;
}

export type StorageStart =
  | { readonly kind: 'open'; readonly storage: OpenedStorage }
  | { readonly kind: 'failed'; readonly failure: StartFailure };

export interface StartStorageOptions {
  readonly places: StoragePlaces;
  /** The app's version: at the first start of another one the database is copied. */
  readonly version?: string;
  readonly log?: Logger;
  readonly now?: () => number;
  /** Looks through copies that are made beside all else. */
  readonly inspectCopy?: InspectCopy;
}

/** What verifying found, as an error so that nothing is changed any more. */
class DamageFound extends StudioError {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super('storage', 'The database is damaged.', { cause: faults.join('\n') });
    this.name = 'DamageFound';
    this.faults = faults;
  }
}

/**
 * Opens the database, or says why it cannot be opened and what can be done. Never throws, and changes nothing where it
 * fails. A damage by which nothing is lost is mended; the damaged file is kept beside.
 */
export function startStorage(options: StartStorageOptions): StorageStart {
  const { places, log = silentLogger } = options;
  const fault = inspectPlace(places);
  const attempt = fault === null ? tryOpen(options) : null;
  if (attempt !== null && 'database' in attempt) {
    return { kind: 'open', storage: { ...attempt, isReplaced: false } };
  }
  const error = attempt?.error ?? null;
  const mended = error === null ? null : mendWithoutLoss(options, error);
  if (mended !== null) return mended;
  const failure = describeFailure({ places, fault, error, faults: faultsOf(error), log });
  log.error('database not open', {
    kind: failure.kind,
    detail: failure.detail.slice(0, 500),
    copies: failure.copies.length,
  });
  return { kind: 'failed', failure };
}

/** What may be done about a database that does not open. */
export type Repair =
  | { readonly kind: 'restore'; readonly backup: Backup }
  | { readonly kind: 'salvage' }
  | { readonly kind: 'start-anew' };

/**
 * Puts another database in the place of one that does not open, and opens it. What was there is kept beside. Where the
 * repair itself fails, everything is as it was.
 * @throws {StudioError} `storage`: the copy is damaged, nothing can be read, or the disk refused
 */
export function repairStorage(options: StartStorageOptions, repair: Repair): StorageStart {
  const { places, log = silentLogger, now = Date.now } = options;
  const made = `${places.database}-new`;
  const lost = prepareRepair(options, repair, made);
  const aside = putAside(places.database, now());
  if (existsSync(made)) renameSync(made, places.database);
  log.warn('database replaced', { by: repair.kind, aside });
  const attempt = tryOpen(options);
  if (!('database' in attempt)) {
    const { error } = attempt;
    const failure = describeFailure({
      places,
      fault: null,
      error,
      faults: faultsOf(error),
      log,
    });
    return { kind: 'failed', failure };
  }
  // Rows were stored one by one: what full text should leave out is left out when it is made as a whole.
  if (repair.kind === 'salvage') rebuildSearch(attempt.database);
  const kept = aside === null ? '' : ` What was there is kept as ${aside}.`;
  const notice = [noticeOf(repair), ...lost].join(' ') + kept;
  return { kind: 'open', storage: { ...attempt, isReplaced: true, notice } };
}

/** Makes the new database beside the old one; returns what it lacks, in sentences. */
function prepareRepair(
  { places, log = silentLogger }: StartStorageOptions,
  repair: Repair,
  made: string,
): readonly string[] {
  rmSync(made, { force: true });
  switch (repair.kind) {
    case 'start-anew':
      return [];
    case 'restore':
      openBackups(places.backups, log).restoreTo(repair.backup, made);
      return [];
    case 'salvage': {
      const salvage = readSalvage(places.database);
      const refused = salvage?.write(made) ?? 0;
      if (refused > 0) log.warn('rows could not be saved', { refused });
      return salvage?.losses ?? [];
    }
    default:
      return repair satisfies never;
  }
}

function noticeOf(repair: Repair): string {
  switch (repair.kind) {
    case 'start-anew':
      return 'A new, empty database was made.';
    case 'restore':
      return `The copy of ${new Date(repair.backup.madeAt).toLocaleString()} was restored.`;
    case 'salvage':
      return 'What could be read of the database was saved.';
    default:
      return repair satisfies never;
  }
}

type Attempt = Omit<OpenedStorage, 'isReplaced'> | { readonly error: unknown };

function tryOpen(options: StartStorageOptions): Attempt {
  const { places, version, log = silentLogger, now, inspectCopy: inspect } = options;
  const isNew = sizeOf(places.database) === 0;
  const unclean = endedUncleanly(places.database);
  let notice: string | null = null;
  let opened: StudioDatabase | null = null;
  const verify = (database: StudioDatabase): void => {
    const missing = missingTables(database);
    if (missing.length > 0) throw new DamageFound([`no table ${missing.join(', ')}`]);
    const small = sizeOf(places.database) <= alwaysExamined;
    if (!unclean && !small) return;
    const { faults, searchRebuilt } = examine(database, small ? 'full' : 'quick');
    if (faults.length > 0) throw new DamageFound(faults);
    if (!searchRebuilt) return;
    log.warn('search index rebuilt', { unclean });
    notice = 'The search index was damaged and has been made anew. Nothing is lost.';
  };
  try {
    const { database: file, backups: backupFolder } = places;
    const database = openDatabase({ file, backupFolder, log, verify });
    opened = database;
    keepSearchSecure(database);
    const place = new PlaceWatch(file);
    const store = createStore(database, {
      checkPlace: () => place.check(),
      onMended: () => log.warn('search index rebuilt'),
    });
    // A write, before anything rests on writing: a full disk is told here.
    const interrupted = store.turns.interruptStreaming();
    log.info('database open', { interrupted, unclean });
    const backups = openBackups(backupFolder, log, {
      ...(now && { now }),
      ...(inspect && { inspect }),
    });
    if (version !== undefined) copyForVersion({ store, backups, database, isNew }, version, log);
    return { database, store, backups, place, isNew, notice };
  } catch (error) {
    opened?.close();
    return { error };
  }
}

/** What a version that turns out to be bad did can be undone: by the one before it, and a copy from before its first start. */
function copyForVersion(
  {
    store,
    backups,
    database,
    isNew,
  }: Pick<OpenedStorage, 'store' | 'backups' | 'database' | 'isNew'>,
  version: string,
  log: Logger,
): void {
  if (store.settings.state(versionState) === version) return;
  try {
    if (!isNew) backups.makeNow(database, 'version');
    store.settings.keepState(versionState, version);
  } catch (error) {
    // A full disk is told where a person writes; the next start tries again.
    log.error('no copy before the first start of a version', { version, reason: String(error) });
  }
}

/** Tables of the database's form that are not there: another program's file, or a damaged list of tables. */
function missingTables(database: StudioDatabase): readonly string[] {
  const form = Number(database.pragma('user_version', { simple: true }));
  const present = database.prepare<[], string>('SELECT name FROM sqlite_schema').pluck().all();
  return [...tableColumns(migrations, form).keys()].filter((name) => !present.includes(name));
}

/** Damage to indexes, to full text or to single fields costs nothing: it is mended without a question. */
function mendWithoutLoss(options: StartStorageOptions, error: unknown): StorageStart | null {
  if (!(error instanceof DamageFound) && storageFaultOf(error) !== 'damaged') return null;
  const salvage = readSalvage(options.places.database);
  if (salvage === null || !salvage.lossless) return null;
  try {
    const start = repairStorage(options, { kind: 'salvage' });
    if (start.kind === 'failed') return null;
    const { storage } = start;
    const notice = `The database was damaged and has been mended. Nothing is lost.`;
    return { kind: 'open', storage: { ...storage, notice } };
  } catch {
    // The disk is full, or forbids it: the person is asked.
    return null;
  }
}

function faultsOf(error: unknown): readonly string[] {
  return error instanceof DamageFound ? error.faults : [];
}

/** Closes the database as {@link closeDatabase} does, after a copy where something changed in it. */
export async function closeStorage(storage: OpenedStorage, log: Logger): Promise<void> {
  const { database, backups, store } = storage;
  if (!database.open) return;
  try {
    if (store.changes() > 0) await backups.make(database, 'close');
  } catch (error) {
    log.error('no copy at the end', { reason: String(error) });
  } finally {
    closeDatabase(database);
  }
}
