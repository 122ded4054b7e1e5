/** Ops that move or select elements, and those that compute with shapes. */
import { broadcast, describe, dimOf, normalAxis, ofType, sameType } from '../check.ts';
import type { Dim, Shape } from '../dim.ts';
import {
  addDims,
  canonicalDim,
  floorDivDim,
  mulDims,
  sameShape,
  showShape,
  sizeOf,
  subDims,
} from '../dim.ts';
import { GraphError } from '../graph-error.ts';
import type { Value, Values } from '../value.ts';
import {
  attribute,
  constant,
  constantNumbers,
  int64s,
  makeValues,
  makeValue,
  matched,
} from '../value.ts';

/**
 * ONNX Reshape. `target` holds numbers, symbols and at most one -1. A symbol that stands at the same
 * axis in the input is copied from there (ONNX's 0); one other unknown dimension can be written
 * (ONNX's -1). For more than that, use `reshapeTo`.
 */
export function reshape(x: Value, target: readonly Dim[]): Value {
  const wanted = target.map(canonicalDim);
  let inferredAxis = wanted.indexOf(-1);
  const codes = wanted.map((dim, axis) => {
    if (dim === -1) return -1;
    if (typeof dim === 'number') return dim;
    if (dim === x.shape[axis]) return 0;
    if (inferredAxis === -1) inferredAxis = axis;
    if (inferredAxis !== axis) {
      throw new GraphError(
        `Reshape: more than one unknown dimension, ${describe(x)} to ${showShape(target)}`,
      );
    }
    return -1;
  });
  const shape = wanted.map((dim, axis) =>
    axis === inferredAxis && dim === -1 ? inferDim(x, wanted, axis) : dim,
  );
  if (
    typeof sizeOf(x.shape) === 'number' &&
    typeof sizeOf(shape) === 'number' &&
    sizeOf(x.shape) !== sizeOf(shape)
  ) {
    throw new GraphError(`Reshape: ${describe(x)} does not fit ${showShape(target)}`);
  }
  return makeValue('Reshape', [x, int64s(...codes)], { dtype: x.dtype, shape });
}

/** What -1 stands for: the dimensions of x without those of the target. */
function inferDim(x: Value, target: readonly Dim[], inferredAxis: number): Dim {
  const symbols = x.shape.filter((dim): dim is string => typeof dim === 'string');
  let divisor = 1;
  target.forEach((dim, axis) => {
    if (axis === inferredAxis) return;
    if (typeof dim === 'number') divisor *= dim;
    else if (symbols.includes(dim)) symbols.splice(symbols.indexOf(dim), 1);
    else
      throw new GraphError(
        `Reshape: ${describe(x)} to ${showShape(target)}: what -1 is cannot be told`,
      );
  });
  const numbers = x.shape.reduce<number>(
    (product, dim) => (typeof dim === 'number' ? product * dim : product),
    1,
  );
  const total = symbols.reduce<Dim>((product, dim) => mulDims(product, dim), numbers);
  if (typeof total === 'number' && total % divisor !== 0) {
    throw new GraphError(`Reshape: ${describe(x)} does not fit ${showShape(target)}`);
  }
  return floorDivDim(total, divisor);
}

/** ONNX Reshape to a shape computed in the graph (int64 [rank]); `shape` says what it is. */
export function reshapeTo(x: Value, target: Value, shape: Shape): Value {
  ofType('Reshape', target, 'int64');
  return makeValue('Reshape', [x, target], { dtype: x.dtype, shape: shape.map(canonicalDim) });
}

/** ONNX Transpose. */
export function transpose(x: Value, permutation: readonly number[]): Value {
  const sorted = [...permutation].sort((a, b) => a - b);
  if (permutation.length !== x.shape.length || sorted.some((axis, index) => axis !== index)) {
    throw new GraphError(`Transpose: [${permutation.join(', ')}] does not permute ${describe(x)}`);
  }
  const shape = permutation.map((axis) => dimOf(x, axis));
  return makeValue(
    'Transpose',
    [x],
    { dtype: x.dtype, shape },
    { perm: attribute.ints(permutation) },
  );
}

/** ONNX Concat along one axis. */
export function concat(values: readonly Value[], axis: number): Value {
  const [first] = values;
  if (!first) throw new GraphError('Concat: no input');
  const normal = normalAxis('Concat', axis, first.shape.length);
  let total: Dim = 0;
  for (const value of values) {
    const others = (each: Value): Shape => each.shape.filter((_, index) => index !== normal);
    if (!sameShape(others(first), others(value))) {
      throw new GraphError(`Concat: along axis ${axis}, ${describe(first)} and ${describe(value)}`);
    }
    total = addDims(total, dimOf(value, normal));
  }
  const shape = first.shape.map((dim, index) => (index === normal ? total : dim));
  return makeValue(
    'Concat',
    values,
    { dtype: sameType('Concat', ...values), shape },
    { axis: attribute.int(axis) },
  );
}

