/** ONNX's numbers for element types. Source: onnx.proto, TensorProto.DataType. */
import type { DataType } from '../tensor/stored-tensor.ts';

export type { DataType } from '../tensor/stored-tensor.ts';
export { byteLength, isFloat } from '../tensor/stored-tensor.ts';

const codes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
} as const satisfies Record<DataType, number>;

/** The number ONNX uses for an element type. */
export function onnxCode(dtype: DataType): number {
  return codes[dtype];
}
