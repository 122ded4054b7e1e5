/** Where tokens stand in the sequence, computed in the graph for either form of attention. */
import type { Dim, Value } from '../../graph/index.ts';
import {
  add,
  cast,
  concat,
  constant,
  dimOf,
  expandTo,
  less,
  lessOrEqual,
  range,
  reshape,
  shapeOf,
  squeeze,
  sub,
  tile,
  unsqueeze,
  where,
} from '../../graph/index.ts';
import type { GroupedPositions, LayerCache, TwoPartPositions } from './attention.ts';
import type { LlamaConfig } from './config.ts';
import type { Precision } from './weights.ts';

const int64 = (value: number): Value => constant(value, 'int64');

/** The number of tokens in x [b, t, ...]: int64 scalar. */
export function lengthOf(x: Value): Value {
  return squeeze(shapeOf(x, 1, 2), 0);
}

/** The place of a call after which `total` (int64 scalar) tokens are cached, for `batch` sequences. */
export function groupedPositions(total: Value, batch: Value | undefined): GroupedPositions {
  const totalLength = cast(total, 'int32');
  const last = reshape(sub(totalLength, constant(1, 'int32')), [1]);
  return { totalLength, lastPosition: batch ? expandTo(last, batch, ['batch']) : last };
}

/** What of the prefix counts, told by position: int64 [capacity], far ahead where nothing is. */
export function prefixPositions(prefix: LayerCache, pastLength: Value): Value {
  const capacity = squeeze(shapeOf(prefix.key, 2, 3), 0);
  const slots = range(int64(0), capacity, int64(1), 'capacity');
  // Every token of the prefix is seen by all that is fed, so its position may as well be -1.
  return where(less(slots, pastLength), int64(-1), int64(2 ** 40));
}

/** What the two-part form is told of a call. */
export interface TwoPartCall {
  readonly x: Value;
  /** int64 scalars: tokens before the run, before this call. */
  readonly pastLength: Value;
  readonly start: Value;
  /** Positions of the prefix's slots, and its caches; neither when the sequence starts with the run. */
  readonly prefix?: { readonly positions: Value; readonly caches: readonly LayerCache[] };
  /** Tokens fed by the call, and added by the run after it. */
  readonly fed: Dim;
  readonly added: Dim;
}

/**
 * The place of a call of the two-part form.
 *
 *  column positions [prefix | added] <= row positions  ->  0, else very negative; rows for each head
 */
export function twoPartPositions(
  config: LlamaConfig,
  precision: Precision,
  call: TwoPartCall,
): TwoPartPositions {
  const { x, pastLength, start, prefix, fed, added } = call;
  const end = add(start, lengthOf(x));
  const rows = range(start, end, int64(1), fed);
  const addedPositions = range(pastLength, end, int64(1), added);
  const columns = prefix ? concat([prefix.positions, addedPositions], 0) : addedPositions;
  const seen = lessOrEqual(columns, unsqueeze(rows, 1));
  const mask = where(seen, constant(0, precision.dtype), constant(-30000, precision.dtype));
  const addedCount = reshape(sub(end, pastLength), [1]);
  const firstKey = prefix?.caches[0]?.key;
  return {
    positions: expandTo(unsqueeze(rows, 0), shapeOf(x, 0, 2), [dimOf(x, 0), fed]),
    mask: tile(mask, [config.headCount / config.keyValueHeadCount, 1]),
    prefix: prefix?.caches,
    sizes: firstKey ? concat([shapeOf(firstKey, 2, 3), addedCount], 0) : addedCount,
  };
}
