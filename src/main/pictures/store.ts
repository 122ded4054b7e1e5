import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { writeWholeFile } from '../../base/whole-file.ts';
import { StudioError } from '../../shared/errors.ts';
import type { Picture } from '../../shared/domain/picture.ts';
import type { PictureTable } from '../database/pictures.ts';
import { sentenceOfFault, storageFaultOf } from '../database/sqlite-errors.ts';
import { readPictureHeader } from './header.ts';

/** What is known of a picture besides its bytes. */
export type PictureOrigin = Pick<Picture, 'origin' | 'caption' | 'recipe'> & {
  /** What errors call it. */
  readonly name: string;
  /** The name of the file that it came in, where it is worth keeping. */
  readonly fileName?: string | undefined;
};

/** Pictures: bytes as files named by their hash under one folder, and a row for each use. */
export interface PictureStore {
  /** Stores the bytes (once) and a new row. Throws `bad-input` for what is not a picture. */
  add(bytes: Uint8Array, origin: PictureOrigin): Promise<Picture>;
  /** Stores bytes without a row, for one that is to be written next. Throws `bad-input` where `hash` is not theirs. */
  keep(hash: string, bytes: Uint8Array): Promise<void>;
  /** Whether the file is there. */
  has(hash: string): boolean;
  /** Path of the file; it may be missing. */
  fileOf(hash: string): string;
  /** Path of its thumbnail, which may not be made yet. It goes when no row names the picture. */
  thumbnailOf(hash: string): string;
  /**
   * Drops rows unused since `unusedSince`, moves files that no row names and that are older than an hour to the trash,
   * brings back from it what a row names again, and deletes what has lain there since before `trashedBefore`.
   */
  collect(limits: CollectLimits): Promise<Collected>;
  /** Brings back from the trash every file that a row names; returns how many. */
  revive(): Promise<number>;
  /** Deletes these files for good, where no row names them any more, from the trash too. */
  erase(hashes: readonly string[]): Promise<number>;
}

/** Times in milliseconds since the epoch. */
export interface CollectLimits {
  readonly unusedSince: number;
  readonly trashedBefore: number;
}

export interface Collected {
  readonly rows: number;
  /** Moved to the trash. */
  readonly files: number;
  readonly revived: number;
  /** Deleted from the trash. */
  readonly deleted: number;
}

const hashPattern = /^[0-9a-f]{64}$/;
/** A file younger than this may belong to a row that is just being written. Milliseconds. */
const youngFileMs = 60 * 60 * 1000;

/** Opens the picture store in `folder`. */
export function createPictureStore(
  folder: string,
  table: PictureTable,
  now: () => number = Date.now,
): PictureStore {
  const fileOf = (hash: string): string => {
    if (!hashPattern.test(hash)) throw new StudioError('bad-input', `${hash} names no picture.`);
    return path.join(folder, hash.slice(0, 2), hash);
  };
  const thumbnailOf = (hash: string): string =>
    `${path.join(folder, thumbnailsName, path.relative(folder, fileOf(hash)))}.jpg`;
  const isNamed = (hash: string): boolean => table.mediaType(hash) !== null;
  return {
    fileOf,
    thumbnailOf,
    async add(bytes, { name, fileName, ...origin }) {
      const header = readPictureHeader(bytes, name);
      const hash = createHash('sha256').update(bytes).digest('hex');
      await writeOnce(fileOf(hash), bytes);
      const picture: Picture = {
        id: randomUUID(),
        hash,
        ...header,
        bytes: bytes.length,
        ...origin,
        ...(fileName === undefined ? {} : { name: fileName }),
      };
      table.insert(picture, now());
      return picture;
    },
    async keep(hash, bytes) {
      if (createHash('sha256').update(bytes).digest('hex') !== hash) {
        throw new StudioError('bad-input', `Picture ${hash} has other bytes than its name says.`);
      }
      await writeOnce(fileOf(hash), bytes);
    },
    has: (hash) => existsSync(fileOf(hash)),
    async collect({ unusedSince, trashedBefore }) {
      const rows = await dropUnused(table, unusedSince);
      const revived = await revive(folder, isNamed);
      const files = await trashUnnamed(folder, isNamed, now());
      const deleted = await emptyTrash(folder, trashedBefore);
      await dropThumbnails(path.join(folder, thumbnailsName), isNamed);
      return { rows, files, revived, deleted };
    },
    revive: () => revive(folder, isNamed),
    async erase(hashes) {
      let erased = 0;
      for (const hash of hashes) {
        if (isNamed(hash)) continue;
        await rm(fileOf(hash), { force: true });
        await rm(path.join(folder, trashName, hash), { force: true });
        await rm(thumbnailOf(hash), { force: true });
        erased += 1;
      }
      return erased;
    },
  };
}

