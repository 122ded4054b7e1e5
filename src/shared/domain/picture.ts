import { z } from 'zod';

/** Media types that a person may bring in. Drawn pictures are always PNG. */
export const pictureMediaTypes = [
  'image/png',
  'image/jpeg',
  'image/webp',
  'image/gif',
  'image/avif',
] as const;

/** Limits on a picture that a person brings in: bytes of the file, and pixels once decoded. */
export const pictureLimits = { maxBytes: 64 * 1024 * 1024, maxPixels: 100_000_000 } as const;

/** What a drawn picture was drawn from, so that it can be redrawn exactly. */
export const pictureRecipeSchema = z.object({
  seed: z.number().int().nonnegative().max(0xffff_ffff),
  steps: z.number().int().positive(),
  guidance: z.number(),
  /** Name of the model (its textbind.json), e.g. `TextBind mini`. */
  model: z.string(),
});
export type PictureRecipe = z.infer<typeof pictureRecipeSchema>;

/** One stored picture. Its bytes are the file named by `hash`; several pictures may share one file. */
export const pictureSchema = z.object({
  id: z.uuid(),
  /** SHA-256 of the file's bytes, lower-case hexadecimal. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  mediaType: z.enum(pictureMediaTypes),
  /** Pixels. */
  width: z.number().int().positive(),
  /** Pixels. */
  height: z.number().int().positive(),
  bytes: z.number().int().positive(),
  origin: z.enum(['user', 'drawn']),
  /** The caption it was drawn from, or what a person says it shows. */
  caption: z.string().nullable(),
  /** Null for a person's own picture. */
  recipe: pictureRecipeSchema.nullable(),
});
export type Picture = z.infer<typeof pictureSchema>;
