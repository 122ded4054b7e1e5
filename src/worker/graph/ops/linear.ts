/** Matrix products, also over quantised weights. */
import {
  broadcast,
  describe,
  dimOf,
  equalDims,
  floating,
  hasShape,
  numberDim,
  ofRank,
  ofType,
  sameType,
} from '../check.ts';
import { GraphError } from '../graph-error.ts';
import type { Dim } from '../dim.ts';
import type { Value } from '../value.ts';
import { attribute, contrib, makeValue } from '../value.ts';

/** ONNX MatMul: [..., m, k] x [..., k, n] -> [..., m, n]. */
export function matMul(a: Value, b: Value): Value {
  const dtype = sameType('MatMul', a, b);
  if (a.shape.length < 1 || b.shape.length < 2) {
    throw new GraphError(`MatMul: needs matrices, got ${describe(a)} and ${describe(b)}`);
  }
  const inner = dimOf(a, -1);
  if (inner !== dimOf(b, -2)) {
    throw new GraphError(`MatMul: inner dimensions differ, ${describe(a)} and ${describe(b)}`);
  }
  const batch = broadcast('MatMul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  const rows: Dim[] = a.shape.length > 1 ? [dimOf(a, -2)] : [];
  return makeValue('MatMul', [a, b], { dtype, shape: [...batch, ...rows, dimOf(b, -1)] });
}

/** com.microsoft FusedMatMul: alpha * a b, with b [..., n, k] transposed if asked. */
export function fusedMatMul(
  a: Value,
  b: Value,
  options: { readonly transB?: boolean; readonly alpha?: number } = {},
): Value {
  const op = 'FusedMatMul';
  const dtype = sameType(op, a, b);
  const [innerB, columns] = options.transB ? [-1, -2] : [-2, -1];
  if (a.shape.length < 2 || b.shape.length < 2 || dimOf(a, -1) !== dimOf(b, innerB)) {
    throw new GraphError(`${op}: inner dimensions differ, ${describe(a)} and ${describe(b)}`);
  }
  const batch = broadcast(op, a.shape.slice(0, -2), b.shape.slice(0, -2));
  const attributes = {
    alpha: attribute.float(options.alpha ?? 1),
    transB: attribute.int(options.transB ? 1 : 0),
  };
  const shape = [...batch, dimOf(a, -2), dimOf(b, columns)];
  return makeValue(op, [a, b], { dtype, shape }, attributes, contrib);
}

/** ONNX Gemm for matrices: alpha * a b + beta * c, each factor transposed if asked. */
export function gemm(
  a: Value,
  b: Value,
  c?: Value,
  options: {
    readonly transA?: boolean;
    readonly transB?: boolean;
    readonly alpha?: number;
    readonly beta?: number;
  } = {},
): Value {
  const dtype = sameType('Gemm', a, b, ...(c ? [c] : []));
  ofRank('Gemm', a, 2);
  ofRank('Gemm', b, 2);
  const [rows, innerA] = options.transA ? [1, 0] : [0, 1];
  const [innerB, columns] = options.transB ? [1, 0] : [0, 1];
  if (dimOf(a, innerA) !== dimOf(b, innerB)) {
    throw new GraphError(`Gemm: inner dimensions differ, ${describe(a)} and ${describe(b)}`);
  }
  const shape = [dimOf(a, rows), dimOf(b, columns)];
  if (c) broadcast('Gemm', shape, c.shape);
  return makeValue(
    'Gemm',
    [a, b, c],
    { dtype, shape },
    {
      alpha: options.alpha === undefined ? undefined : attribute.float(options.alpha),
      beta: options.beta === undefined ? undefined : attribute.float(options.beta),
      transA: options.transA ? attribute.int(1) : undefined,
      transB: options.transB ? attribute.int(1) : undefined,
    },
  );
}

/**
 * ONNX QuantizeLinear with one scale and zero point for all of x: round(x / scale) + zero, cut to uint8.
 */
export function quantizeLinear(x: Value, scale: Value, zeroPoint: Value): Value {
  const op = 'QuantizeLinear';
  floating(op, x);
  sameType(op, x, scale);
  ofType(op, zeroPoint, 'uint8');
  return makeValue(op, [x, scale, zeroPoint], { dtype: 'uint8', shape: x.shape });
}

/**
 * com.microsoft MatMulIntegerToFloat: (a - aZero) (b - 0) * aScale * bScale, for a uint8 [..., k], b int8 [k, n], scalars
 * aScale and aZero, bScale [n] -> float32 [..., n].
 */
export function matMulIntegerToFloat(
  a: Value,
  b: Value,
  aScale: Value,
  bScale: Value,
  aZero: Value,
): Value {
  const op = 'MatMulIntegerToFloat';
  ofType(op, a, 'uint8');
  ofType(op, aZero, 'uint8');
  ofType(op, b, 'int8');
  ofRank(op, b, 2);
  equalDims(op, 'input features', numberDim(op, a, -1), numberDim(op, b, 0));
  hasShape(op, 'scales', bScale, [numberDim(op, b, 1)]);
  const shape = [...a.shape.slice(0, -1), dimOf(b, 1)];
  return makeValue(op, [a, b, aScale, bScale, aZero], { dtype: bScale.dtype, shape }, {}, contrib);
}

/** A weight quantised in blocks along its input features, as `weights/quantise.ts` writes it. */
export interface BlockQuantised {
  /** uint8 [n, ceil(k / blockSize), blockSize * bits / 8] */
  readonly quantised: Value;
  /** floating [n, ceil(k / blockSize)] */
  readonly scales: Value;
  /** uint8 [n, ceil(ceil(k / blockSize) * bits / 8)] */
  readonly zeroPoints: Value;
  readonly bits: 4 | 8;
  readonly blockSize: number;
  /** Input features. */
  readonly k: number;
  /** Output features. */
  readonly n: number;
}

/**
 * com.microsoft MatMulNBits: x [..., k] times the transpose of a block-quantised weight [n, k].
 *
 * @param accuracyLevel 0 lets the provider choose, 1 computes in fp32, 4 quantises x to int8 as
 * well (fastest for one row on CPU).
 */
export function matMulNBits(x: Value, weight: BlockQuantised, accuracyLevel: 0 | 1 | 4 = 0): Value {
  const op = 'MatMulNBits';
  const { quantised, scales, zeroPoints, bits, blockSize, k, n } = weight;
  floating(op, x);
  sameType(op, x, scales);
  ofType(op, quantised, 'uint8');
  ofType(op, zeroPoints, 'uint8');
  equalDims(op, 'input features', numberDim(op, x, -1), k);
  equalDims(op, 'output features', numberDim(op, quantised, 0), n);
  equalDims(op, 'blocks', numberDim(op, quantised, 1), Math.ceil(k / blockSize));
  return makeValue(
    op,
    [x, quantised, scales, zeroPoints],
    { dtype: x.dtype, shape: [...x.shape.slice(0, -1), n] },
    {
      K: attribute.int(k),
      N: attribute.int(n),
      bits: attribute.int(bits),
      block_size: attribute.int(blockSize),
      accuracy_level: accuracyLevel === 0 ? undefined : attribute.int(accuracyLevel),
    },
    contrib,
  );
}
