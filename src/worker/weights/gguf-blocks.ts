/**
 * Blocks of few bits as GGUF files hold them, turned into single precision: operation by operation as llama.cpp's
 * reference does (ggml-quants.c, dequantize_row_*), each rounded to float32.
 */
import { numberFromBfloat, numberFromHalf } from './convert.ts';

/** One kind of block: how many numbers in how many bytes, and what they are. */
export interface BlockKind {
  readonly name: string;
  readonly count: number;
  readonly bytes: number;
  /** Writes a block's numbers to `out` from `to`; the block begins at `at`. */
  readonly read: (block: DataView, at: number, out: Float32Array, to: number) => void;
}

const { fround } = Math;
const half = (view: DataView, at: number): number => numberFromHalf(view.getUint16(at, true));

function simple(
  name: string,
  bytes: number,
  read: (view: DataView, at: number) => number,
): BlockKind {
  return { name, count: 1, bytes, read: (view, at, out, to) => (out[to] = read(view, at)) };
}

/** Two numbers of 4 bits a byte, the low ones first 16 of a block; `high` adds a fifth bit, `step` makes the number. */
function readNibbles(
  view: DataView,
  at: number,
  out: Float32Array,
  to: number,
  high: number,
  number: (code: number) => number,
): void {
  for (let i = 0; i < 16; i += 1) {
    const byte = view.getUint8(at + i);
    out[to + i] = number((byte & 15) | (((high >>> i) & 1) << 4));
    out[to + i + 16] = number((byte >> 4) | (((high >>> (i + 16)) & 1) << 4));
  }
}

/** Scale and minimum `index` of the eight that Q4_K and Q5_K pack into 12 bytes of 6 bits. */
function scaleAndMinimum(view: DataView, at: number, index: number): readonly [number, number] {
  const byte = (offset: number): number => view.getUint8(at + offset);
  if (index < 4) return [byte(index) & 63, byte(index + 4) & 63];
  return [
    (byte(index + 4) & 15) | ((byte(index - 4) >> 6) << 4),
    (byte(index + 4) >> 4) | ((byte(index) >> 6) << 4),
  ];
}

function readQ2K(view: DataView, at: number, out: Float32Array, to: number): void {
  const [d, least] = [half(view, at + 80), half(view, at + 82)];
  for (let i = 0; i < 256; i += 1) {
    const scale = view.getUint8(at + (i >> 4));
    const code = (view.getUint8(at + 16 + 32 * (i >> 7) + (i & 31)) >> (2 * ((i >> 5) & 3))) & 3;
    out[to + i] = fround(fround(d * (scale & 15)) * code) - fround(least * (scale >> 4));
  }
}

function readQ3K(view: DataView, at: number, out: Float32Array, to: number): void {
  const d = half(view, at + 108);
  for (let i = 0; i < 256; i += 1) {
    const group = i >> 4;
    const low = view.getUint8(at + 96 + (group & 7));
    const high = (view.getUint8(at + 104 + (group & 3)) >> (2 * (group >> 2))) & 3;
    const scale = ((group < 8 ? low & 15 : low >> 4) | (high << 4)) - 32;
    const code = (view.getUint8(at + 32 + 32 * (i >> 7) + (i & 31)) >> (2 * ((i >> 5) & 3))) & 3;
    const isHigh = (view.getUint8(at + (i & 31)) >> (i >> 5)) & 1;
    out[to + i] = fround(d * scale) * (code - (isHigh ? 0 : 4));
  }
}

/** Q4_K, and Q5_K where `highAt` says where the fifth bits lie. */
function readFourK(
  view: DataView,
  at: number,
  out: Float32Array,
  to: number,
  highAt?: number,
): void {
  const [d, least] = [half(view, at), half(view, at + 2)];
  const codesAt = highAt === undefined ? at + 16 : highAt + 32;
  for (let group = 0; group < 8; group += 1) {
    const [scale, minimum] = scaleAndMinimum(view, at + 4, group);
    const [step, below] = [fround(d * scale), fround(least * minimum)];
    for (let i = 0; i < 32; i += 1) {
      const byte = view.getUint8(codesAt + 32 * (group >> 1) + i);
      const high = highAt === undefined ? 0 : (view.getUint8(highAt + i) >> group) & 1;
      const code = (group & 1 ? byte >> 4 : byte & 15) | (high << 4);
      out[to + 32 * group + i] = fround(step * code) - below;
    }
  }
}

