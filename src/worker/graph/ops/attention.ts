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
  headCount: number,
  options: {
    readonly bias?: Value;
    readonly hasAttentionBias?: Value;
    readonly scale?: number;
    readonly unidirectional?: boolean;
  } = {},
): Value {
  const op = 'MultiHeadAttention';
  const dtype = sameType(op, query, key, value);
  for (const each of [query, key, value]) {
    ofRank(op, each, 3);
    if (numberDim(op, each, 2) % headCount !== 0)
      throw new GraphError(`${op}: ${headCount} heads do not divide ${describe(each)}`);
  }
  if (dimOf(query, 2) !== dimOf(key, 2) || dimOf(key, 1) !== dimOf(value, 1)) {
    throw new GraphError(
      `${op}: query ${describe(query)}, key ${describe(key)}, value ${describe(value)}`,
    );
  }
  return makeValue(
    op,
    [query, key, value, options.bias, undefined, options.hasAttentionBias],
    { dtype, shape: [dimOf(query, 0), dimOf(query, 1), dimOf(value, 2)] },
    {
      num_heads: attribute.int(headCount),
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

/** The parts of a query for GroupQueryAttention: apart, or one behind the other in one value. */
export type AttentionInput =
  | { readonly query: Value; readonly key: Value; readonly value: Value }
  | { readonly packed: Value };

/** Options of `groupQueryAttention`. */
export interface GroupQueryOptions {
  readonly headCount: number;
  readonly keyValueHeadCount: number;
  /** Size of a head. */
  readonly headSize: number;
  /** [b, g, p, d] each; left out when nothing is cached. */
  readonly past?: { readonly key: Value; readonly value: Value };
  /** int32 [b]: tokens in the cache after this call, less one (the op's `seqlens_k`). */
  readonly lastPosition: Value;
  /** int32 scalar: tokens in the cache after this call. */
  readonly totalLength: Value;
  /** Tables of cosines and sines [positions, d / 2]; the op rotates query and key when given. */
  readonly rotary?: { readonly cos: Value; readonly sin: Value };
}

function checkParts(op: string, input: AttentionInput, options: GroupQueryOptions): Value {
  const { headCount, keyValueHeadCount, headSize } = options;
  const query = 'packed' in input ? input.packed : input.query;
  ofRank(op, query, 3);
  const lead = query.shape.slice(0, 2);
  if ('packed' in input) {
    hasShape(op, 'query with key and value', query, [
      ...lead,
      (headCount + 2 * keyValueHeadCount) * headSize,
    ]);
    return query;
  }
  hasShape(op, 'query', query, [...lead, headCount * headSize]);
  hasShape(op, 'key', input.key, [...lead, keyValueHeadCount * headSize]);
  hasShape(op, 'value', input.value, [...lead, keyValueHeadCount * headSize]);
  sameType(op, query, input.key, input.value);
  return query;
}

/**
 * com.microsoft GroupQueryAttention, causal, with its cache: query [b, t, h * d], key and value
 * [b, t, g * d] -> output [b, t, h * d] and present key and value [b, g, p + t, d].
 */
export function groupQueryAttention(
  input: AttentionInput,
  options: GroupQueryOptions,
): CachedAttention {
  const op = 'GroupQueryAttention';
  const { headCount, keyValueHeadCount, headSize, past, rotary } = options;
  const query = checkParts(op, input, options);
  const { dtype } = query;
  const [batch, length] = [dimOf(query, 0), dimOf(query, 1)];
  if (past) {
    hasShape(op, 'past key', past.key, [batch, keyValueHeadCount, dimOf(past.key, 2), headSize]);
    hasShape(op, 'past value', past.value, past.key.shape);
    sameType(op, query, past.key, past.value);
  }
  ofType(op, options.lastPosition, 'int32');
  ofType(op, options.totalLength, 'int32');
  const cached = addDims(past ? dimOf(past.key, 2) : 0, length);
  const present = { dtype, shape: [batch, keyValueHeadCount, cached, headSize] };
  const parts =
    'packed' in input
      ? [input.packed, undefined, undefined]
      : [input.query, input.key, input.value];
  const [output, presentKey, presentValue] = makeValues(
    op,
    [
      ...parts,
      past?.key,
      past?.value,
      options.lastPosition,
      options.totalLength,
      rotary?.cos,
      rotary?.sin,
    ],
    [{ dtype, shape: [batch, length, headCount * headSize] }, present, present],
    {
      num_heads: attribute.int(headCount),
      kv_num_heads: attribute.int(keyValueHeadCount),
      do_rotary: attribute.int(rotary ? 1 : 0),
    },
    contrib,
  );
  return { output, presentKey, presentValue };
}

/** com.microsoft RotaryEmbedding: x [b, t, h * d] or [b, h, t, d], positions int64 [b, t], tables [positions, d / 2]. */
export function rotaryEmbedding(
  x: Value,
  positions: Value,
  cos: Value,
  sin: Value,
  headCount: number,
): Value {
  const op = 'RotaryEmbedding';
  ofType(op, positions, 'int64');
  const dtype = sameType(op, x, cos, sin);
  const attributes = { num_heads: attribute.int(headCount) };
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
