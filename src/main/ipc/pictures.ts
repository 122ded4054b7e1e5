import { writeWholeFile } from '../../base/whole-file.ts';
import { StudioError, reasonOf } from '../../shared/errors.ts';
import type { Picture } from '../../shared/domain/picture.ts';
import { readPictureHeader } from '../pictures/header.ts';
import { keptName } from '../pictures/names.ts';
import { readRecipe } from '../pictures/png-recipe.ts';
import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about pictures. */
export function pictureHandlers(services: AppServices): DomainHandlers<'pictures'> {
  const { store, pictures, outgoing, thumbnails, decoder, places, emit } = services;
  const find = (pictureId: string): Picture => {
    const picture = store.pictures.find(pictureId);
    if (picture === null) throw new StudioError('not-found', `There is no picture ${pictureId}.`);
    return picture;
  };
  return {
    'pictures.expect'() {
      decoder.prepare();
      return null;
    },
    async 'pictures.add'({ bytes, name }) {
      // Dragged out and back again: it is the picture that it was.
      const known = outgoing.returned(bytes);
      const before = known === null ? null : store.pictures.find(known);
      if (before !== null) return before;
      // The header first: what it refuses need not be sent to another process.
      readPictureHeader(bytes, name);
      await decoder.check(bytes, name);
      const { caption = null, recipe = null } = readRecipe(bytes) ?? {};
      const fileName = keptName(name);
      return pictures.add(bytes, { name, fileName, origin: 'user', caption, recipe });
    },
    'pictures.change'({ pictureId, change }) {
      store.pictures.change(pictureId, change);
      const picture = find(pictureId);
      emit('pictures.changed', { picture });
      return picture;
    },
    async 'pictures.drag'({ pictureId }) {
      const picture = find(pictureId);
      const file = await outgoing.stage(picture);
      places.startDrag(file, await thumbnails.ours(picture.hash));
      return null;
    },
    async 'pictures.save'({ pictureId }) {
      const { name, bytes } = await outgoing.fileOf(find(pictureId));
      const extension = name.split('.').at(-1) ?? 'png';
      const file = await places.askWhere(name, { name: 'Picture', extension });
      if (file === null) return null;
      try {
        await writeWholeFile(file, bytes);
      } catch (error) {
        const reason = reasonOf(error);
        throw new StudioError('storage', `${file} could not be written: ${reason}`, {
          cause: error,
        });
      }
      return { path: file };
    },
  };
}
