import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../base/json-file.ts';
import { pictureLimits } from '../../shared/domain/picture.ts';
import { StudioError } from '../../shared/errors.ts';
import { askCodec } from './picture-codec.ts';
import { resizeImage, type ResizeKernel, type RgbImage } from './resize.ts';

/** A picture's file, read once: its bytes and the name that its embedding is kept under. */
export interface PictureFile {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes, lower-case hexadecimal. */
  readonly hash: string;
}

/** @throws StudioError `bad-input` for a missing or too large file, naming it and the limit */
export async function readPicture(path: string): Promise<PictureFile> {
  try {
    const stats = await stat(path);
    // A pipe would be waited for.
    if (!stats.isFile()) throw new Error('it is not a file');
    const { size } = stats;
    if (size > pictureLimits.maxBytes) {
      throw new StudioError(
        'bad-input',
        `${path}: the picture has ${size} bytes, the limit is ${pictureLimits.maxBytes}`,
      );
    }
    const bytes = await readFile(path);
    return { bytes, hash: createHash('sha256').update(bytes).digest('hex') };
  } catch (error) {
    if (error instanceof StudioError) throw error;
    throw new StudioError('bad-input', `${path}: the picture cannot be read`, { cause: error });
  }
}

/**
 * Decodes a picture as a person sees it: turned by its EXIF orientation, transparent parts on white, the first frame
 * of an animation, 16 bits cut to 8, CMYK by Pillow's formula, colour profiles not applied. The trainer decodes by the
 * same rule (images.py, `to_rgb`); test/fixtures/pixels holds the cases for both.
 * @throws StudioError `bad-input` for anything that is not a whole picture within the limits; `cancelled` as soon as
 * the signal says so, which ends the work; `unsupported` where nothing can be decoded here
 */
export async function decodeImage(
  bytes: Uint8Array,
  name = 'picture',
  signal?: AbortSignal,
): Promise<RgbImage> {
  const answer = await askCodec({ kind: 'pixels', bytes, name }, signal);
  const { width, height, bytes: data } = answer;
  return { width, height, data };
}

/** Decodes a picture to its end and keeps nothing. @throws StudioError as `decodeImage` */
export async function checkImage(
  bytes: Uint8Array,
  name: string,
): Promise<{ readonly width: number; readonly height: number }> {
  return askCodec({ kind: 'check', bytes, name });
}

/** How a picture becomes the vision network's input. */
export interface ImageProcessor {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly kernel: ResizeKernel;
  readonly rescaleFactor: number;
  readonly mean: readonly [number, number, number];
  readonly standardDeviation: readonly [number, number, number];
}

const threeNumbers = z.tuple([z.number(), z.number(), z.number()]);
const positive = z.number().int().positive().max(4096);
const processorSchema = z.looseObject({
  do_resize: z.literal(true).default(true),
  size: z.union([positive, z.object({ height: positive, width: positive })]),
  /** PIL's numbers: 2 bilinear, 3 bicubic. */
  resample: z.union([z.literal(2), z.literal(3)]).default(3),
  do_rescale: z.boolean().default(true),
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  do_normalize: z.boolean().default(true),
  // OPENAI_CLIP_MEAN and OPENAI_CLIP_STD: BLIP-2's (`textbind.md` section 1).
  image_mean: threeNumbers.default([0.48145466, 0.4578275, 0.40821073]),
  image_std: threeNumbers.default([0.26862954, 0.26130258, 0.27577711]),
  // BLIP-2's processor crops nothing; one that does would see other pixels than we give it.
  do_center_crop: z.literal(false).nullish(),
  do_pad: z.literal(false).nullish(),
});

/** @throws StudioError `model-invalid` naming the file and the field */
export function openImageProcessor(folder: string): ImageProcessor {
  const file = join(folder, 'preprocessor_config.json');
  const config = readJsonFile(file, processorSchema, 'model-invalid');
  const size =
    typeof config.size === 'number' ? { width: config.size, height: config.size } : config.size;
  return {
    ...size,
    kernel: config.resample === 2 ? 'bilinear' : 'bicubic',
    rescaleFactor: config.do_rescale ? config.rescale_factor : 1,
    mean: config.do_normalize ? config.image_mean : [0, 0, 0],
    standardDeviation: config.do_normalize ? config.image_std : [1, 1, 1],
  };
}

/** `pixel_values` [1, 3, height, width] of a picture: resized, scaled and normalised. */
export function pixelValues(image: RgbImage, processor: ImageProcessor): Float32Array {
  const { width, height, kernel, rescaleFactor, mean, standardDeviation } = processor;
  const { data } = resizeImage(image, width, height, kernel);
  const plane = width * height;
  const values = new Float32Array(3 * plane);
  for (let channel = 0; channel < 3; channel++) {
    for (let pixel = 0; pixel < plane; pixel++) {
      const scaled = data[pixel * 3 + channel]! * rescaleFactor;
      values[channel * plane + pixel] = (scaled - mean[channel]!) / standardDeviation[channel]!;
    }
  }
  return values;
}

/** A JPEG of a picture, its longest side at most `side` pixels, beside the picture's own size. @throws as `decodeImage` */
export function makeThumbnail(
  bytes: Uint8Array,
  name: string,
  side: number,
): Promise<{
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}> {
  return askCodec({ kind: 'thumbnail', bytes, name, side });
}

/**
 * A PNG of `image` [3, height, width] with values from -1 to 1, as a VAE decodes it.
 * @param options.maxSize longest side of the PNG, pixels: for previews
 */
export async function encodePng(
  image: Float32Array,
  width: number,
  height: number,
  options: { readonly maxSize?: number } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const plane = width * height;
  const data = new Uint8Array(plane * 3);
  for (let channel = 0; channel < 3; channel++) {
    for (let pixel = 0; pixel < plane; pixel++) {
      const unit = Math.min(Math.max(image[channel * plane + pixel]! / 2 + 0.5, 0), 1);
      data[pixel * 3 + channel] = Math.round(unit * 255);
    }
  }
  const drawing = { width, height, data };
  return (await askCodec({ kind: 'png', image: drawing, maxSide: options.maxSize ?? null })).bytes;
}
