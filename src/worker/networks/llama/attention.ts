/**
 * Two ways to attend to a cache. `grouped` is one op, GroupQueryAttention, which copies the cache to
 * make it longer; `twoPart` leaves what was cached before the run where it is and attends to it and
 * to what the run has added as two parts. Figures in DESIGN.md.
 */
import type { AttentionInput, Value } from '../../graph/index.ts';
import {
  add,
  concat,
  dimOf,
  fusedMatMul,
  groupQueryAttention,
  matMul,
  reshape,
  rotaryEmbedding,
  softmax,
  splitBy,
  split,
  transpose,
} from '../../graph/index.ts';
import type { LlamaConfig } from './config.ts';

/** Keys and values of one layer: [b, keyValueHeadCount, tokens, headSize] each. */
export interface LayerCache {
  readonly key: Value;
  readonly value: Value;
}

/** Tables [positions, headSize / 2]. */
export interface RotaryTables {
  readonly cos: Value;
  readonly sin: Value;
}

/** Attention of one layer: what it gives to the next op, and the cache after it. */
export interface Attended {
  readonly output: Value;
  readonly present: LayerCache;
}

/** Attends in one layer; `past` is that layer's cache so far. */
export type Attend = (
  layer: number,
  input: AttentionInput,
  past: LayerCache | undefined,
) => Attended;

/** Where a call of the grouped form stands in the sequence. */
export interface GroupedPositions {
  /** int32 [b]: position of the last token fed. */
  readonly lastPosition: Value;
  /** int32 scalar: tokens cached after the call. */
  readonly totalLength: Value;
}

/** Attention as GroupQueryAttention. Its CPU kernel wants heads of a multiple of 16. */
export function groupedAttention(
  config: LlamaConfig,
  rotary: RotaryTables,
  place: GroupedPositions,
): Attend {
  const { headCount, keyValueHeadCount, headSize } = config;
  return (_layer, input, past) => {
    const options = {
      headCount,
      keyValueHeadCount,
      headSize,
      rotary,
      ...place,
      ...(past ? { past } : {}),
    };
    const { output, presentKey, presentValue } = groupQueryAttention(input, options);
    return { output, present: { key: presentKey, value: presentValue } };
  };
}

/** Where a call of the two-part form stands. Rows of the scores are (head of the group, token). */
export interface TwoPartPositions {
  /** int64 [b, t]: positions of the tokens fed. */
  readonly positions: Value;
  /** float [heads / keyValueHeadCount * t, prefix + added]: 0, or very negative where not to look. */
  readonly mask: Value;
  /** What was cached before the run, per layer; none when the sequence starts here. */
  readonly prefix: readonly LayerCache[] | undefined;
  /** int64 [2]: tokens of the prefix, tokens added. */
  readonly sizes: Value;
}

function packed(input: AttentionInput): Value {
  return 'packed' in input ? input.packed : concat([input.query, input.key, input.value], -1);
}

/**
 *  qkv -- heads first -- split -- rotate q, k -- k, v behind those added before
 *
 *  q x prefix keys ---+                         +-- x prefix values --+
 *                     concat -- mask -- softmax                       add -- tokens first
 *  q x added keys ----+                         +-- x added values ---+
 */
export function twoPartAttention(
  config: LlamaConfig,
  rotary: RotaryTables,
  place: TwoPartPositions,
): Attend {
  const { headCount, keyValueHeadCount: groups, headSize } = config;
  const alpha = 1 / Math.sqrt(headSize);
  return (layer, input, past) => {
    const all = packed(input);
    const [batch, length] = [dimOf(all, 0), dimOf(all, 1)];
    const headsFirst = transpose(
      reshape(all, [batch, length, headCount + 2 * groups, headSize]),
      [0, 2, 1, 3],
    );
    const [turning, newValue] = split(headsFirst, [headCount + groups, groups], 1);
    const turned = rotaryEmbedding(
      turning,
      place.positions,
      rotary.cos,
      rotary.sin,
      headCount + groups,
    );
    const [query, newKey] = split(turned, [headCount, groups], 1);
    const rows = reshape(query, [batch, groups, -1, headSize]);
    const key = past ? concat([past.key, newKey], 2) : newKey;
    const value = past ? concat([past.value, newValue], 2) : newValue;
    const added = fusedMatMul(rows, key, { transB: true, alpha });
    const prefix = place.prefix?.[layer];
    const mixed = prefix
      ? mixBoth(rows, prefix, { added, value }, place, alpha)
      : matMul(softmax(add(added, place.mask)), value);
    const perHead = reshape(mixed, [batch, headCount, length, headSize]);
    const output = reshape(transpose(perHead, [0, 2, 1, 3]), [batch, length, headCount * headSize]);
    return { output, present: { key, value } };
  };
}

function mixBoth(
  rows: Value,
  prefix: LayerCache,
  { added, value }: { readonly added: Value; readonly value: Value },
  place: TwoPartPositions,
  alpha: number,
): Value {
  const earlier = fusedMatMul(rows, prefix.key, { transB: true, alpha });
  const weights = softmax(add(concat([earlier, added], -1), place.mask));
  const sizes = [dimOf(prefix.key, 2), dimOf(value, 2)] as const;
  const [toPrefix, toAdded] = splitBy(weights, place.sizes, sizes, -1);
  return add(matMul(toPrefix, prefix.value), matMul(toAdded, value));
}