/** ONNX Split into parts of the given sizes. */
export function split<const Sizes extends readonly Dim[]>(
  x: Value,
  sizes: Sizes,
  axis: number,
): Values<Sizes> {
  const normal = normalAxis('Split', axis, x.shape.length);
  const total = sizes.reduce<Dim>((sum, size) => addDims(sum, size), 0);
  if (total !== x.shape[normal]) {
    throw new GraphError(
      `Split: sizes [${sizes.join(', ')}] do not make up axis ${axis} of ${describe(x)}`,
    );
  }
  if (sizes.some((size) => typeof size !== 'number'))
    throw new GraphError('Split: sizes must be numbers');
  const types = sizes.map((size) => ({
    dtype: x.dtype,
    shape: x.shape.map((dim, index) => (index === normal ? size : dim)),
  }));
  const parts = makeValues('Split', [x, int64s(...sizes.map(Number))], types, {
    axis: attribute.int(axis),
  });
  return matched('Split', parts, sizes);
}

/** ONNX Split into parts whose sizes (int64 [parts]) are computed; `dims` says what they are. */
export function splitBy<const Dims extends readonly Dim[]>(
  x: Value,
  sizes: Value,
  dims: Dims,
  axis: number,
): Values<Dims> {
  ofType('Split', sizes, 'int64');
  const normal = normalAxis('Split', axis, x.shape.length);
  const types = dims.map((dim) => ({
    dtype: x.dtype,
    shape: x.shape.map((each, index) => (index === normal ? canonicalDim(dim) : each)),
  }));
  return matched(
    'Split',
    makeValues('Split', [x, sizes], types, { axis: attribute.int(axis) }),
    dims,
  );
}

function clampIndex(index: number, size: number): number {
  return Math.min(Math.max(index < 0 ? index + size : index, 0), size);
}

function slicedDim(size: Dim, start: number, end: number): Dim {
  if (typeof size === 'number') return Math.max(clampIndex(end, size) - clampIndex(start, size), 0);
  const toEnd = end >= Number.MAX_SAFE_INTEGER;
  if (start >= 0 && toEnd) return subDims(size, start);
  if (start < 0 && toEnd) return -start; // holds where the axis is at least that long
  if (start < 0 === end < 0) return end - start;
  if (start >= 0) return addDims(size, end - start);
  throw new GraphError(`Slice: ${start} to ${end} of ${size} cannot be told`);
}

/** ONNX Slice along one axis, from `start` to before `end`; negative counts from the back. */
export function slice(x: Value, axis: number, start: number, end = Number.MAX_SAFE_INTEGER): Value {
  const normal = normalAxis('Slice', axis, x.shape.length);
  const shape = x.shape.map((dim, index) => (index === normal ? slicedDim(dim, start, end) : dim));
  const inputs = [x, int64s(start), int64s(end), int64s(axis)];
  return makeValue('Slice', inputs, { dtype: x.dtype, shape });
}

/** ONNX Slice with bounds computed in the graph (int64 [1]); `dim` is the length that results. */
export function sliceBetween(x: Value, axis: number, start: Value, end: Value, dim: Dim): Value {
  const normal = normalAxis('Slice', axis, x.shape.length);
  const shape = x.shape.map((each, index) => (index === normal ? canonicalDim(dim) : each));
  return makeValue('Slice', [x, start, end, int64s(axis)], { dtype: x.dtype, shape });
}

/** ONNX Gather: entries of `x` along `axis` at `indices` (int32 or int64). */
export function gather(x: Value, indices: Value, axis = 0): Value {
  if (indices.dtype !== 'int64') ofType('Gather', indices, 'int32');
  const normal = normalAxis('Gather', axis, x.shape.length);
  const shape = [...x.shape.slice(0, normal), ...indices.shape, ...x.shape.slice(normal + 1)];
  return makeValue(
    'Gather',
    [x, indices],
    { dtype: x.dtype, shape },
    { axis: attribute.int(axis) },
  );
}

/** ONNX GatherND with batch_dims 0: indices [..., r] select [...] + the rest of x. */
export function gatherND(x: Value, indices: Value): Value {
  ofType('GatherND', indices, 'int64');
  const depth = dimOf(indices, -1);
  if (typeof depth !== 'number') throw new GraphError(`GatherND: ${describe(indices)}`);
  const shape = [...indices.shape.slice(0, -1), ...x.shape.slice(depth)];
  return makeValue('GatherND', [x, indices], { dtype: x.dtype, shape });
}

/** ONNX Unsqueeze: puts a dimension of 1 at each of the axes of the result. */
export function unsqueeze(x: Value, ...axes: readonly number[]): Value {
  const rank = x.shape.length + axes.length;
  const normal = new Set(axes.map((axis) => normalAxis('Unsqueeze', axis, rank)));
  const rest = x.shape.values();
  const shape = Array.from({ length: rank }, (_, axis) =>
    normal.has(axis) ? 1 : (rest.next().value ?? 1),
  );
  return makeValue('Unsqueeze', [x, int64s(...axes)], { dtype: x.dtype, shape });
}

