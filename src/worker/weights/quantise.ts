/**
 * Weights in blocks of few bits, in the layout that ONNX Runtime's MatMulNBits and
 * GatherBlockQuantized read: value = (q - zero) * scale, one scale and zero a block of a row.
 */
import { halfFromNumber } from '../tensor/stored-tensor.ts';
import { numberFromHalf } from './convert.ts';

/** A matrix [n, k] in blocks along k. */
export interface QuantisedMatrix {
  readonly n: number;
  readonly k: number;
  readonly bits: 4 | 8;
  readonly blockSize: number;
  /** [n, blocks, blockSize * bits / 8]; of two 4-bit numbers in a byte the first is the low one. */
  readonly quantised: Uint8Array;
  /** Half precision, [n, blocks]. */
  readonly scales: Uint16Array;
  /** [n, ceil(blocks * bits / 8)] */
  readonly zeros: Uint8Array;
}

/** A block's scale (half-precision bits, and as a number) and its zero point. */
interface Fit {
  readonly half: number;
  readonly scale: number;
  readonly zero: number;
}

/**
 * Shares of the full range that are tried. Cutting the extremes off a little makes the steps finer
 * for all the rest; which share has the least squared error differs from block to block.
 */
const shares = [1, 0.95, 0.9, 0.85, 0.8];

function fitFor(low: number, high: number, top: number): Fit {
  const half = halfFromNumber((high - low) / top);
  const scale = numberFromHalf(half);
  if (scale === 0) return { half, scale, zero: 0 };
  return { half, scale, zero: Math.min(Math.max(Math.round(-low / scale), 0), top) };
}

function squaredError(
  weights: Float32Array,
  start: number,
  end: number,
  fit: Fit,
  top: number,
): number {
  const { scale, zero } = fit;
  const inverse = scale === 0 ? 0 : 1 / scale;
  let sum = 0;
  for (let i = start; i < end; i += 1) {
    const weight = weights[i]!;
    const q = Math.min(Math.max(Math.round(weight * inverse) + zero, 0), top);
    const error = weight - (q - zero) * scale;
    sum += error * error;
  }
  return sum;
}

function bestFit(weights: Float32Array, start: number, end: number, top: number): Fit {
  // Zero is always in the range: it must be exact, and the zero point lies within 0..top.
  let low = 0;
  let high = 0;
  for (let i = start; i < end; i += 1) {
    const weight = weights[i]!;
    if (weight < low) low = weight;
    if (weight > high) high = weight;
  }
  let best = fitFor(low, high, top);
  if (top > 15) return best; // with 8 bits the steps are fine enough
  let least = squaredError(weights, start, end, best, top);
  for (const share of shares.slice(1)) {
    const fit = fitFor(low * share, high * share, top);
    const error = squaredError(weights, start, end, fit, top);
    if (error < least) [least, best] = [error, fit];
  }
  return best;
}

/**
 * Quantises a matrix [n, k] (row-major) to 4 or 8 bits, asymmetric. The last block of a row may be
 * short; it is filled up with zeros.
 */
export function quantiseMatrix(
  weights: Float32Array,
  n: number,
  k: number,
  bits: 4 | 8,
  blockSize: number,
): QuantisedMatrix {
  const blocks = Math.ceil(k / blockSize);
  const blockBytes = (blockSize * bits) / 8;
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  const top = 2 ** bits - 1;
  const quantised = new Uint8Array(n * blocks * blockBytes);
  const scales = new Uint16Array(n * blocks);
  const zeros = new Uint8Array(n * zeroBytes);
  for (let row = 0; row < n; row += 1) {
    for (let block = 0; block < blocks; block += 1) {
      const start = row * k + block * blockSize;
      const end = Math.min(start + blockSize, (row + 1) * k);
      const { half, scale, zero } = bestFit(weights, start, end, top);
      const inverse = scale === 0 ? 0 : 1 / scale;
      const target = (row * blocks + block) * blockBytes;
      scales[row * blocks + block] = half;
      if (bits === 8) zeros[row * zeroBytes + block] = zero;
      else zeros[row * zeroBytes + (block >> 1)]! |= zero << (4 * (block & 1));
      for (let i = 0; i < blockSize; i += 1) {
        const weight = start + i < end ? weights[start + i]! : 0;
        const q = Math.min(Math.max(Math.round(weight * inverse) + zero, 0), top);
        if (bits === 8) quantised[target + i] = q;
        else quantised[target + (i >> 1)]! |= q << (4 * (i & 1));
      }
    }
  }
  return { n, k, bits, blockSize, quantised, scales, zeros };
}

/** The numbers [n, k] that a quantised matrix stands for. */
export function dequantiseMatrix(matrix: QuantisedMatrix): Float32Array {
  const { n, k, bits, blockSize, quantised, scales, zeros } = matrix;
  const blocks = Math.ceil(k / blockSize);
  const blockBytes = (blockSize * bits) / 8;
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  const result = new Float32Array(n * k);
  const nibble = (byte: number | undefined, index: number): number =>
    ((byte ?? 0) >> (4 * (index & 1))) & 15;
  for (let row = 0; row < n; row += 1) {
    for (let column = 0; column < k; column += 1) {
      const block = Math.floor(column / blockSize);
      const within = column - block * blockSize;
      const at = (row * blocks + block) * blockBytes;
      const zeroAt = row * zeroBytes;
      const q =
        bits === 8 ? (quantised[at + within] ?? 0) : nibble(quantised[at + (within >> 1)], within);
      const zero =
        bits === 8 ? (zeros[zeroAt + block] ?? 0) : nibble(zeros[zeroAt + (block >> 1)], block);
      result[row * k + column] = (q - zero) * numberFromHalf(scales[row * blocks + block] ?? 0);
    }
  }
  return result;
}
