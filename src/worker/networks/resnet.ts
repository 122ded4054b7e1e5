/** The residual block that UNet and autoencoder are made of. Source: diffusers' `ResnetBlock2D`. */
import { add, unsqueeze } from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { activation, conv, groupNorm, linear } from './layers.ts';
import type { BuildTarget } from './target.ts';
import type { ConvWeights, GroupNormWeights, LinearWeights } from './weight-names.ts';
import { convWeights, groupNormWeights, linearWeights } from './weight-names.ts';

/** One block; the autoencoder's have no time, and only a block that changes the channels has a shortcut. */
export interface ResnetWeights {
  readonly norm1: GroupNormWeights;
  readonly conv1: ConvWeights;
  readonly timeProjection: LinearWeights | undefined;
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
  timeEmbedSize?: number,
): ResnetWeights {
  return {
    norm1: groupNormWeights(target, `${name}.norm1`, inputs),
    conv1: convWeights(target, `${name}.conv1`, inputs, outputs, 3),
    timeProjection:
      timeEmbedSize === undefined
        ? undefined
        : linearWeights(target, `${name}.time_emb_proj`, timeEmbedSize, outputs),
    norm2: groupNormWeights(target, `${name}.norm2`, outputs),
    conv2: convWeights(target, `${name}.conv2`, outputs, outputs, 3),
    shortcut:
      inputs === outputs
        ? undefined
        : convWeights(target, `${name}.conv_shortcut`, inputs, outputs, 1),
  };
}

/** What the norms of a network have in common. */
export interface NormOptions {
  readonly groups: number;
  readonly epsilon: number;
}

/**
 *   x -> norm -> silu -> conv -> Add time -> norm -> silu -> conv -> Add x (or shortcut of x)
 *
 * @param x [b, c, h, w]
 * @param time silu of the time embedding, [b, size]; silu is the same for all blocks, so it is taken once.
 */
export function resnet(x: Value, weights: ResnetWeights, norm: NormOptions, time?: Value): Value {
  const first = activation(groupNorm(x, weights.norm1, norm.groups, norm.epsilon), 'silu');
  const middle = conv(first, weights.conv1);
  const timed =
    time && weights.timeProjection
      ? add(middle, unsqueeze(linear(time, weights.timeProjection), 2, 3))
      : middle;
  const second = activation(groupNorm(timed, weights.norm2, norm.groups, norm.epsilon), 'silu');
  const residual = weights.shortcut ? conv(x, weights.shortcut) : x;
  return add(residual, conv(second, weights.conv2));
}
