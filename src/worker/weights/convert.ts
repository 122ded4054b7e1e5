/** Conversion between stored and computed number types. */
import type { DataType } from '../tensor/stored-tensor.ts';
import { halfFromNumber } from '../tensor/stored-tensor.ts';
import { WeightError } from './weight-error.ts';

const float = new DataView(new ArrayBuffer(4));

/** The number that half-precision bits stand for. */
export function numberFromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

/** The number that bfloat16 bits stand for: the upper half of a float32. */
export function numberFromBfloat(brain: number): number {
  float.setInt32(0, brain << 16);
  return float.getFloat32(0);
}

let halfTable: Float32Array | undefined;

/** All 65,536 halves by their bits: a look-up is several times faster than the arithmetic. */
export function allHalves(): Float32Array {
  halfTable ??= Float32Array.from({ length: 65536 }, (_, half) => numberFromHalf(half));
  return halfTable;
}

/** A copy of the bytes that starts at an address any typed array accepts. */
function aligned(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.byteOffset % size === 0 ? bytes : bytes.slice();
}

/**
 * Little-endian bytes of a floating type as float32.
 *
 * @throws WeightError for a type that is not floating point.
 */
export function toFloat32(dtype: DataType, bytes: Uint8Array): Float32Array {
  switch (dtype) {
    case 'float32': {
      const source = aligned(bytes, 4);
      return new Float32Array(source.buffer, source.byteOffset, source.length / 4);
    }
    case 'float64': {
      const source = aligned(bytes, 8);
      return Float32Array.from(
        new Float64Array(source.buffer, source.byteOffset, source.length / 8),
      );
    }
    case 'float16': {
      const source = aligned(bytes, 2);
      const table = allHalves();
      const words = new Uint16Array(source.buffer, source.byteOffset, source.length / 2);
      const result = new Float32Array(words.length);
      for (let i = 0; i < words.length; i += 1) result[i] = table[words[i]!]!;
      return result;
    }
    case 'bfloat16': {
      const source = aligned(bytes, 2);
      const words = new Uint16Array(source.buffer, source.byteOffset, source.length / 2);
      const result = new Uint32Array(words.length);
      for (let i = 0; i < words.length; i += 1) result[i] = words[i]! << 16;
      return new Float32Array(result.buffer);
    }
    case 'int8':
    case 'uint8':
    case 'int32':
    case 'int64':
    case 'bool':
      throw new WeightError(`${dtype} cannot be read as floating point`);
    default:
      return dtype satisfies never;
  }
}

/** float32 as half-precision bits, rounded to the nearest. */
export function toHalf(values: Float32Array): Uint16Array {
  const result = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i += 1) result[i] = halfFromNumber(values[i]!);
  return result;
}
