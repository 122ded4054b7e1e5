import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { StudioError } from '../../shared/errors.ts';
import type { Picture } from '../../shared/domain/picture.ts';
import { outsideName } from './names.ts';
import { embedRecipe } from './png-recipe.ts';
import type { PictureStore } from './store.ts';

/** Pictures on their way out: saved, or dragged onto something else. */
export interface OutgoingPictures {
  /** Name and bytes of the file: a drawing's has its recipe in it. @throws {StudioError} `storage` */
  fileOf(picture: Picture): Promise<{ readonly name: string; readonly bytes: Uint8Array }>;
  /** Writes that file where another program can take it from; its path. It stays until the app ends. */
  stage(picture: Picture): Promise<string>;
  /** The picture that was staged with these bytes in this run of the app: it was dragged out and comes back. */
  returned(bytes: Uint8Array): string | null;
  /** Takes away everything staged, of this run and of one that crashed. */
  clear(): Promise<void>;
}

/** @param folder where files are staged; nothing else is in it */
export function createOutgoingPictures(
  folder: string,
  pictures: Pick<PictureStore, 'fileOf'>,
): OutgoingPictures {
  const staged = new Map<string, string>();
  const fileOf: OutgoingPictures['fileOf'] = async (picture) => {
    const { caption, recipe, width, height, mediaType } = picture;
    const name = outsideName(picture);
    try {
      const bytes = await readFile(pictures.fileOf(picture.hash));
      const hasRecipe = recipe !== null && caption !== null && mediaType === 'image/png';
      return {
        name,
        bytes: hasRecipe ? embedRecipe(bytes, { caption, recipe }, { width, height }) : bytes,
      };
    } catch (error) {
      throw new StudioError('storage', `The file of “${name}” could not be read.`, {
        cause: error,
      });
    }
  };
  return {
    fileOf,
    async stage(picture) {
      const { name, bytes } = await fileOf(picture);
      // A folder each: two pictures may have one name.
      const file = path.join(folder, picture.id, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, bytes);
      staged.set(hashOf(bytes), picture.id);
      return file;
    },
    returned: (bytes) => (staged.size === 0 ? null : (staged.get(hashOf(bytes)) ?? null)),
    async clear() {
      staged.clear();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
