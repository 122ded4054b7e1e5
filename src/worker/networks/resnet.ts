/** The residual block that UNet and autoencoder are made of. Source: diffusers' `ResnetBlock2D`. */
import { add, mul, split, unsqueeze } from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { activation, conv, groupNorm, linear } from './layers.ts';
import type { BuildTarget } from './target.ts';
import type { ConvWeights, GroupNormWeights, LinearWeights } from './weight-names.ts';
import { convWeights, groupNormWeights, linearWeights } from './weight-names.ts';

/** How a block learns of the time embedding: an addend before its second norm, or a scale and a shift behind it. */
export interface TimeWeights {
  readonly projection: LinearWeights;
  /** diffusers' `scale_shift`; the projection is twice as wide then. */
  readonly scales: boolean;
}

/** The time embedding of a network's blocks. */
export interface TimeOptions {
  readonly size: number;
  readonly scales: boolean;
}

/** One block; the autoencoder's have no time, and only a block that changes the channels has a shortcut. */
export interface ResnetWeights {
  readonly norm1: GroupNormWeights;
  readonly conv1: ConvWeights;
  readonly time: TimeWeights | undefined;
  readonly norm2: GroupNormWeights;
  readonly conv2: ConvWeights;
  readonly shortcut: ConvWeights | undefined;
}

/** Declares a block's tensors by their names under `name`. */
export function resnetWeights(
  target: BuildTarget,
  name: string,
  inputs: number,
  outputs: number,
  time?: TimeOptions,
): ResnetWeights {
  return {
    norm1: groupNormWeights(target, `${name}.norm1`, inputs),
    conv1: convWeights(target, `${name}.conv1`, inputs, outputs, 3),
    time: time && timeWeights(target, `${name}.time_emb_proj`, time, outputs),
    norm2: groupNormWeights(target, `${name}.norm2`, outputs),
    conv2: convWeights(target, `${name}.conv2`, outputs, outputs, 3),
    shortcut:
      inputs === outputs
        ? undefined
        : convWeights(target, `${name}.conv_shortcut`, inputs, outputs, 1),
  };
}

function timeWeights(
  target: BuildTarget,
  name: string,
  { size, scales }: TimeOptions,
  outputs: number,
): TimeWeights {
  const width = scales ? 2 * outputs : outputs;
  return { projection: linearWeights(target, name, size, width, { neverFolded: true }), scales };
}

/** What the norms of a network have in common. */
export interface NormOptions {
  readonly groups: number;
  readonly epsilon: number;
}

/**
 *   x -> norm -> silu -> conv -> Add time -> norm -> silu -> conv -> Add x (or shortcut of x)
 *   x -> norm -> silu -> conv -> norm -> Mul 1 + scale, Add shift -> silu -> conv -> Add x (or shortcut of x)
 *
 * @param x [b, c, h, w]
 * @param time silu of the time embedding, [b, size]; silu is the same for all blocks, so it is taken once.
 */
export function resnet(x: Value, weights: ResnetWeights, norm: NormOptions, time?: Value): Value {
  const first = activation(groupNorm(x, weights.norm1, norm.groups, norm.epsilon), 'silu');
  const middle = conv(first, weights.conv1);
  const timed = normalisedWithTime(middle, weights, norm, time);
  const residual = weights.shortcut ? conv(x, weights.shortcut) : x;
  return add(residual, conv(activation(timed, 'silu'), weights.conv2));
}

/** The second norm, with what the block has of the time before it or behind it. */
function normalisedWithTime(
  x: Value,
  weights: ResnetWeights,
  { groups, epsilon }: NormOptions,
  time?: Value,
): Value {
  if (!time || !weights.time) return groupNorm(x, weights.norm2, groups, epsilon);
  const told = unsqueeze(linear(time, weights.time.projection), 2, 3);
  if (!weights.time.scales) return groupNorm(add(x, told), weights.norm2, groups, epsilon);
  const width = Number(told.shape[1]) / 2;
  const [scale, shift] = split(told, [width, width], 1);
  const normalised = groupNorm(x, weights.norm2, groups, epsilon);
  return add(add(mul(normalised, scale), normalised), shift);
}
