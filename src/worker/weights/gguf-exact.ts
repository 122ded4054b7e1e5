/**
 * Blocks of a GGUF file that are ours number for number: one scale and one whole zero point for 32 weights. Only where
 * codes and scales lie differs, so that nothing is rounded a second time.
 */
import type { BlockKind } from './gguf-blocks.ts';
import type { QuantisedMatrix } from './quantise.ts';

const blockSize = 32;
/** Bytes of a block's scale, which comes first. */
const scaleBytes = 2;

/** The fewest bits of our blocks that hold a kind exactly; undefined where they never do. */
export function exactBits({ name }: Pick<BlockKind, 'name'>): 4 | 8 | undefined {
  if (name === 'Q4_0') return 4;
  return name === 'Q8_0' ? 8 : undefined;
}

/**
 * A matrix [n, k] of such blocks in our layout.
 *
 * @param bytes as the file has them
 * @returns undefined for a kind that so many bits do not hold exactly
 */
export function exactBlocks(
  kind: BlockKind,
  bytes: Uint8Array,
  [n, k]: readonly [number, number],
  bits: 4 | 8,
): QuantisedMatrix | undefined {
  const fewest = exactBits(kind);
  if (fewest === undefined || bits < fewest) return undefined;
  const count = (n * k) / blockSize;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const quantised = new Uint8Array((n * k * bits) / 8);
  const scales = new Uint16Array(count);
  const copy = fewest === 8 ? copySigned : bits === 4 ? copyNibbles : widenNibbles;
  for (let block = 0, at = 0; block < count; block += 1, at += kind.bytes) {
    scales[block] = view.getUint16(at, true);
    copy(bytes, at + scaleBytes, quantised, (block * blockSize * bits) / 8);
  }
  const zeros = zeroPoints(n, k / blockSize, bits);
  return { n, k, bits, blockSize, quantised, scales, zeros };
}

type CopyCodes = (from: Uint8Array, at: number, to: Uint8Array, place: number) => void;

/** Q4_0 has weights 0 to 15 in the low halves of its bytes and 16 to 31 in the high ones; we have neighbours in a byte. */
const copyNibbles: CopyCodes = (from, at, to, place) => {
  for (let pair = 0; pair < 8; pair += 1) {
    const even = from[at + 2 * pair] ?? 0;
    const odd = from[at + 2 * pair + 1] ?? 0;
    to[place + pair] = (even & 15) | ((odd & 15) << 4);
    to[place + 8 + pair] = (even >> 4) | (odd & 0xf0);
  }
};

/** Codes of 4 bits about 8 as codes of 8 bits about 128. */
const widenNibbles: CopyCodes = (from, at, to, place) => {
  for (let index = 0; index < 16; index += 1) {
    const both = from[at + index] ?? 0;
    to[place + index] = (both & 15) + 120;
    to[place + 16 + index] = (both >> 4) + 120;
  }
};

/** Signed codes as unsigned ones about 128. */
const copySigned: CopyCodes = (from, at, to, place) => {
  for (let index = 0; index < blockSize; index += 1) {
    to[place + index] = (from[at + index] ?? 0) ^ 0x80;
  }
};

/** The middle of the codes for every block of a row; half a byte that no block has is zero, as quantising leaves it. */
function zeroPoints(n: number, blocks: number, bits: 4 | 8): Uint8Array {
  const row = Math.ceil((blocks * bits) / 8);
  const zeros = new Uint8Array(n * row).fill(bits === 8 ? 0x80 : 0x88);
  if (bits === 4 && blocks % 2 === 1) {
    for (let last = row - 1; last < zeros.length; last += row) zeros[last] = 0x08;
  }
  return zeros;
}
