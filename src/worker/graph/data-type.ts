/**
 * Element types of tensors, with their ONNX codes and sizes.
 * Source of the codes: onnx.proto, TensorProto.DataType.
 */

const table = {
  float32: { code: 1, bits: 32 },
  uint8: { code: 2, bits: 8 },
  int8: { code: 3, bits: 8 },
  int32: { code: 6, bits: 32 },
  int64: { code: 7, bits: 64 },
  bool: { code: 9, bits: 8 },
  float16: { code: 10, bits: 16 },
  float64: { code: 11, bits: 64 },
  bfloat16: { code: 16, bits: 16 },
} as const satisfies Record<string, { code: number; bits: number }>;

/** An element type, named as in most array libraries. */
export type DataType = keyof typeof table;

/** The number ONNX uses for an element type. */
export function onnxCode(dtype: DataType): number {
  return table[dtype].code;
}

/** Bytes of `count` elements. */
export function byteLength(dtype: DataType, count: number): number {
  return (table[dtype].bits / 8) * count;
}

/** True for the floating-point types. */
export function isFloat(dtype: DataType): boolean {
  return dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16' || dtype === 'float64';
}
