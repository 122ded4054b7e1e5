/** Reductions. */
import { normalAxis } from '../check.ts';
import type { Value } from '../value.ts';
import { attribute, int64s, makeValue } from '../value.ts';

type Reduce = (x: Value, axes: readonly number[], keepDims?: boolean) => Value;

function reduced(x: Value, axes: readonly number[], op: string, keepDims: boolean): Value['shape'] {
  const normal = new Set(axes.map((axis) => normalAxis(op, axis, x.shape.length)));
  if (keepDims) return x.shape.map((dim, axis) => (normal.has(axis) ? 1 : dim));
  return x.shape.filter((_, axis) => !normal.has(axis));
}

function reduction(op: string): Reduce {
  return (x, axes, keepDims = true) =>
    makeValue(
      op,
      [x, int64s(...axes)],
      { dtype: x.dtype, shape: reduced(x, axes, op, keepDims) },
      { keepdims: attribute.int(keepDims ? 1 : 0) },
    );
}

export const reduceSum = reduction('ReduceSum');
export const reduceMean = reduction('ReduceMean');
export const reduceMax = reduction('ReduceMax');
export const reduceMin = reduction('ReduceMin');
export const reduceProd = reduction('ReduceProd');

/** ONNX ArgMax along one axis: int64, the first of equals. */
export function argMax(x: Value, axis: number, keepDims = false): Value {
  const shape = reduced(x, [axis], 'ArgMax', keepDims);
  const attributes = { axis: attribute.int(axis), keepdims: attribute.int(keepDims ? 1 : 0) };
  return makeValue('ArgMax', [x], { dtype: 'int64', shape }, attributes);
}
