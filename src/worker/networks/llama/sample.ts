/** Choosing the next token inside the graph. */
import type { Value } from '../../graph/index.ts';
import {
  and,
  argMax,
  cast,
  constant,
  cumSum,
  dimOf,
  div,
  gather,
  greater,
  ifElse,
  less,
  lessOrEqual,
  min,
  mul,
  reduceSum,
  reshape,
  softmax,
  sub,
  topK as takeTop,
  where,
} from '../../graph/index.ts';

/** How to choose. All are scalars of the graph. */
export interface SampleControls {
  /** float32; 0 or less takes the likeliest token. */
  readonly temperature: Value;
  /** int64; 0 or less keeps all. */
  readonly topK: Value;
  /** float32, above 0; 1 keeps all. */
  readonly topP: Value;
  /** float32 in [0, 1). */
  readonly uniform: Value;
}

const zero = constant(0, 'float32');

/**
 * The likeliest `topK`, of these the fewest that together reach `topP`, one of these by `uniform`:
 *
 *  logits -- TopK -- / temperature -- softmax -- p -- cumulative c
 *  kept: c - p < topP;  wanted = uniform * sum of kept p;  the first kept with c > wanted
 */
function drawn(logits: Value, controls: SampleControls): Value {
  const vocabulary = dimOf(logits, -1) as number;
  const all = constant(vocabulary, 'int64');
  const limited = where(greater(controls.topK, constant(0, 'int64')), min(controls.topK, all), all);
  const top = takeTop(logits, reshape(limited, [1]), 'candidates');
  const p = softmax(div(top.values, controls.temperature));
  const c = cumSum(p, 1);
  const kept = less(sub(c, p), controls.topP);
  const keptCount = reduceSum(cast(kept, 'int32'), [1], false);
  const wanted = mul(controls.uniform, reduceSum(where(kept, p, zero), [1], true));
  const before = reduceSum(cast(and(kept, lessOrEqual(c, wanted)), 'int32'), [1], false);
  const index = min(before, sub(keptCount, constant([1], 'int32')));
  return gather(reshape(top.indices, [-1]), index);
}

/** The next token, int64 [1], from logits float32 [1, vocabulary]. Only one branch is computed. */
export function sample(logits: Value, controls: SampleControls): Value {
  const [token] = ifElse(
    greater(controls.temperature, zero),
    () => [drawn(logits, controls)],
    () => [argMax(logits, -1)],
  );
  return token as Value;
}
