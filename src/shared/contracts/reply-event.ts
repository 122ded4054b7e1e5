import { z } from 'zod';
import { wireErrorSchema } from '../errors.ts';
import { pictureRecipeSchema } from '../domain/picture.ts';
import { noticeSchema } from '../domain/turn.ts';

const bytesSchema = z.instanceof(Uint8Array);

/** Progress of one drawing. */
export const drawingProgressSchema = z.object({
  kind: z.literal('drawing-step'),
  /** Steps done, 0 to `steps`. */
  step: z.number().int().nonnegative(),
  steps: z.number().int().positive(),
  /** Estimated seconds left; null before the first step. */
  secondsLeft: z.number().nonnegative().nullable(),
  /** A small encoded picture (PNG) of what stands so far; null where none was made for this step. */
  preview: bytesSchema.nullable(),
  /** Size that the finished picture will have, pixels. */
  width: z.number().int().positive(),
  height: z.number().int().positive(),
});

/** A finished drawing as the worker hands it over: encoded PNG and its recipe. */
export const drawnPictureSchema = z.object({
  kind: z.literal('picture'),
  png: bytesSchema,
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  caption: z.string(),
  recipe: pictureRecipeSchema,
  /** Seconds from the caption's end to the encoded picture. */
  seconds: z.number().nonnegative(),
});

/** What streams out of the interleaved loop, in order. Text pieces and caption pieces are to be appended. */
export const replyEventSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('text'), text: z.string() }),
  z.object({ kind: z.literal('caption-started') }),
  z.object({ kind: z.literal('caption-text'), text: z.string() }),
  z.object({ kind: z.literal('caption-finished'), caption: z.string() }),
  drawingProgressSchema,
  drawnPictureSchema,
  z.object({ kind: z.literal('drawing-failed'), caption: z.string(), error: wireErrorSchema }),
  z.object({ kind: z.literal('notice'), notice: noticeSchema }),
]);
export type ReplyEvent = z.infer<typeof replyEventSchema>;
export type DrawingProgress = z.infer<typeof drawingProgressSchema>;
export type DrawnPicture = z.infer<typeof drawnPictureSchema>;
