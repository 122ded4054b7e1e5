/** Tensors as checkpoints store them: what `worker/weights` gives and `worker/graph` takes. */

const bitsOf = {
  float64: 64,
  float32: 32,
  float16: 16,
  bfloat16: 16,
  int64: 64,
  int32: 32,
  int8: 8,
  uint8: 8,
  bool: 8,
} as const;

/** An element type, named as in most array libraries. */
export type DataType = keyof typeof bitsOf;

/** Bytes of `count` elements. */
export function byteLength(dtype: DataType, count: number): number {
  return (bitsOf[dtype] / 8) * count;
}

/** True for the floating-point types. */
export function isFloat(dtype: DataType): boolean {
  return dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16' || dtype === 'float64';
}

/** Where the little-endian bytes of a stored tensor lie. */
export type TensorLocation =
  | {
      readonly kind: 'file';
      /** Relative to the source's folder, with forward slashes. */
      readonly file: string;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** A tensor of a checkpoint: what the file says about it. */
export interface StoredTensor {
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly location: TensorLocation;
}

/** A checkpoint, as far as a graph needs one. */
export interface WeightSource {
  /** What errors call it: its files. */
  readonly source?: string | undefined;
  find(name: string): StoredTensor | undefined;
  names(): Iterable<string>;
}

const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

/** The bits of the nearest half-precision number (ties to even). */
export function halfFromNumber(number: number): number {
  floatView[0] = number;
  const bits = bitsView[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // rounds to 65536 or more
  if (magnitude >= 0x38800000) {
    const rebiased = magnitude - 0x38000000;
    return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13);
  }
  if (magnitude <= 0x33000000) return sign; // at most half of the least subnormal
  const exponent = magnitude >>> 23;
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - exponent; // 14..24
  const half = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  return sign | (half + (rest > middle || (rest === middle && (half & 1) === 1) ? 1 : 0));
}