/** ONNX Squeeze: takes away the axes given, each of which must be 1. */
export function squeeze(x: Value, ...axes: readonly number[]): Value {
  const normal = new Set(axes.map((axis) => normalAxis('Squeeze', axis, x.shape.length)));
  for (const axis of normal) {
    if (x.shape[axis] !== 1)
      throw new GraphError(`Squeeze: axis ${axis} of ${describe(x)} is not 1`);
  }
  const shape = x.shape.filter((_, axis) => !normal.has(axis));
  return makeValue('Squeeze', [x, int64s(...axes)], { dtype: x.dtype, shape });
}

/**
 * ONNX Expand by broadcasting. Symbols of the target must be dimensions of `x` at the same place
 * (counted from the back); for others use `expandTo`.
 */
export function expand(x: Value, target: Shape): Value {
  const offset = x.shape.length - target.length;
  const codes = target.map((dim, axis) => {
    if (typeof dim === 'number') return dim;
    if (x.shape[axis + offset] === dim) return 1;
    throw new GraphError(
      `Expand: ${describe(x)} to ${showShape(target)}: use expandTo for new symbols`,
    );
  });
  const shape = broadcast('Expand', x.shape, target);
  return makeValue('Expand', [x, int64s(...codes)], { dtype: x.dtype, shape });
}

/** ONNX Expand to a shape computed in the graph (int64 [rank]); `shape` says what results. */
export function expandTo(x: Value, target: Value, shape: Shape): Value {
  ofType('Expand', target, 'int64');
  return makeValue('Expand', [x, target], { dtype: x.dtype, shape: shape.map(canonicalDim) });
}

/** ONNX Tile by whole numbers. */
export function tile(x: Value, repeats: readonly number[]): Value {
  if (repeats.length !== x.shape.length)
    throw new GraphError(`Tile: [${repeats.join(', ')}] for ${describe(x)}`);
  const shape = x.shape.map((dim, axis) => mulDims(dim, repeats[axis] ?? 1));
  return makeValue('Tile', [x, int64s(...repeats)], { dtype: x.dtype, shape });
}

/** ONNX Shape from axis `start` to before `end`: int64 [count]. */
export function shapeOf(x: Value, start = 0, end = x.shape.length): Value {
  const from = start < 0 ? start + x.shape.length : start;
  const output = { dtype: 'int64', shape: [Math.max(end - from, 0)] } as const;
  return makeValue('Shape', [x], output, { start: attribute.int(from), end: attribute.int(end) });
}

/** ONNX Range over int64 scalars; `dim` is the length that results. */
export function range(start: Value, limit: Value, delta: Value, dim: Dim): Value {
  return makeValue('Range', [start, limit, delta], {
    dtype: sameType('Range', start, limit, delta),
    shape: [canonicalDim(dim)],
  });
}

/** A tensor filled with one number, of a shape known now (a constant) or computed (int64 [rank]). */
export function filled(
  number: number,
  dtype: Value['dtype'],
  shape: Shape,
  computed?: Value,
): Value {
  const target = computed ?? int64s(...shape.map(Number));
  return makeValue('Expand', [constant(number, dtype), target], {
    dtype,
    shape: shape.map(canonicalDim),
  });
}

/** ONNX CumSum along an axis. */
export function cumSum(
  x: Value,
  axis: number,
  options: { readonly exclusive?: boolean } = {},
): Value {
  const attributes = { exclusive: options.exclusive ? attribute.int(1) : undefined };
  return makeValue(
    'CumSum',
    [x, constant(axis, 'int64')],
    { dtype: x.dtype, shape: x.shape },
    attributes,
  );
}

/** The largest `k` (int64 [1]) entries along the last axis, sorted, and their int64 indices. */
export function topK(
  x: Value,
  k: Value,
  dim: Dim,
): { readonly values: Value; readonly indices: Value } {
  ofType('TopK', k, 'int64');
  const constantK = constantNumbers(k);
  const shape = [...x.shape.slice(0, -1), canonicalDim(constantK?.[0] ?? dim)];
  const types = [
    { dtype: x.dtype, shape },
    { dtype: 'int64', shape },
  ] as const;
  const [values, indices] = makeValues('TopK', [x, k], types, { axis: attribute.int(-1) });
  return { values, indices };
}

/**
 * States that a value has a shape that inference could not tell (equal symbols under two names).
 * Costs an Identity, which the runtime removes; a wrong statement fails when the graph runs.
 */
export function withShape(x: Value, shape: Shape): Value {
  if (shape.length !== x.shape.length)
    throw new GraphError(`withShape: ${describe(x)} is not ${showShape(shape)}`);
  return makeValue('Identity', [x], { dtype: x.dtype, shape: shape.map(canonicalDim) });
}
