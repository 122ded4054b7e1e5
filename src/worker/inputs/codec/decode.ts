/** What libvips is asked. Only the thread without ways out loads this. */
import type { Metadata, Sharp } from 'sharp';
import { pictureLimits, sizeFault } from '../../../shared/domain/picture.ts';
import { StudioError, reasonOf } from '../../../shared/errors.ts';
import type { RgbImage } from '../resize.ts';
import { sharp } from './load-sharp.ts';

/** `decodeImage` of image.ts says what a picture's pixels are. */
export async function decode(bytes: Uint8Array, name: string): Promise<RgbImage> {
  const { space } = await checkHeader(bytes, name);
  const picture = sharp(bytes, decodeOptions).autoOrient();
  try {
    const { data, info } = await rawOf(picture, space);
    const { width, height } = info;
    return {
      width,
      height,
      data: space === 'cmyk' ? rgbOfCmyk(data) : onWhite(data, info.channels),
    };
  } catch (error) {
    throw undecodable(name, error);
  }
}

/** The size of a picture that decodes to its end. It is not turned: that costs as much again, and nobody looks at it. */
export async function check(
  bytes: Uint8Array,
  name: string,
): Promise<{ readonly width: number; readonly height: number }> {
  const { autoOrient, space } = await checkHeader(bytes, name);
  try {
    await rawOf(sharp(bytes, decodeOptions), space);
    return autoOrient;
  } catch (error) {
    throw undecodable(name, error);
  }
}

/** A JPEG whose longest side is at most `side` pixels. */
export async function encodeThumbnail(image: RgbImage, side: number): Promise<Uint8Array> {
  return rawPicture(image)
    .resize(side, side, { fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: 82 })
    .toBuffer();
}

/** A PNG, its longest side at most `maxSide` pixels. */
export async function encodePng(image: RgbImage, maxSide: number | null): Promise<Uint8Array> {
  const picture = rawPicture(image);
  const isLarge = maxSide !== null && Math.max(image.width, image.height) > maxSide;
  return (isLarge ? picture.resize(maxSide, maxSide, { fit: 'inside' }) : picture).png().toBuffer();
}

function rawPicture({ data, width, height }: RgbImage): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

function rawOf(picture: Sharp, space: Metadata['space']) {
  const pixels =
    space === 'cmyk'
      ? picture.pipelineColourspace('cmyk').toColourspace('cmyk')
      : picture.toColourspace('srgb');
  return pixels.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
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
  const [reason] = reasonOf(error).split('\n');
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
