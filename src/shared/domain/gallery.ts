import { z } from 'zod';
import { foundPlaceSchema } from './found-place.ts';
import { pictureSchema } from './picture.ts';

/** Which pictures the gallery shows. */
export const galleryFilterSchema = z.enum(['all', 'drawn', 'added', 'favourites']);
export type GalleryFilter = z.infer<typeof galleryFilterSchema>;

/** A picture of some conversation. */
export const galleryItemSchema = z.object({
  picture: pictureSchema,
  /** Milliseconds since the epoch. */
  createdAt: z.number().int(),
  conversation: z.object({ id: z.uuid(), title: z.string() }),
});
export type GalleryItem = z.infer<typeof galleryItemSchema>;

/** Where a picture stands. */
export const galleryPlaceSchema = foundPlaceSchema.extend({ conversationId: z.uuid() });
export type GalleryPlace = z.infer<typeof galleryPlaceSchema>;
