/** Drawing that starts from a picture instead of from noise alone (image-to-image). */
import { StudioError } from '../../../shared/errors.ts';
import { decodeImage, readPicture } from '../../inputs/image.ts';
import { resizeImage, type RgbImage } from '../../inputs/resize.ts';
import { float32Tensor, type Session } from '../../runtime/index.ts';
import { runFloats, type FloatTensor } from '../network.ts';

/** A picture that a drawing starts from. */
export interface StartPicture {
  /** [1, 3, height, width], -1 to 1, of the size that is drawn. */
  readonly image: FloatTensor;
  /** Above 0, at most 1: the share of the steps that are gone through, so how far the drawing may leave the picture. */
  readonly strength: number;
}

/** The first step that is gone through of `count`; diffusers' `get_timesteps`, but never without a step. */
export function firstStep(count: number, strength: number): number {
  return count - Math.min(Math.max(Math.trunc(count * strength), 1), count);
}

/** image [1, 3, height, width] -> latents [1, channels, height / scale, width / scale], as a UNet sees them. */
export async function encodeStart(
  encoder: Session,
  image: FloatTensor,
  scalingFactor: number,
): Promise<FloatTensor> {
  const feeds = { image: float32Tensor(image.data, image.dims) };
  const { latents } = await runFloats(encoder, feeds, ['latents']);
  return { dims: latents.dims, data: latents.data.map((value) => value * scalingFactor) };
}

/**
 * A picture's file as a drawing of this size starts from it: scaled until it covers the size, its middle kept.
 *
 * @throws StudioError `bad-input` for what is no picture
 */
export async function readStartImage(
  path: string,
  { width, height }: { readonly width: number; readonly height: number },
  signal?: AbortSignal,
): Promise<FloatTensor> {
  const { bytes } = await readPicture(path);
  return coverOf(await decodeImage(bytes, path, signal), width, height);
}

/** The middle of a picture that was scaled until it covers width x height, as [1, 3, height, width], -1 to 1. */
export function coverOf(picture: RgbImage, width: number, height: number): FloatTensor {
  if (picture.width < 1 || picture.height < 1) {
    throw new StudioError('bad-input', 'the picture to start from is empty');
  }
  const factor = Math.max(width / picture.width, height / picture.height);
  const [wide, high] = [
    Math.max(width, Math.round(picture.width * factor)),
    Math.max(height, Math.round(picture.height * factor)),
  ];
  const scaled = resizeImage(picture, wide, high);
  const [left, top] = [Math.floor((wide - width) / 2), Math.floor((high - height) / 2)];
  const plane = width * height;
  const data = new Float32Array(3 * plane);
  for (let at = 0; at < plane; at += 1) {
    const [x, y] = [at % width, Math.floor(at / width)];
    const from = 3 * ((top + y) * wide + left + x);
    for (let channel = 0; channel < 3; channel += 1) {
      data[channel * plane + at] = (scaled.data[from + channel] ?? 0) / 127.5 - 1;
    }
  }
  return { dims: [1, 3, height, width], data };
}
