/** Writing graphs: values, ops, and the way from a graph to ONNX. */
export type { DataType } from './data-type.ts';
export { byteLength, isFloat } from './data-type.ts';
export type { Dim, Shape } from './dim.ts';
export { addDims, canonicalDim, floorDivDim, mulDims, showShape, sizeOf, subDims } from './dim.ts';
export { describe, dimOf, numberDim } from './check.ts';
export type { Graph, NamedValues } from './graph.ts';
export { countNodes, finishGraph } from './graph.ts';
export type { Sizes } from './evaluate-dim.ts';
export { parameterBytes, workingBytes } from './memory.ts';
export type { TensorFault } from './graph-error.ts';
export { GraphError, WeightsError } from './graph-error.ts';
export { printGraph } from './print.ts';
export type { StoredTensor, TensorLocation, WeightSource } from './serialise.ts';
export { compareWeights, noWeights, serialise } from './serialise.ts';
export type { Value } from './value.ts';
export { constant, constantBytes, input, int64s, labelled, parameter } from './value.ts';
export * from './ops/index.ts';
