/** Layers that several networks share, as functions over graph values. */
import type { Dim, Shape } from '../graph/dim.ts';
import { mulDims } from '../graph/dim.ts';
import {
  add,
  cast,
  concat,
  fusedMatMul,
  gelu,
  gemm,
  instanceNormalization,
  layerNormalization,
  matMul,
  mul,
  multiHeadAttention,
  quickGelu,
  reshape,
  reshapeTo,
  resizeNearest,
  resizeNearestTo,
  shapeOf,
  slice,
  transpose,
  conv as convolution,
} from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { constant, input } from '../graph/value.ts';
import { eightBitProduct, widened } from './eight-bit.ts';
import type { BuildTarget } from './target.ts';
import type { ConvWeights, GroupNormWeights, LinearWeights, NormWeights } from './weight-names.ts';

/** An input that is float32 outside and of the target's precision inside. */
export function floatInput(
  target: BuildTarget,
  name: string,
  shape: Shape,
): { outer: Value; inner: Value } {
  const outer = input(name, 'float32', shape);
  return { outer, inner: cast(outer, target.precision) };
}

/**
 * x [..., inputs] -> [..., outputs], as PyTorch's Linear.
 *
 * On the CPU the matrix is used as it lies. Elsewhere a Transpose is put in front, which the runtime folds when it
 * loads; on the CPU that would hold the weights twice (see DESIGN.md).
 */
export function linear(x: Value, weights: LinearWeights): Value {
  const { bias } = weights;
  if (!('folded' in weights) && x.shape.length === 2) {
    return gemm(x, weights.weight, bias, { transB: true });
  }
  const product = matrixProduct(x, weights);
  return bias ? add(product, bias) : product;
}

function matrixProduct(x: Value, weights: LinearWeights): Value {
  const { provider, precision, folded } = weights.target;
  if ('folded' in weights) {
    return folded === 'eightBits'
      ? eightBitProduct(x, weights.folded)
      : matMul(x, widened(weights.folded, precision));
  }
  return provider === 'cpu'
    ? fusedMatMul(x, weights.weight, { transB: true })
    : matMul(x, transpose(weights.weight, [1, 0]));
}

/** Layer normalisation over the last axis. */
export function layerNorm(x: Value, weights: NormWeights, epsilon: number): Value {
  return layerNormalization(x, weights.weight, weights.bias, epsilon);
}

/** A convolution that keeps height and width (odd kernels), or halves them with stride 2. */
export function conv(
  x: Value,
  weights: ConvWeights,
  options: { readonly stride?: number } = {},
): Value {
  const kernel = weights.weight.shape[2];
  const pads = typeof kernel === 'number' ? (kernel - 1) / 2 : 0;
  return convolution(x, weights.weight, weights.bias, { strides: options.stride ?? 1, pads });
}

/** The activation functions that configurations name. */
export function activation(x: Value, name: 'gelu' | 'quick_gelu' | 'silu'): Value {
  switch (name) {
    case 'gelu':
      return gelu(x);
    case 'quick_gelu':
      return quickGelu(x, 1.702);
    case 'silu':
      return quickGelu(x, 1);
    default:
      return name satisfies never;
  }
}

/** Two linear layers with an activation between them. */
export function feedForward(
  x: Value,
  into: LinearWeights,
  outOf: LinearWeights,
  name: 'gelu' | 'quick_gelu',
): Value {
  return linear(activation(linear(x, into), name), outOf);
}

/**
 * Scaled dot-product attention over heads: query [b, t, h * d], key and value [b, s, h * d] -> [b, t, h * d].
 *
 * @param options.bias added to the scores, [1, 1, t, s].
 */
export function attention(
  query: Value,
  key: Value,
  value: Value,
  headCount: number,
  options: { readonly bias?: Value } = {},
): Value {
  return multiHeadAttention(
    query,
    key,
    value,
    headCount,
    options.bias ? { hasAttentionBias: options.bias } : {},
  );
}

/**
 * Group normalisation of x [b, c, h, w].
 *
 *   x [b, c, h, w] -> Reshape [b, groups, c / groups * h * w] -> InstanceNormalization (scale 1, shift 0)
 *                  -> Reshape [b, c, h, w] -> Mul weight [c, 1, 1] -> Add bias [c, 1, 1]
 *
 * ONNX's own GroupNormalization has no kernel on CPU: the runtime writes it out as a dozen slower nodes.
 */
export function groupNorm(
  x: Value,
  weights: GroupNormWeights,
  groups: number,
  epsilon: number,
): Value {
  const [batch = 1, channels = 1, height = 1, width = 1] = x.shape;
  const size = mulDims(mulDims(height, width), Number(channels) / groups);
  const grouped = reshape(x, [batch, groups, size]);
  const ones = constant(new Array<number>(groups).fill(1), x.dtype);
  const zeros = constant(new Array<number>(groups).fill(0), x.dtype);
  const normalised = instanceNormalization(grouped, ones, zeros, epsilon);
  return add(mul(reshapeLike(normalised, x), weights.weight), weights.bias);
}

/** `x` in the shape of `like`, whatever its symbols are. */
export function reshapeLike(x: Value, like: Value): Value {
  const symbols = like.shape.filter(
    (dim, axis) => typeof dim === 'string' && dim !== x.shape[axis],
  );
  if (symbols.length < 2) return reshape(x, like.shape);
  return reshapeTo(x, shapeOf(like), like.shape);
}

/** x [b, c, h, w] -> tokens [b, h * w, c]. */
export function tokensFromMap(x: Value): Value {
  const [batch = 1, channels = 1, height = 1, width = 1] = x.shape;
  return transpose(reshape(x, [batch, channels, mulDims(height, width)]), [0, 2, 1]);
}

/** tokens [b, h * w, c] -> [b, c, h, w], with batch, height and width taken from the map `like`. */
export function mapFromTokens(tokens: Value, like: Value): Value {
  const channels = tokens.shape[2] ?? 1;
  const [batch = 1, likeChannels, height = 1, width = 1] = like.shape;
  const turned = transpose(tokens, [0, 2, 1]);
  if (likeChannels === channels) return reshapeLike(turned, like);
  const shape = [batch, channels, height, width];
  if (typeof height === 'number' && typeof width === 'number') return reshape(turned, shape);
  const sizes = shapeOf(like);
  const target = concat(
    [slice(sizes, 0, 0, 1), constant([Number(channels)], 'int64'), slice(sizes, 0, 2)],
    0,
  );
  return reshapeTo(turned, target, shape);
}

/** x [b, c, h, w] -> [b, c, 2 h, 2 w], each pixel repeated. */
export function upsample(x: Value): Value {
  return resizeNearest(x, 2);
}

/** x [b, c, h, w], each pixel repeated, in the height and width of the map `like`. */
export function upsampleTo(x: Value, like: Value): Value {
  const [, , height = 1, width = 1] = like.shape;
  if (height === doubled(x.shape[2]) && width === doubled(x.shape[3])) return upsample(x);
  const sizes = concat([shapeOf(x, 0, 2), shapeOf(like, 2, 4)], 0);
  return resizeNearestTo(x, sizes, height, width);
}

function doubled(dim: Dim | undefined): Dim {
  return mulDims(dim ?? 1, 2);
}
