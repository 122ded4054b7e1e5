import { z } from 'zod';
import { pictureRecipeSchema } from '../domain/picture.ts';
import { writingEventSchemas } from '../domain/reply.ts';

export { drawingProgressSchema, type DrawingProgress } from '../domain/reply.ts';

/** A finished drawing as the worker hands it over: encoded PNG and its recipe. */
export const drawnPictureSchema = z.object({
  kind: z.literal('picture'),
  png: z.instanceof(Uint8Array),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  caption: z.string(),
  recipe: pictureRecipeSchema,
  /** Seconds from the caption's end to the encoded picture. */
  seconds: z.number().nonnegative(),
});
export type DrawnPicture = z.infer<typeof drawnPictureSchema>;

/** What streams out of the interleaved loop, in order: a reply's events, but with the picture's bytes. */
export const workerReplyEventSchema = z.discriminatedUnion('kind', [
  ...writingEventSchemas,
  drawnPictureSchema,
]);
export type WorkerReplyEvent = z.infer<typeof workerReplyEventSchema>;
