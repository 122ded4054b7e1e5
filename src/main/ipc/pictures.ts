import { copyFile } from 'node:fs/promises';
import { StudioError } from '../../shared/errors.ts';
import { fileNameOf, pictureFileName } from '../conversations/export.ts';
import { readPictureHeader } from '../pictures/header.ts';
import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about pictures. */
export function pictureHandlers(services: AppServices): DomainHandlers<'pictures'> {
  const { store, pictures, decoder, places } = services;
  return {
    async 'pictures.add'({ bytes, name }) {
      // The header first: what it refuses need not be sent to another process.
      readPictureHeader(bytes, name);
      await decoder.check(bytes, name);
      return pictures.add(bytes, { name, origin: 'user', caption: null, recipe: null });
    },
    async 'pictures.save'({ pictureId }) {
      const picture = store.pictures.find(pictureId);
      if (picture === null) throw new StudioError('not-found', `There is no picture ${pictureId}.`);
      const fileName = pictureFileName(picture);
      const extension = fileName.split('.').at(-1) ?? 'png';
      const suggested =
        picture.caption === null ? fileName : `${fileNameOf(picture.caption)}.${extension}`;
      const file = await places.askWhere(suggested, { name: 'Picture', extension });
      if (file === null) return null;
      try {
        await copyFile(pictures.fileOf(picture.hash), file);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new StudioError('storage', `${file} could not be written: ${reason}`, {
          cause: error,
        });
      }
      return { path: file };
    },
  };
}
