import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { PictureTable } from '../database/pictures.ts';
import type { PictureStore } from './store.ts';

/** Longest side of a thumbnail, pixels: a tile of the gallery on a screen of two dots a pixel. */
export const thumbnailSide = 384;
/** A file within this is its own thumbnail: its longest side, pixels, and its size, bytes. */
const smallEnough = { side: 512, bytes: 384 * 1024 } as const;

/** Pictures made small, and kept so. */
export interface Thumbnails {
  /** The small picture of a stored one; null where there is none of that hash, or it cannot be made. */
  read(hash: string): Promise<SmallPicture | null>;
  /** The JPEG that we made of it, of a small one too: for main, which decodes nobody else's bytes. */
  ours(hash: string): Promise<Uint8Array | null>;
}

export interface SmallPicture {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

export interface ThumbnailOptions {
  readonly pictures: Pick<PictureStore, 'fileOf' | 'thumbnailOf'>;
  readonly table: Pick<PictureTable, 'file'>;
  /** Makes the JPEG. */
  readonly shrink: (file: string, side: number) => Promise<Uint8Array>;
}

/**
 * Thumbnails as they are asked for. Of several that wait the one asked for last is made first: it is what the person
 * looks at now.
 */
export function createThumbnails({ pictures, table, shrink }: ThumbnailOptions): Thumbnails {
  const waiting: (() => Promise<void>)[] = [];
  const making = new Map<string, Promise<Uint8Array>>();
  let working = false;
  const work = async (): Promise<void> => {
    if (working) return;
    working = true;
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await next();
    working = false;
  };
  const make = (hash: string): Promise<Uint8Array> => {
    const before = making.get(hash);
    if (before !== undefined) return before;
    const made = new Promise<Uint8Array>((resolve, reject) => {
      waiting.push(async () => {
        try {
          const bytes = await shrink(pictures.fileOf(hash), thumbnailSide);
          await keep(pictures.thumbnailOf(hash), bytes);
          resolve(bytes);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    }).finally(() => making.delete(hash));
    making.set(hash, made);
    void work();
    return made;
  };
  const kept = async (hash: string): Promise<Uint8Array> => {
    const file = pictures.thumbnailOf(hash);
    return existsSync(file) ? readFile(file) : make(hash);
  };
  return {
    ours: (hash) => kept(hash).catch(() => null),
    async read(hash) {
      const facts = table.file(hash);
      if (facts === null) return null;
      const { mediaType, width, height, bytes } = facts;
      try {
        if (Math.max(width, height) <= smallEnough.side && bytes <= smallEnough.bytes) {
          return { bytes: await readFile(pictures.fileOf(hash)), mediaType };
        }
        return { bytes: await kept(hash), mediaType: 'image/jpeg' };
      } catch {
        return null;
      }
    },
  };
}

/** Not forced to the disk: it can always be made again. A disk that refuses is no reason not to show it. */
async function keep(file: string, bytes: Uint8Array): Promise<void> {
  const unfinished = `${file}.${randomUUID()}.part`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(unfinished, bytes);
    await rename(unfinished, file);
  } catch {
    await rm(unfinished, { force: true });
  }
}
