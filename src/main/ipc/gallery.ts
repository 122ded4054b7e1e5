import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about the pictures of all conversations. */
export function galleryHandlers({ gallery }: AppServices): DomainHandlers<'gallery'> {
  return {
    'gallery.open': ({ filter, query }) => gallery.open(filter, query ?? ''),
    'gallery.page': ({ listId, offset, limit }) => ({
      items: gallery.page(listId, offset, limit),
    }),
    'gallery.place': ({ pictureId }) => gallery.place(pictureId),
  };
}
