import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Metadata } from 'sharp';
import { z } from 'zod';
import { readJsonFile } from '../../base/json-file.ts';
import { pictureLimits, sizeFault } from '../../shared/domain/picture.ts';
import { StudioError } from '../../shared/errors.ts';
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
 * the signal says so, while the decoder's thread ends its work within its own limits
 */
export async function decodeImage(
  bytes: Uint8Array,
  name = 'picture',
  signal?: AbortSignal,
): Promise<RgbImage> {
  if (signal === undefined) return decodeWhole(bytes, name);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new StudioError('cancelled', 'Stopped.'));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const done = (): void => signal.removeEventListener('abort', onAbort);
    decodeWhole(bytes, name).then(resolve, reject).finally(done);
  });
}

/** The longest that one picture is decoded, seconds. */
const decodeLimitSeconds = 30;

async function decodeWhole(bytes: Uint8Array, name: string): Promise<RgbImage> {
  const { space } = await checkHeader(bytes, name);
  try {
    const picture = sharp(bytes, decodeOptions)
      .timeout({ seconds: decodeLimitSeconds })
      .autoOrient();
    const pixels =
      space === 'cmyk'
        ? picture.pipelineColourspace('cmyk').toColourspace('cmyk')
        : picture.toColourspace('srgb');
    const { data, info } = await pixels
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const rgb = space === 'cmyk' ? rgbOfCmyk(data) : onWhite(data, info.channels);
    return { width: info.width, height: info.height, data: rgb };
  } catch (error) {
    throw undecodable(name, error);
  }
}

/** Ink to light without a profile, in whole numbers as Pillow's `cmyk2rgb`: light left by black, less what a colour takes. */
function rgbOfCmyk(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((cmyk.length / 4) * 3);
  for (let from = 0, to = 0; from < cmyk.length; from += 4, to += 3) {
    const light = 255 - cmyk[from + 3]!;
    for (let channel = 0; channel < 3; channel += 1) {
      const product = cmyk[from + channel]! * light + 128;
      rgb[to + channel] = Math.max(light - (((product >> 8) + product) >> 8), 0);
    }
  }
  return rgb;
}

// 'error', not 'truncated': half a picture must not be taken for a whole one.
const decodeOptions = {
  limitInputPixels: pictureLimits.maxPixels,
  failOn: 'error',
  pages: 1,
  // A profile is not applied: BLIP-2's processor applies none, and models are trained on what it sees.
  ignoreIcc: true,
} as const;

/** A picture's size before anything is decoded: a few bytes can stand for gigabytes. */
async function checkHeader(bytes: Uint8Array, name: string): Promise<Metadata> {
  let header: Metadata;
  try {
    header = await sharp(bytes, { ...decodeOptions, limitInputPixels: false }).metadata();
  } catch (error) {
    throw undecodable(name, error);
  }
  const { width, height, format } = header;
  if (!formats.has(format)) {
    throw undecodable(name, `a ${format} file; PNG, JPEG, WebP, GIF and AVIF can be read`);
  }
  const fault = sizeFault(width, height, format === 'heif');
  if (fault !== null) throw new StudioError('bad-input', `${name}: it ${fault}`);
  return header;
}

/** By sharp's names; it knows AVIF as a HEIF file. Others bring decoders that nobody asked for, as SVG's or PDF's. */
const formats: ReadonlySet<string> = new Set(['png', 'jpeg', 'webp', 'gif', 'heif']);

function undecodable(name: string, error: unknown): StudioError {
  // libvips gives every line that its decoders wrote; the first says it.
  const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
  return new StudioError('bad-input', `${name}: it cannot be decoded as a picture (${reason})`, {
    cause: error,
  });
}

/**
 * Light on white by its opacity, rounded down. Not by libvips, which does it with 16 bits where a picture has them.
 * @param channels 1: grey, 2: grey and opacity, 3: RGB, 4: RGB and opacity
 */
function onWhite(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data;
  const hasOpacity = channels === 2 || channels === 4;
  const pixels = data.length / channels;
  const rgb = new Uint8Array(pixels * 3);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const from = pixel * channels;
    const opacity = hasOpacity ? data[from + channels - 1]! : 255;
    for (let channel = 0; channel < 3; channel++) {
      // Greyscale stays one channel through sharp's sRGB conversion of some files.
      const light = data[from + (channels < 3 ? 0 : channel)]!;
      rgb[pixel * 3 + channel] = Math.floor((light * opacity + 255 * (255 - opacity)) / 255);
    }
  }
  return rgb;
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

/** A JPEG of a decoded picture whose longest side is at most `side` pixels. */
export async function encodeThumbnail(
  { data, width, height }: RgbImage,
  side: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const small = sharp(data, { raw: { width, height, channels: 3 } })
    .resize(side, side, { fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: 82 });
  return Uint8Array.from(await small.toBuffer());
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
  let picture = sharp(data, { raw: { width, height, channels: 3 } });
  if (options.maxSize !== undefined && Math.max(width, height) > options.maxSize) {
    picture = picture.resize(options.maxSize, options.maxSize, { fit: 'inside' });
  }
  // A copy: sharp's buffer may be part of a larger one, which a message would carry whole.
  return Uint8Array.from(await picture.png().toBuffer());
}
