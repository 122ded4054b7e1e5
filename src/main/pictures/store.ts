import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { writeWholeFile } from '../../base/whole-file.ts';
import { StudioError } from '../../shared/errors.ts';
import type { Picture } from '../../shared/domain/picture.ts';
import type { PictureTable } from '../database/pictures.ts';
import { readPictureHeader } from './header.ts';

/** What is known of a picture besides its bytes. */
export type PictureOrigin = Pick<Picture, 'origin' | 'caption' | 'recipe'> & {
  readonly name: string;
};

/** Pictures: bytes as files named by their hash under one folder, and a row for each use. */
export interface PictureStore {
  /** Stores the bytes (once) and a new row. Throws `bad-input` for what is not a picture. */
  add(bytes: Uint8Array, origin: PictureOrigin): Promise<Picture>;
  /** Path of the file; it may be missing. */
  fileOf(hash: string): string;
  /** Drops rows unused for `unusedForMs`, and files that no row names and that are older than an hour. */
  collect(unusedForMs: number): Promise<{ rows: number; files: number }>;
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
  return {
    fileOf,
    async add(bytes, { name, ...origin }) {
      const header = readPictureHeader(bytes, name);
      const hash = createHash('sha256').update(bytes).digest('hex');
      await writeOnce(fileOf(hash), bytes);
      const picture: Picture = {
        id: randomUUID(),
        hash,
        ...header,
        bytes: bytes.length,
        ...origin,
      };
      table.insert(picture, now());
      return picture;
    },
    async collect(unusedForMs) {
      const rows = table.dropUnused(now() - unusedForMs);
      const files = await dropUnnamed(folder, (hash) => table.mediaType(hash) !== null, now());
      return { rows, files };
    },
  };
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
    const reason = error instanceof Error ? error.message : String(error);
    throw new StudioError('storage', `The picture could not be stored: ${reason}`, {
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

async function dropUnnamed(
  folder: string,
  isNamed: (hash: string) => boolean,
  nowMs: number,
): Promise<number> {
  let dropped = 0;
  for (const name of await filesUnder(folder)) {
    const hash = path.basename(name);
    if (hashPattern.test(hash) && isNamed(hash)) continue;
    const file = path.join(folder, name);
    const { mtimeMs } = await stat(file);
    // Asked again: a row may have come while the file was looked at.
    if (nowMs - mtimeMs < youngFileMs || (hashPattern.test(hash) && isNamed(hash))) continue;
    await rm(file, { force: true });
    dropped += 1;
  }
  return dropped;
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