function readQ6K(view: DataView, at: number, out: Float32Array, to: number): void {
  const d = half(view, at + 208);
  for (let i = 0; i < 256; i += 1) {
    const [side, quarter, l] = [i >> 7, (i >> 5) & 3, i & 31];
    const byte = view.getUint8(at + 64 * side + 32 * (quarter & 1) + l);
    const high = (view.getUint8(at + 128 + 32 * side + l) >> (2 * quarter)) & 3;
    const code = ((quarter < 2 ? byte & 15 : byte >> 4) | (high << 4)) - 32;
    const scale = view.getInt8(at + 192 + 8 * side + 2 * quarter + (l >> 4));
    out[to + i] = fround(d * scale) * code;
  }
}

/** By ggml's number of the type (ggml.h, `enum ggml_type`). */
export const blockKinds: ReadonlyMap<number, BlockKind> = new Map<number, BlockKind>([
  [0, simple('F32', 4, (view, at) => view.getFloat32(at, true))],
  [1, simple('F16', 2, half)],
  [30, simple('BF16', 2, (view, at) => numberFromBfloat(view.getUint16(at, true)))],
  [
    2,
    {
      ...{ name: 'Q4_0', count: 32, bytes: 18 },
      read: (view, at, out, to) => {
        const d = half(view, at);
        readNibbles(view, at + 2, out, to, 0, (code) => (code - 8) * d);
      },
    },
  ],
  [
    3,
    {
      ...{ name: 'Q4_1', count: 32, bytes: 20 },
      read: (view, at, out, to) => {
        const [d, least] = [half(view, at), half(view, at + 2)];
        readNibbles(view, at + 4, out, to, 0, (code) => fround(code * d) + least);
      },
    },
  ],
  [
    6,
    {
      ...{ name: 'Q5_0', count: 32, bytes: 22 },
      read: (view, at, out, to) => {
        const d = half(view, at);
        const high = view.getUint32(at + 2, true);
        readNibbles(view, at + 6, out, to, high, (code) => (code - 16) * d);
      },
    },
  ],
  [
    7,
    {
      ...{ name: 'Q5_1', count: 32, bytes: 24 },
      read: (view, at, out, to) => {
        const [d, least] = [half(view, at), half(view, at + 2)];
        const high = view.getUint32(at + 4, true);
        readNibbles(view, at + 8, out, to, high, (code) => fround(code * d) + least);
      },
    },
  ],
  [
    8,
    {
      ...{ name: 'Q8_0', count: 32, bytes: 34 },
      read: (view, at, out, to) => {
        const d = half(view, at);
        for (let i = 0; i < 32; i += 1) out[to + i] = view.getInt8(at + 2 + i) * d;
      },
    },
  ],
  [10, { name: 'Q2_K', count: 256, bytes: 84, read: readQ2K }],
  [11, { name: 'Q3_K', count: 256, bytes: 110, read: readQ3K }],
  [12, { name: 'Q4_K', count: 256, bytes: 144, read: (...block) => readFourK(...block) }],
  [
    13,
    {
      ...{ name: 'Q5_K', count: 256, bytes: 176 },
      read: (view, at, out, to) => readFourK(view, at, out, to, at + 16),
    },
  ],
  [14, { name: 'Q6_K', count: 256, bytes: 210, read: readQ6K }],
]);

/** Whole blocks of one kind as float32. */
export function readBlocks(kind: BlockKind, bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks = Math.floor(bytes.length / kind.bytes);
  const out = new Float32Array(blocks * kind.count);
  for (let block = 0; block < blocks; block += 1) {
    kind.read(view, block * kind.bytes, out, block * kind.count);
  }
  return out;
}
