/** Attention and what belongs to it. Kernels per provider: see graph/ops in DESIGN.md. */
import { describe, dimOf, hasShape, numberDim, ofRank, ofType, sameType } from '../check.ts';
import { addDims } from '../dim.ts';
import { GraphError } from '../graph-error.ts';
import type { BlockQuantised } from './linear.ts';
import { floating } from '../check.ts';
import type { Value } from '../value.ts';
import { attribute, contrib, makeValues, makeValue } from '../value.ts';

/**
 * com.microsoft MultiHeadAttention: query [b, t, h * d], key [b, s, h * d], value [b, s, h * e] ->
 * [b, t, h * e]. On CPU in fp32 only.
 *
 * @param options.bias added to query, key, value before: [h * d + h * d + h * e].
 * @param options.attentionBias added to the scores: [b or 1, h or 1, t, s].
 * @param options.scale default 1 / sqrt(d).
 */
export function multiHeadAttention(
  query: Value,
  key: Value,
  value: Value,
  heads: number,
  options: {
    readonly bias?: Value;
    readonly attentionBias?: Value;
    readonly scale?: number;
    readonly unidirectional?: boolean;
  } = {},
): Value {
  const op = 'MultiHeadAttention';
  const dtype = sameType(op, query, key, value);
  for (const each of [query, key, value]) {
    ofRank(op, each, 3);
    if (numberDim(op, each, 2) % heads !== 0)
      throw new GraphError(`${op}: ${heads} heads do not divide ${describe(each)}`);
  }
  if (dimOf(query, 2) !== dimOf(key, 2) || dimOf(key, 1) !== dimOf(value, 1)) {
    throw new GraphError(
      `${op}: query ${describe(query)}, key ${describe(key)}, value ${describe(value)}`,
    );
  }
  return makeValue(
    op,
    [query, key, value, options.bias, undefined, options.attentionBias],
    { dtype, shape: [dimOf(query, 0), dimOf(query, 1), dimOf(value, 2)] },
    {
      num_heads: attribute.int(heads),
      scale: options.scale === undefined ? undefined : attribute.float(options.scale),
      unidirectional: options.unidirectional ? attribute.int(1) : undefined,
    },
    contrib,
  );
}

/** What GroupQueryAttention gives back. */
export interface CachedAttention {
  readonly output: Value;
  readonly presentKey: Value;
  readonly presentValue: Value;
}

/**
 * com.microsoft GroupQueryAttention, causal, with its cache: query [b, t, h * d], key and value
 * [b, t, g * d], past [b, g, p, d] -> output [b, t, h * d] and present [b, g, p + t, d].
 *
 * @param options.pastLength int32 [b]: tokens in the cache after this call, less one (the op's `seqlens_k`).
 * @param options.totalLength int32 scalar: tokens in the cache after this call.
 * @param options.rotary tables of cosines and sines [positions, d / 2]; the op rotates then.
 */
export function groupQueryAttention(
  query: Value,
  key: Value,
  value: Value,
  options: {
    readonly heads: number;
    readonly keyValueHeads: number;
    readonly pastKey: Value;
    readonly pastValue: Value;
    readonly pastLength: Value;
    readonly totalLength: Value;
    readonly rotary?: { readonly cos: Value; readonly sin: Value };
    readonly scale?: number;
  },
): CachedAttention {
  const op = 'GroupQueryAttention';
  const { heads, keyValueHeads, pastKey, pastValue, pastLength, totalLength, rotary, scale } =
    options;
  const dtype = sameType(op, query, key, value, pastKey, pastValue);
  const headDim = numberDim(op, query, 2) / heads;
  const batch = dimOf(query, 0);
  hasShape(op, 'key', key, [batch, dimOf(query, 1), keyValueHeads * headDim]);
  hasShape(op, 'value', value, key.shape);
  hasShape(op, 'past key', pastKey, [batch, keyValueHeads, dimOf(pastKey, 2), headDim]);
  hasShape(op, 'past value', pastValue, pastKey.shape);
  ofType(op, pastLength, 'int32');
  ofType(op, totalLength, 'int32');
  const present = {
    dtype,
    shape: [batch, keyValueHeads, addDims(dimOf(pastKey, 2), dimOf(query, 1)), headDim],
  };
  const [output, presentKey, presentValue] = makeValues(
    op,
    [query, key, value, pastKey, pastValue, pastLength, totalLength, rotary?.cos, rotary?.sin],
    [{ dtype, shape: query.shape }, present, present],
    {
      num_heads: attribute.int(heads),
      kv_num_heads: attribute.int(keyValueHeads),
      do_rotary: attribute.int(rotary ? 1 : 0),
      scale: scale === undefined ? undefined : attribute.float(scale),
    },
    contrib,
  );
  return { output, presentKey, presentValue } as CachedAttention;
}

/** com.microsoft RotaryEmbedding: x [b, t, h * d], positions int64 [b, t], tables [positions, d / 2]. */
export function rotaryEmbedding(
  x: Value,
  positions: Value,
  cos: Value,
  sin: Value,
  heads: number,
): Value {
  const op = 'RotaryEmbedding';
  ofType(op, positions, 'int64');
  const dtype = sameType(op, x, cos, sin);
  const attributes = { num_heads: attribute.int(heads), rotary_embedding_dim: attribute.int(0) };
  return makeValue(op, [x, positions, cos, sin], { dtype, shape: x.shape }, attributes, contrib);
}

/**
 * com.microsoft GatherBlockQuantized over rows: indices [...] -> [..., k], dequantised on the way.
 * `weight.quantised` is given as [n, k] here (8 bits) or [n, k / 2] (4 bits).
 */
export function gatherBlockQuantized(weight: BlockQuantised, indices: Value): Value {
  const op = 'GatherBlockQuantized';
  const dtype = floating(op, weight.scales);
  ofType(op, weight.quantised, 'uint8');
  ofRank(op, weight.quantised, 2);
  return makeValue(
    op,
    [weight.quantised, indices, weight.scales, weight.zeroPoints],
    { dtype, shape: [...indices.shape, weight.k] },
    {
      bits: attribute.int(weight.bits),
      block_size: attribute.int(weight.blockSize),
      gather_axis: attribute.int(0),
      quantize_axis: attribute.int(1),
    },
    contrib,
  );
}
