import { float32Tensor, RuntimeError, type Session } from '../../runtime/index.ts';
import { planeSizes, runFloats, type FloatTensor } from '../network.ts';

/** Latents of more than this many positions are decoded in tiles: a 1024 x 1024 picture still goes in one piece. */
const largestWhole = 128 * 128;
/** Side of a tile and how far neighbours overlap, in latent positions. */
const tileSide = 96;
const tileOverlap = 24;

/** The largest latents that are decoded at once for a picture whose latents have these sides. */
export function largestTile({
  height,
  width,
}: {
  readonly height: number;
  readonly width: number;
}) {
  if (height * width <= largestWhole) return { height, width };
  return { height: Math.min(height, tileSide), width: Math.min(width, tileSide) };
}

/** latents [1, channels, height, width], not divided by the scaling factor -> image [1, 3, height, width], -1 to 1. */
export async function decodeLatents(
  decoder: Session,
  latents: FloatTensor,
  scalingFactor: number,
  options: { readonly tile?: boolean; readonly betweenTiles?: () => Promise<void> } = {},
): Promise<FloatTensor> {
  const scaled = {
    dims: latents.dims,
    data: latents.data.map((value) => value / scalingFactor),
  };
  const { height, width } = planeSizes(latents);
  const tile = options.tile ?? height * width > largestWhole;
  if (!tile) return decodeOne(decoder, scaled);
  return decodeTiles(decoder, scaled, options.betweenTiles ?? (async () => {}));
}

async function decodeOne(decoder: Session, latents: FloatTensor): Promise<FloatTensor> {
  const feeds = { latents: float32Tensor(latents.data, latents.dims) };
  return (await runFloats(decoder, feeds, ['image'])).image;
}

/**
 * Decodes overlapping tiles and blends them by weights that fall linearly towards a tile's inner edges. Memory stays
 * that of one tile; the seams differ slightly from the whole, since group norms see a tile at a time.
 */
async function decodeTiles(
  decoder: Session,
  latents: FloatTensor,
  betweenTiles: () => Promise<void>,
): Promise<FloatTensor> {
  const { height, width } = planeSizes(latents);
  const rows = tileStarts(height);
  const columns = tileStarts(width);
  let canvas: Canvas | null = null;
  for (const top of rows) {
    for (const left of columns) {
      await betweenTiles();
      const tile = crop(latents, top, left, Math.min(tileSide, height), Math.min(tileSide, width));
      const image = await decodeOne(decoder, tile);
      const scale = planeSizes(image).height / planeSizes(tile).height;
      canvas ??= newCanvas(height * scale, width * scale);
      paint(canvas, image, top * scale, left * scale, tileOverlap * scale);
    }
  }
  if (canvas === null) throw new RuntimeError(`latents of ${height} x ${width} have no tiles`);
  return finished(canvas);
}

/** Where tiles begin along a side: evenly apart by at most a tile less its overlap. */
function tileStarts(length: number): number[] {
  if (length <= tileSide) return [0];
  const count = Math.ceil((length - tileOverlap) / (tileSide - tileOverlap));
  return Array.from({ length: count }, (_, index) =>
    Math.round(((length - tileSide) * index) / (count - 1)),
  );
}

function crop(
  tensor: FloatTensor,
  top: number,
  left: number,
  cropHeight: number,
  cropWidth: number,
): FloatTensor {
  const { channels, height, width } = planeSizes(tensor);
  const data = new Float32Array(channels * cropHeight * cropWidth);
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < cropHeight; y++) {
      const from = (channel * height + top + y) * width + left;
      data.set(
        tensor.data.subarray(from, from + cropWidth),
        (channel * cropHeight + y) * cropWidth,
      );
    }
  }
  return { dims: [1, channels, cropHeight, cropWidth], data };
}

interface Canvas {
  readonly height: number;
  readonly width: number;
  /** Weighted colours [3, height, width]. */
  readonly sums: Float32Array;
  /** Weights [height, width]. */
  readonly weights: Float32Array;
}

function newCanvas(height: number, width: number): Canvas {
  const plane = height * width;
  return { height, width, sums: new Float32Array(3 * plane), weights: new Float32Array(plane) };
}

function paint(
  canvas: Canvas,
  image: FloatTensor,
  top: number,
  left: number,
  overlap: number,
): void {
  const { height, width } = planeSizes(image);
  const plane = canvas.height * canvas.width;
  for (let y = 0; y < height; y++) {
    const vertical = edgeWeight(y, height, overlap);
    for (let x = 0; x < width; x++) {
      const weight = vertical * edgeWeight(x, width, overlap);
      const at = (top + y) * canvas.width + left + x;
      canvas.weights[at]! += weight;
      for (let channel = 0; channel < 3; channel++) {
        canvas.sums[channel * plane + at]! +=
          weight * image.data[(channel * height + y) * width + x]!;
      }
    }
  }
}

/** 1 in the middle, falling over `overlap` pixels towards either end, never 0. */
function edgeWeight(at: number, length: number, overlap: number): number {
  return Math.min(1, (Math.min(at, length - 1 - at) + 1) / (overlap + 1));
}

function finished({ height, width, sums, weights }: Canvas): FloatTensor {
  const plane = height * width;
  return {
    dims: [1, 3, height, width],
    data: sums.map((sum, index) => sum / weights[index % plane]!),
  };
}
