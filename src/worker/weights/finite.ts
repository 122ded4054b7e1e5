import type { DataType } from '../tensor/stored-tensor.ts';

/** The bits of the exponent, all set in infinities and NaN, and the width of a number in bytes. */
const exponents: Partial<Record<DataType, { readonly mask: number; readonly bytes: 2 | 4 }>> = {
  float16: { mask: 0x7c00, bytes: 2 },
  bfloat16: { mask: 0x7f80, bytes: 2 },
  float32: { mask: 0x7f800000, bytes: 4 },
};

/** Index of the first number that is infinite or not a number among little-endian bytes; -1 where all are finite. */
export function firstNotFinite(dtype: DataType, bytes: Uint8Array): number {
  const kind = exponents[dtype];
  if (kind === undefined) return -1;
  const { mask } = kind;
  const whole = bytes.byteOffset % kind.bytes === 0 ? bytes : bytes.slice();
  const count = Math.floor(whole.length / kind.bytes);
  const words =
    kind.bytes === 2
      ? new Uint16Array(whole.buffer, whole.byteOffset, count)
      : new Uint32Array(whole.buffer, whole.byteOffset, count);
  for (let index = 0; index < words.length; index += 1) {
    if ((words[index]! & mask) === mask) return index;
  }
  return -1;
}
