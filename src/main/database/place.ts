import { accessSync, constants, readdirSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import { StudioError } from '../../shared/errors.ts';
import { hasCopies } from './backups.ts';
import { storageFaultOf } from './sqlite-errors.ts';

/** Where everything that a person has lies. */
export interface StoragePlaces {
  /** The database's file. */
  readonly database: string;
  readonly backups: string;
  readonly pictures: string;
}

/** Why the place of the database cannot be used as it is. */
export type PlaceFault = 'missing' | 'empty' | 'not-a-file' | 'forbidden';

/**
 * Looks at the place before anything is opened there. A database that is gone beside pictures, copies or its own log
 * is a fault, not a first start.
 */
export function inspectPlace(places: StoragePlaces): PlaceFault | null {
  const entry = statOf(places.database);
  if (entry === 'forbidden') return 'forbidden';
  if (entry !== null && !entry.isFile()) return 'not-a-file';
  if (entry !== null && entry.size > 0) return isUsable(places.database) ? null : 'forbidden';
  if (!hasCompanions(places)) return null;
  return entry === null ? 'missing' : 'empty';
}

/** Whether the last end was not a clean one: the log of a closed database is gone. */
export function endedUncleanly(database: string): boolean {
  return sizeOf(`${database}-wal`) > 0;
}

/** Bytes; 0 where there is no such file. */
export function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}

/** What shows that this was not a first start. */
function hasCompanions(places: StoragePlaces): boolean {
  return (
    endedUncleanly(places.database) || hasCopies(places.backups) || hasPictures(places.pictures)
  );
}

function hasPictures(folder: string): boolean {
  const names = listOf(folder).filter((name) => /^([0-9a-f]{2}|trash)$/.test(name));
  return names.some((name) => listOf(path.join(folder, name)).length > 0);
}

function listOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isUsable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    accessSync(path.dirname(file), constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function statOf(file: string): Stats | 'forbidden' | null {
  try {
    // A link to a database elsewhere is followed; a link to nothing is missing.
    return statSync(file);
  } catch (error) {
    return storageFaultOf(error) === 'forbidden' ? 'forbidden' : null;
  }
}

/** Notices that the open database is no longer the file of that name: its folder was deleted, moved or replaced. */
export class PlaceWatch {
  readonly #file: string;
  readonly #inode: number;

  constructor(file: string) {
    this.#file = file;
    this.#inode = statSync(file).ino;
  }

  isThere(): boolean {
    try {
      return statSync(this.#file).ino === this.#inode;
    } catch {
      return false;
    }
  }

  /** @throws {StudioError} `storage` where it is gone: what is written would be lost without a word. */
  check(): void {
    if (this.isThere()) return;
    throw new StudioError(
      'storage',
      `${this.#file} is gone: its folder was deleted, moved or replaced while the app was open. ` +
        'Put it back where it was and start the app again.',
    );
  }
}
