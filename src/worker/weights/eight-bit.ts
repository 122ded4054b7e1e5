/**
 * Weights of a matrix folded to signed 8-bit numbers with one scale for each output feature: what the processors' 8-bit
 * products take. Made from blocks of few bits as they are loaded, never stored.
 */
import { allHalves } from './convert.ts';
import type { QuantisedMatrix } from './quantise.ts';

/** A matrix for 8-bit products. */
export interface EightBitMatrix {
  /** [k, n]: a row for each input feature. */
  readonly weights: Int8Array;
  /** [n]: what a weight is multiplied by. */
  readonly scales: Float32Array;
}

/** Output features that are turned at once: their lines stay in the processor's cache. */
const turnedRows = 64;
const top = 127;

/**
 * Folds a matrix [n, k] of blocks into 8-bit numbers: weight / scale of its row, rounded. The scale makes the largest
 * number that a row's blocks can hold 127. A 4-bit step is many 8-bit ones, so that what rounding adds is small beside
 * what the blocks had cost.
 */
export function foldToEightBits(matrix: QuantisedMatrix): EightBitMatrix {
  return foldRows(
    matrix,
    (row) => largestOf(matrix, row),
    (row, stretch, values) => foldRow(matrix, row, stretch, values),
  );
}

/** Folds plain numbers [n, k]: the scale makes the largest of a row 127. */
export function foldFloats(floats: Float32Array, n: number, k: number): EightBitMatrix {
  const rowOf = (row: number): Float32Array => floats.subarray(row * k, (row + 1) * k);
  return foldRows(
    { n, k },
    (row) => rowOf(row).reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    (row, stretch, values) => {
      const from = rowOf(row);
      // Rounds to the nearest: what is added makes all positive, so that cutting off is rounding down.
      for (let i = 0; i < k; i += 1) values[i] = ((from[i]! * stretch + 128.5) | 0) - 128;
    },
  );
}

/** @param fold writes a row's numbers, multiplied by `stretch` and rounded */
function foldRows(
  { n, k }: Pick<QuantisedMatrix, 'n' | 'k'>,
  largestOfRow: (row: number) => number,
  fold: (row: number, stretch: number, values: Int8Array) => void,
): EightBitMatrix {
  const weights = new Int8Array(k * n);
  const scales = new Float32Array(n);
  const rows = new Int8Array(turnedRows * k);
  for (let first = 0; first < n; first += turnedRows) {
    const count = Math.min(turnedRows, n - first);
    for (let row = 0; row < count; row += 1) {
      const largest = largestOfRow(first + row);
      scales[first + row] = largest / top;
      fold(first + row, largest === 0 ? 0 : top / largest, rows.subarray(row * k, (row + 1) * k));
    }
    turn(rows, count, k, weights, n, first);
  }
  return { weights, scales };
}

/** Writes rows [count, k] as the columns from `first` of weights [k, n]. */
function turn(
  rows: Int8Array,
  count: number,
  k: number,
  weights: Int8Array,
  n: number,
  first: number,
): void {
  for (let i = 0; i < k; i += 1) {
    let to = i * n + first;
    for (let from = i; from < count * k; from += k) {
      weights[to] = rows[from]!;
      to += 1;
    }
  }
}

function zeroOf(
  { bits, zeros, k, blockSize }: QuantisedMatrix,
  row: number,
  block: number,
): number {
  const blocks = Math.ceil(k / blockSize);
  if (bits === 8) return zeros[row * blocks + block]!;
  const byte = zeros[row * Math.ceil(blocks / 2) + (block >> 1)]!;
  return (byte >> (4 * (block & 1))) & 15;
}

/** The largest magnitude that a code of a row can stand for. */
function largestOf(matrix: QuantisedMatrix, row: number): number {
  const { k, bits, blockSize, scales } = matrix;
  const blocks = Math.ceil(k / blockSize);
  const halves = allHalves();
  const highest = 2 ** bits - 1;
  let largest = 0;
  for (let block = 0; block < blocks; block += 1) {
    const zero = zeroOf(matrix, row, block);
    const steps = Math.max(zero, highest - zero);
    largest = Math.max(largest, steps * Math.abs(halves[scales[row * blocks + block]!]!));
  }
  return largest;
}

/** One row's 8-bit numbers, into `values`. */
function foldRow(matrix: QuantisedMatrix, row: number, stretch: number, values: Int8Array): void {
  const { k, bits, blockSize, quantised, scales } = matrix;
  const blocks = Math.ceil(k / blockSize);
  const halves = allHalves();
  let byte = (row * blocks * blockSize * bits) / 8;
  for (let block = 0; block < blocks; block += 1) {
    const step = halves[scales[row * blocks + block]!]! * stretch;
    // Rounds to the nearest: what is added makes all positive, so that cutting off is rounding down.
    const offset = 128.5 - zeroOf(matrix, row, block) * step;
    const start = block * blockSize;
    const end = Math.min(start + blockSize, k);
    if (bits === 8) {
      for (let i = start; i < end; i += 1) {
        values[i] = ((quantised[byte + i - start]! * step + offset) | 0) - 128;
      }
    } else {
      for (let i = start, at = byte; i < end; i += 2, at += 1) {
        const both = quantised[at]!;
        values[i] = (((both & 15) * step + offset) | 0) - 128;
        values[i + 1] = (((both >> 4) * step + offset) | 0) - 128;
      }
    }
    byte += (blockSize * bits) / 8;
  }
}
