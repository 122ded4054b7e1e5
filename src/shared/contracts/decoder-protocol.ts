import { z } from 'zod';
import { wireErrorSchema } from '../errors.ts';

/**
 * Between main and a process that decodes pictures, to see whether they can be or to make them small: one at a time. A picture that
 * crashes, hangs or fills the memory takes that process with it and nothing else.
 */

/** Main to the decoder: the file's bytes, or its path. */
export const toDecoderSchema = z.object({
  id: z.number().int(),
  /** What errors call it. */
  name: z.string(),
  source: z.union([z.custom<Uint8Array>((value) => value instanceof Uint8Array), z.string()]),
  /** Longest side of a small JPEG of it that is wanted, pixels; absent: none is. */
  thumbnailSide: z.number().int().positive().max(1024).optional(),
});
export type ToDecoder = z.infer<typeof toDecoderSchema>;

/** The decoder to main. `error` null: it decodes, and has this size as a person sees it, pixels. */
export const fromDecoderSchema = z.object({
  id: z.number().int(),
  width: z.number().int(),
  height: z.number().int(),
  error: wireErrorSchema.nullable(),
  /** JPEG, where one was asked for. */
  thumbnail: z.custom<Uint8Array>((value) => value instanceof Uint8Array).optional(),
});
export type FromDecoder = z.infer<typeof fromDecoderSchema>;

/** Exit code of a decoder that needed more memory than a picture may. */
export const decoderOutOfMemory = 77;