/** Rows looked at in one statement: main answers between two. */
const rowsAStep = 1000;

async function dropUnused(table: PictureTable, before: number): Promise<number> {
  let rows = 0;
  for (let from = 0; from <= table.lastKey(); from += rowsAStep) {
    rows += table.dropUnused(before, { from, to: from + rowsAStep - 1 });
    await new Promise((resolve) => setImmediate(resolve));
  }
  return rows;
}

/** Stores the bytes unless they are there, so that a name never has half its bytes. */
async function writeOnce(file: string, bytes: Uint8Array): Promise<void> {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true });
  if ((await sizeOf(file)) === bytes.length) {
    // Young again: `collect` must not take it before its new row is written.
    await utimes(file, new Date(), new Date());
    return;
  }
  try {
    await writeWholeFile(file, bytes);
  } catch (error) {
    const fault = storageFaultOf(error);
    const reason =
      fault !== null ? sentenceOfFault(fault) : error instanceof Error ? error.message : '';
    throw new StudioError('storage', `The picture could not be stored. ${reason}`.trim(), {
      cause: error,
    });
  }
}

async function sizeOf(file: string): Promise<number | null> {
  try {
    return (await stat(file)).size;
  } catch {
    return null;
  }
}

/** A name that no hash's folder has: what lies there is not looked for as a picture. */
const trashName = 'trash';
/** As it: thumbnails lie in it as pictures do, in folders by the first two digits. */
const thumbnailsName = 'thumbnails';

/** Also what was left of one that was not written to its end. */
async function dropThumbnails(folder: string, isNamed: (hash: string) => boolean): Promise<void> {
  for (const name of await filesUnder(folder)) {
    const { name: hash, ext } = path.parse(name);
    const stays = ext === '.jpg' && hashPattern.test(hash) && isNamed(hash);
    if (!stays) await rm(path.join(folder, name), { force: true });
  }
}

async function trashUnnamed(
  folder: string,
  isNamed: (hash: string) => boolean,
  nowMs: number,
): Promise<number> {
  let moved = 0;
  for (const name of await filesUnder(folder)) {
    const hash = path.basename(name);
    const isPicture = hashPattern.test(hash);
    if (isPicture && isNamed(hash)) continue;
    const file = path.join(folder, name);
    const { mtimeMs } = await stat(file);
    // Asked again: a row may have come while the file was looked at.
    if (nowMs - mtimeMs < youngFileMs || (isPicture && isNamed(hash))) continue;
    // What is no picture is a write that never ended.
    if (isPicture) await moveToTrash(folder, file, hash, nowMs);
    else await rm(file, { force: true });
    moved += 1;
  }
  return moved;
}

/** Its time becomes that of its move: it counts from then. */
async function moveToTrash(
  folder: string,
  file: string,
  hash: string,
  nowMs: number,
): Promise<void> {
  await mkdir(path.join(folder, trashName), { recursive: true });
  await utimes(file, new Date(nowMs), new Date(nowMs));
  await rename(file, path.join(folder, trashName, hash));
}

async function revive(folder: string, isNamed: (hash: string) => boolean): Promise<number> {
  let revived = 0;
  for (const { name } of await listFolder(path.join(folder, trashName))) {
    if (!hashPattern.test(name) || !isNamed(name)) continue;
    const place = path.join(folder, name.slice(0, 2));
    await mkdir(place, { recursive: true });
    const { size } = await stat(path.join(folder, trashName, name));
    // The same bytes may have been added anew since.
    if ((await sizeOf(path.join(place, name))) === size) continue;
    await rename(path.join(folder, trashName, name), path.join(place, name));
    revived += 1;
  }
  return revived;
}

async function emptyTrash(folder: string, before: number): Promise<number> {
  let deleted = 0;
  for (const { name } of await listFolder(path.join(folder, trashName))) {
    const file = path.join(folder, trashName, name);
    if ((await stat(file)).mtimeMs >= before) continue;
    await rm(file, { force: true });
    deleted += 1;
  }
  return deleted;
}

async function filesUnder(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await listFolder(folder)) {
    if (!entry.isDirectory() || !/^[0-9a-f]{2}$/.test(entry.name)) continue;
    for (const file of await listFolder(path.join(folder, entry.name))) {
      if (file.isFile()) names.push(path.join(entry.name, file.name));
    }
  }
  return names;
}

async function listFolder(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
