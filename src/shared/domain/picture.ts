import { z } from 'zod';

/** Media types that a person may bring in. Drawn pictures are always PNG. */
export const pictureMediaTypes = [
  'image/png',
  'image/jpeg',
  'image/webp',
  'image/gif',
  'image/avif',
] as const;

/**
 * Limits on a picture that a person brings in: bytes of the file, pixels of one side, and pixels once decoded. AVIF's
 * decoder holds some 20 bytes a pixel where the others hold 4 to 16.
 */
export const pictureLimits = {
  maxBytes: 64 * 1024 * 1024,
  maxSide: 16_384,
  maxPixels: 64_000_000,
  maxAvifPixels: 32_000_000,
} as const;

/** A process that decodes pictures ends itself beyond this. Within the limits above a test holds it under 1.2 GB. */
export const decoderMemory = { mostBytes: 1_600_000_000, lookMs: 20 } as const;

/** What is wrong with a picture's size, as the end of a sentence; null where it is within the limits. */
export function sizeFault(width: number, height: number, isAvif: boolean): string | null {
  const { maxSide, maxPixels, maxAvifPixels } = pictureLimits;
  const size = `has ${width} x ${height} pixels`;
  if (Math.max(width, height) > maxSide) return `${size}; a side has at most ${maxSide}`;
  const most = isAvif ? maxAvifPixels : maxPixels;
  if (width * height <= most) return null;
  return `${size}; the most ${isAvif ? 'in an AVIF file ' : ''}is ${most / 1e6} million`;
}

/** What a drawn picture was drawn from, so that it can be redrawn exactly. */
export const pictureRecipeSchema = z.object({
  seed: z.number().int().nonnegative().max(0xffff_ffff),
  steps: z.number().int().positive(),
  guidance: z.number(),
  /** Name of the model (its textbind.json), e.g. `TextBind mini`. */
  model: z.string(),
  /** What the picture was to be unlike; absent where nothing was said. */
  negative: z.string().optional(),
  /** Where it was drawn from another picture: the share of the steps that were gone through; absent where from noise. */
  strength: z.number().gt(0).max(1).optional(),
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
  /** Null for a person's own picture, unless its file carried one. */
  recipe: pictureRecipeSchema.nullable(),
  /** The name of the file that a person brought it in; absent where it had none. */
  name: z.string().optional(),
  /** What a person says it shows, for who cannot see it; absent: its caption or its name must do. */
  alt: z.string().optional(),
  /** Absent: it is none. */
  favourite: z.boolean().optional(),
});
export type Picture = z.infer<typeof pictureSchema>;

/** Most characters of what a person says of a picture. */
export const mostAltCharacters = 1000;

/** What a person may change of a picture; what is left out stays. An empty `alt` takes it away. */
export const pictureChangeSchema = z
  .object({ alt: z.string().trim().max(mostAltCharacters), favourite: z.boolean() })
  .partial();
export type PictureChange = z.infer<typeof pictureChangeSchema>;

/** What stands for a picture where it is not seen: a person's words, its caption, or its file's name. */
export function altOf(picture: Pick<Picture, 'alt' | 'caption' | 'name'>): string | null {
  const { alt, caption, name } = picture;
  return [alt, caption, name].find((words) => (words ?? '').trim() !== '') ?? null;
}
