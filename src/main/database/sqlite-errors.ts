import { isStudioError, StudioError } from '../../shared/errors.ts';

/** What a person can do something about, by SQLite's result codes (https://www.sqlite.org/rescode.html). */
export type StorageFault = 'damaged' | 'not-a-database' | 'full' | 'locked' | 'forbidden' | 'disk';

const faultsByCode: readonly (readonly [RegExp, StorageFault])[] = [
  [/^SQLITE_CORRUPT/, 'damaged'],
  [/^SQLITE_NOTADB/, 'not-a-database'],
  [/^SQLITE_FULL/, 'full'],
  [/^(SQLITE_BUSY|SQLITE_LOCKED|SQLITE_PROTOCOL)/, 'locked'],
  [/^(SQLITE_READONLY|SQLITE_CANTOPEN|SQLITE_PERM|EACCES|EPERM|EROFS)/, 'forbidden'],
  [/^(SQLITE_IOERR|EIO)/, 'disk'],
  [/^(ENOSPC|EDQUOT|EFBIG)/, 'full'],
];

const sentences = {
  damaged: 'The database is damaged at the place that was asked for.',
  'not-a-database': 'The file is no database, or its beginning is damaged.',
  full: 'The disk is full. Make room, and try again.',
  locked: 'Another program holds the database locked. Close it, and try again.',
  forbidden: 'The data folder may not be written to, or not be read. Look at its permissions.',
  disk: 'The disk did not read or write what it was asked to.',
} as const satisfies Record<StorageFault, string>;

/** What kind of failure of storage an error is, its cause included; null where it is none. */
export function storageFaultOf(error: unknown): StorageFault | null {
  if (!(error instanceof Error)) return null;
  const code = 'code' in error ? String(error.code) : '';
  const found = faultsByCode.find(([pattern]) => pattern.test(code));
  return found?.[1] ?? storageFaultOf(error.cause);
}

/** The sentence for a failure of storage; SQLite's own words stay in the cause. */
export function sentenceOfFault(fault: StorageFault): string {
  return sentences[fault];
}

/** Makes SQLite's error into one of ours; what is no failure of storage stays as it is. */
export function toStorageError(error: unknown): unknown {
  if (isStudioError(error)) return error;
  const fault = storageFaultOf(error);
  if (fault === null) return error;
  return new StudioError('storage', sentences[fault], { cause: error });
}
