import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Picture } from '../../shared/domain/picture.ts';
import { pictureFileName } from '../conversations/export.ts';

export interface PictureCopies {
  /** Copies those that are named; all where no names are given. */
  add(pictures: readonly Picture[], names?: ReadonlySet<string>): Promise<void>;
  /** How many have no file. */
  missing(): number;
}

/** Copies pictures into a folder, each once; one whose file is not there is counted. */
export function copyPictures(fileOf: (hash: string) => string, folder: string): PictureCopies {
  const done = new Set<string>();
  let missing = 0;
  return {
    async add(pictures, names) {
      for (const picture of pictures) {
        const name = pictureFileName(picture);
        if (done.has(picture.hash) || names?.has(name) === false) continue;
        done.add(picture.hash);
        await mkdir(folder, { recursive: true });
        try {
          await copyFile(fileOf(picture.hash), path.join(folder, name));
        } catch (error) {
          if (!isMissing(error)) throw error;
          missing += 1;
        }
      }
    },
    missing: () => missing,
  };
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
