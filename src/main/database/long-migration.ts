import { migrations } from './migrations/index.ts';
import { newestForm } from './migration.ts';
import { readDatabaseVersion } from './open.ts';
import { sizeOf } from './place.ts';

/** A database from which on a migration takes long enough to be told of, bytes: 67 MB take some 10 s, two busy cores. */
const longFrom = 32 * 1024 * 1024;

/** Bytes of a database that opening will bring into another form, where that takes a while; else null. Changes nothing. */
export function longMigrationAhead(file: string, from = longFrom): number | null {
  const bytes = sizeOf(file) + sizeOf(`${file}-wal`);
  if (bytes < from) return null;
  try {
    const version = readDatabaseVersion(file);
    return version > 0 && version < newestForm(migrations) ? bytes : null;
  } catch {
    // Whatever is wrong with it is told by opening it.
    return null;
  }
}
