/** Checks shared by the op functions. Every message names the op and what did not fit. */
import type { DataType } from './data-type.ts';
import { isFloat } from './data-type.ts';
import type { Dim, Shape } from './dim.ts';
import { showShape } from './dim.ts';
import { GraphError } from './graph-error.ts';
import type { Value } from './value.ts';

/** `float32[1, 77, 768]` */
export function describe(value: Value): string {
  return `${value.dtype}${showShape(value.shape)}`;
}

/** Fails unless all values have one element type; gives that type. */
export function sameType(op: string, ...values: readonly Value[]): DataType {
  const [first] = values;
  if (!first) throw new GraphError(`${op}: no input`);
  for (const value of values) {
    if (value.dtype !== first.dtype) {
      throw new GraphError(`${op}: types differ, ${describe(first)} and ${describe(value)}`);
    }
  }
  return first.dtype;
}

/** Fails unless the value is floating point. */
export function floating(op: string, value: Value): DataType {
  if (!isFloat(value.dtype))
    throw new GraphError(`${op}: needs floating point, got ${describe(value)}`);
  return value.dtype;
}

/** Fails unless the value has this element type. */
export function ofType(op: string, value: Value, dtype: DataType): void {
  if (value.dtype !== dtype) throw new GraphError(`${op}: needs ${dtype}, got ${describe(value)}`);
}

/** Fails unless the value has so many dimensions. */
export function ofRank(op: string, value: Value, rank: number): void {
  if (value.shape.length !== rank) {
    throw new GraphError(`${op}: needs ${rank} dimensions, got ${describe(value)}`);
  }
}

/** An axis counted from the front. */
export function normalAxis(op: string, axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || normal < 0 || normal >= rank) {
    throw new GraphError(`${op}: axis ${axis} is outside ${rank} dimensions`);
  }
  return normal;
}

/** The dimension of a value along an axis that may be negative. */
export function dimOf(value: Value, axis: number): Dim {
  const dim = value.shape[normalAxis('dimOf', axis, value.shape.length)];
  if (dim === undefined) throw new GraphError(`axis ${axis} of ${describe(value)} has no size`);
  return dim;
}

/** A dimension that must be known as a number. */
export function numberDim(op: string, value: Value, axis: number): number {
  const dim = dimOf(value, axis);
  if (typeof dim !== 'number') {
    throw new GraphError(`${op}: axis ${axis} of ${describe(value)} must be a number`);
  }
  return dim;
}

/** Fails unless two dimensions are equal. */
export function equalDims(op: string, what: string, a: Dim | undefined, b: Dim | undefined): void {
  if (a !== b) throw new GraphError(`${op}: ${what} differ, ${a} and ${b}`);
}

/** Fails unless the shapes are equal. */
export function hasShape(op: string, what: string, value: Value, shape: Shape): void {
  if (showShape(value.shape) !== showShape(shape)) {
    throw new GraphError(`${op}: ${what} must be ${showShape(shape)}, got ${describe(value)}`);
  }
}

/** The shape two shapes broadcast to, by ONNX's (NumPy's) rule. */
export function broadcast(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left === right || right === 1) return left;
    if (left === 1) return right;
    throw new GraphError(`${op}: shapes ${showShape(a)} and ${showShape(b)} do not broadcast`);
  });
}
