import { closeSync, existsSync, mkdirSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { isStudioError, StudioError, reasonOf } from '../../shared/errors.ts';
import { silentLogger, type Logger } from '../../base/log.ts';
import { openBackups } from './backups.ts';
import { keepTemporariesInMemory, type StudioDatabase } from './connection.ts';
import { migrations as allMigrations } from './migrations/index.ts';
import { newestForm, type Migration } from './migration.ts';

export type { StudioDatabase };

export interface OpenDatabaseOptions {
  readonly file: string;
  /** Where the copy made before each migration goes. */
  readonly backupFolder: string;
  readonly migrations?: readonly Migration[];
  readonly log?: Logger;
  /** Looks at a database that is not new before any step changes it; throws where it must not be used. */
  readonly verify?: (database: StudioDatabase) => void;
}

/** Marks a file as ours in its header: "TxBd". */
export const applicationId = 0x5478_4264;

/** How long a statement waits for another program that holds the database: at the start, and while main must answer. */
export const busyMs = { atStart: 2_000, running: 100 } as const;

/** The file was written by another program. */
export class ForeignDatabaseError extends StudioError {
  constructor(message: string, options: { readonly cause?: unknown }) {
    super('storage', message, options);
    this.name = 'ForeignDatabaseError';
  }
}

/**
 * Opens the database, creating or migrating it.
 * @throws {StudioError} `database-too-new` (the file is not touched), or `storage` naming the file and the reason;
 *   what `verify` throws
 */
export function openDatabase(options: OpenDatabaseOptions): StudioDatabase {
  const { file, backupFolder, migrations = allMigrations, log = silentLogger, verify } = options;
  const newest = newestForm(migrations);
  refuseNewer(file, readHeaderVersion(file), newest);
  mkdirSync(path.dirname(file), { recursive: true });
  let database: StudioDatabase | undefined;
  try {
    database = new Database(file, { timeout: busyMs.atStart });
    refuseForeign(file, database);
    // A step that has not reached the main file yet stands in the write-ahead log, which only SQLite reads.
    refuseNewer(file, userVersion(database), newest);
    const isNew = userVersion(database) === 0;
    if (!isNew) verify?.(database);
    configure(database);
    const place = { file, backupFolder, isNew, log };
    for (const [index, migration] of migrations.entries()) {
      migrate(database, migration, migrations[index - 1]?.version ?? 0, place);
    }
    if (readApplicationId(database) !== applicationId)
      database.pragma(`application_id = ${applicationId}`);
    database.pragma(`busy_timeout = ${busyMs.running}`);
    return database;
  } catch (error) {
    database?.close();
    if (isStudioError(error)) throw error;
    const reason = reasonOf(error);
    throw new StudioError(
      'storage',
      `The database ${file} could not be opened: ${reason}. Copies made before updates are in ${backupFolder}.`,
      { cause: error },
    );
  }
}

/** Durability, order among tables, and that deleted words are overwritten. */
function configure(database: StudioDatabase): void {
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  database.pragma('secure_delete = ON');
  keepTemporariesInMemory(database);
}

function readApplicationId(database: StudioDatabase): number {
  return Number(database.pragma('application_id', { simple: true }));
}

/** Before a byte of it is changed: another program's file in our place stays what it is. */
function refuseForeign(file: string, database: StudioDatabase): void {
  const id = readApplicationId(database);
  const tables = Number(database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get());
  if (id === applicationId || (id === 0 && (tables === 0 || userVersion(database) > 0))) return;
  throw new ForeignDatabaseError(`The database ${file} belongs to another program.`, {
    cause: `application_id ${id}, ${tables} tables`,
  });
}

/** The version that the database's form has. */
export function userVersion(database: StudioDatabase): number {
  return Number(database.pragma('user_version', { simple: true }));
}

/** Closes it, folding the write-ahead log into the main file. */
export function closeDatabase(database: StudioDatabase): void {
  if (!database.open) return;
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
}

/** Reads `user_version` from the file's header (bytes 60 to 63), so that a newer file is not even opened. */
/** The form that a database has, the log beside it included; it is not changed. */
export function readDatabaseVersion(file: string): number {
  const database = new Database(file, { readonly: true, timeout: busyMs.atStart });
  try {
    return userVersion(database);
  } finally {
    database.close();
  }
}

function readHeaderVersion(file: string): number {
  if (!existsSync(file)) return 0;
  const header = Buffer.alloc(64);
  const descriptor = openSync(file, 'r');
  try {
    const length = readSync(descriptor, header, 0, header.length, 0);
    return length === header.length && header.toString('latin1', 0, 15) === 'SQLite format 3'
      ? header.readUInt32BE(60)
      : 0;
  } finally {
    closeSync(descriptor);
  }
}

function refuseNewer(file: string, version: number, newest: number): void {
  if (version <= newest) return;
  throw new StudioError(
    'database-too-new',
    `The database ${file} was written by a newer TextBind Studio (form ${version}; this one knows up to ${newest}). ` +
      'Nothing was changed. Install the newer version, or start with another data folder (--user-data-dir=DIR).',
  );
}

interface MigrationPlace {
  readonly file: string;
  readonly backupFolder: string;
  /** Nothing was in it when it was opened: nothing to keep. */
  readonly isNew: boolean;
  readonly log: Logger;
}

/** @param before the form that the step follows: numbers may be left out */
function migrate(
  database: StudioDatabase,
  migration: Migration,
  before: number,
  place: MigrationPlace,
): void {
  const from = userVersion(database);
  if (from >= migration.version) return;
  if (from !== before) {
    throw new StudioError('internal', `Migration ${migration.version} cannot follow form ${from}`);
  }
  if (!place.isNew) openBackups(place.backupFolder, place.log).makeNow(database, 'migration');
  // A table may be rebuilt inside a step, which foreign keys would hinder; they are checked before the commit.
  database.pragma('foreign_keys = OFF');
  try {
    database.transaction(() => {
      database.exec(migration.sql);
      const broken = database.prepare('SELECT * FROM pragma_foreign_key_check').all();
      if (broken.length > 0) throw new Error(`${broken.length} rows lost what they refer to`);
      database.pragma(`user_version = ${migration.version}`);
    })();
  } catch (error) {
    const reason = reasonOf(error);
    throw new StudioError(
      'storage',
      `The database ${place.file} could not be brought from form ${from} to ${migration.version} (${migration.name}): ` +
        `${reason}. It stays at form ${from}.`,
      { cause: error },
    );
  } finally {
    database.pragma('foreign_keys = ON');
  }
  place.log.info('database migrated', { from, to: migration.version, name: migration.name });
}
