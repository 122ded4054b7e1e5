/** Reading and writing weights. */
export type { Checkpoint } from './checkpoint.ts';
export {
  findTensor,
  openCheckpoint,
  readFloats,
  readPartOfTensor,
  readTensorBytes,
  renamed,
  withPrefix,
} from './checkpoint.ts';
export { numberFromBfloat, numberFromHalf, toFloat32, toHalf } from './convert.ts';
export type { SafetensorsHeader, SizedTensor, TensorEntry, TensorToWrite } from './safetensors.ts';
export {
  hasSafetensors,
  readSafetensorsHeader,
  safetensorsBytes,
  writeSafetensors,
} from './safetensors.ts';
export { WeightError } from './weight-error.ts';
export type { QuantisedMatrix } from './quantise.ts';
export { dequantiseMatrix, quantiseMatrix } from './quantise.ts';
export type { EightBitMatrix } from './eight-bit.ts';
export { foldFloats, foldToEightBits } from './eight-bit.ts';
export type { GgufFile, GgufTensor, GgufValue } from './gguf.ts';
export { isGguf, openGguf, readGgufBytes, readGgufTensor } from './gguf.ts';
export { exactBits, exactBlocks } from './gguf-exact.ts';
export { firstNotFinite } from './finite.ts';
