/** Choosing the next token inside the graph. */
import type { Value } from '../../graph/index.ts';
import {
  and,
  argMax,
  cast,
  constant,
  cumSum,
  div,
  exp,
  gather,
  greater,
  greaterOrEqual,
  ifElse,
  less,
  lessOrEqual,
  min,
  mul,
  numberDim,
  or,
  reduceMax,
  reduceSum,
  reshape,
  slice,
  squeeze,
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

/** Candidates looked at first; sorting a whole vocabulary costs as much as a third of the network. */
const firstCandidates = 1024;

const zero = constant(0, 'float32');
const one = constant(1, 'float32');
const int64 = (value: number): Value => constant(value, 'int64');

interface Pick {
  readonly token: Value;
  /** bool scalar: more candidates could not change the token. */
  readonly settled: Value;
}

/**
 * One of the `count` likeliest tokens:
 *
 *  logits -- TopK -- e = exp((logit - largest) / temperature) -- p = e / total -- cumulative c
 *  kept: c - p < topP;  wanted = uniform * probability kept;  the first kept with c > wanted
 *
 * With top-k, `total` is that of the candidates; without, that of all logits, so that p does not
 * depend on how many candidates are looked at.
 */
function pick(logits: Value, count: Value, controls: SampleControls): Pick {
  const { topP, uniform } = controls;
  const limited = greater(controls.topK, int64(0));
  const largest = reduceMax(logits, [1], true);
  const power = (x: Value): Value => exp(div(sub(x, largest), controls.temperature));
  const top = takeTop(logits, reshape(count, [1]), 'candidates');
  const e = power(top.values);
  const total = where(limited, reduceSum(e, [1], true), reduceSum(power(logits), [1], true));
  const p = div(e, total);
  const c = cumSum(p, 1);
  const kept = less(sub(c, p), topP);
  const all = greaterOrEqual(topP, one);
  const probability = where(all, one, reduceSum(where(kept, p, zero), [1], true));
  const wanted = mul(uniform, probability);
  const before = reduceSum(cast(and(kept, lessOrEqual(c, wanted)), 'int64'), [1], false);
  const last = sub(reduceSum(cast(kept, 'int64'), [1], false), constant([1], 'int64'));
  const reached = squeeze(slice(c, 1, -1), 0, 1);
  const settled = or(limited, or(less(topP, reached), and(all, less(uniform, reached))));
  return { token: gather(reshape(top.indices, [-1]), min(before, last)), settled };
}

/** The likeliest `topK`, of these the fewest that together reach `topP`, one of these by `uniform`. */
function drawn(logits: Value, controls: SampleControls): Value {
  const vocabulary = numberDim('sample', logits, -1);
  const unlimited = int64(Math.min(firstCandidates, vocabulary));
  const limited = greater(controls.topK, int64(0));
  const first = pick(
    logits,
    where(limited, min(controls.topK, int64(vocabulary)), unlimited),
    controls,
  );
  if (vocabulary <= firstCandidates) return first.token;
  const [token] = ifElse(
    first.settled,
    () => [first.token],
    () => [pick(logits, int64(vocabulary), controls).token],
  );
  return token;
}

/** The next token, int64 [1], from logits float32 [1, vocabulary]. Only one branch is computed. */
export function sample(logits: Value, controls: SampleControls): Value {
  const [token] = ifElse(
    greater(controls.temperature, zero),
    () => [drawn(logits, controls)],
    () => [argMax(logits, -1)],
  );
  return token;
}
