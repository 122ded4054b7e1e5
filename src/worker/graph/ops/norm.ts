/** Normalisation and softmax. */
import { describe, dimOf, floating, hasShape, normalAxis, numberDim, sameType } from '../check.ts';
import { GraphError } from '../graph-error.ts';
import type { Value } from '../value.ts';
import { attribute, contrib, makeNode, makeValue } from '../value.ts';

/** ONNX LayerNormalization over the last axis. */
export function layerNormalization(
  x: Value,
  scale: Value,
  bias: Value | undefined,
  epsilon: number,
): Value {
  const op = 'LayerNormalization';
  const dtype = sameType(op, x, scale, ...(bias ? [bias] : []));
  hasShape(op, 'scale', scale, [dimOf(x, -1)]);
  if (bias) hasShape(op, 'bias', bias, [dimOf(x, -1)]);
  const attributes = { axis: attribute.int(-1), epsilon: attribute.float(epsilon) };
  return makeValue(op, [x, scale, bias], { dtype, shape: x.shape }, attributes);
}

/** Root-mean-square normalisation over the last axis (SimplifiedLayerNormalization). */
export function simplifiedLayerNormalization(x: Value, scale: Value, epsilon: number): Value {
  const op = 'SimplifiedLayerNormalization';
  const dtype = sameType(op, x, scale);
  hasShape(op, 'scale', scale, [dimOf(x, -1)]);
  const attributes = {
    axis: attribute.int(-1),
    epsilon: attribute.float(epsilon),
    stash_type: attribute.int(1),
  };
  // ONNX Runtime registers this one in ONNX's own domain.
  return makeValue(op, [x, scale], { dtype, shape: x.shape }, attributes);
}

/** A sum and its normalised form. */
export interface SkipNormalised {
  readonly normalised: Value;
  readonly sum: Value;
}

function skipNormalised(
  op: string,
  inputs: readonly (Value | undefined)[],
  x: Value,
  epsilon: number,
): SkipNormalised {
  const type = { dtype: x.dtype, shape: x.shape };
  // Outputs 1 and 2 (mean and inverse deviation) are for training; position 3 is the sum.
  const [normalised, , , sum] = makeNode(
    op,
    inputs,
    [type, undefined, undefined, type],
    { epsilon: attribute.float(epsilon) },
    contrib,
  );
  if (!normalised || !sum) throw new GraphError(`${op} made no output`);
  return { normalised, sum };
}

/** com.microsoft SkipSimplifiedLayerNormalization: RMS norm of x + skip, and the sum; x is [b, t, h]. */
export function skipSimplifiedLayerNormalization(
  x: Value,
  skip: Value,
  scale: Value,
  epsilon: number,
): SkipNormalised {
  const op = 'SkipSimplifiedLayerNormalization';
  sameType(op, x, skip, scale);
  hasShape(op, 'skip', skip, x.shape);
  hasShape(op, 'scale', scale, [dimOf(x, -1)]);
  return skipNormalised(op, [x, skip, scale], x, epsilon);
}

/** com.microsoft SkipLayerNormalization: layer norm of x + skip (+ bias), and the sum; x is [b, t, h]. */
export function skipLayerNormalization(
  x: Value,
  skip: Value,
  scale: Value,
  beta: Value,
  epsilon: number,
  bias?: Value,
): SkipNormalised {
  const op = 'SkipLayerNormalization';
  sameType(op, x, skip, scale, beta);
  hasShape(op, 'skip', skip, x.shape);
  return skipNormalised(op, [x, skip, scale, beta, bias], x, epsilon);
}

/** ONNX GroupNormalization (opset 21: scale and bias per channel); x is [b, c, ...]. */
export function groupNormalization(
  x: Value,
  scale: Value,
  bias: Value,
  groups: number,
  epsilon: number,
): Value {
  const op = 'GroupNormalization';
  const dtype = sameType(op, x, scale, bias);
  const channels = numberDim(op, x, 1);
  if (channels % groups !== 0)
    throw new GraphError(`${op}: ${groups} groups do not divide ${describe(x)}`);
  hasShape(op, 'scale', scale, [channels]);
  hasShape(op, 'bias', bias, [channels]);
  const attributes = { num_groups: attribute.int(groups), epsilon: attribute.float(epsilon) };
  return makeValue(op, [x, scale, bias], { dtype, shape: x.shape }, attributes);
}

/** ONNX InstanceNormalization: x [b, c, ...], scale and bias [c]. */
export function instanceNormalization(x: Value, scale: Value, bias: Value, epsilon: number): Value {
  const op = 'InstanceNormalization';
  const dtype = sameType(op, x, scale, bias);
  hasShape(op, 'scale', scale, [dimOf(x, 1)]);
  return makeValue(
    op,
    [x, scale, bias],
    { dtype, shape: x.shape },
    { epsilon: attribute.float(epsilon) },
  );
}

/** ONNX Softmax along one axis. */
export function softmax(x: Value, axis = -1): Value {
  normalAxis('Softmax', axis, x.shape.length);
  const output = { dtype: floating('Softmax', x), shape: x.shape };
  return makeValue('Softmax', [x], output, { axis: attribute.int(axis) });
}
