/** The UNet's way down, its middle and its way up. Source: diffusers' `unet_2d_blocks`. */
import { GraphError } from '../../graph/graph-error.ts';
import { concat } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { labelled } from '../../graph/value.ts';
import { conv, upsampleTo } from '../layers.ts';
import type { NormOptions } from '../resnet.ts';
import { resnet } from '../resnet.ts';
import { spatialTransformer } from './attention.ts';
import type { UnetBlockWeights, UnetLayerWeights, UnetWeights } from './weights.ts';

/** What every block is given beside its picture. */
export interface Conditions {
  /** silu of the time embedding, [batch, size]. */
  readonly time: Value;
  /** [batch, length, size] */
  readonly text: Value;
  readonly norm: NormOptions;
}

/** x -> resnet -> transformer, if any */
function layer(x: Value, weights: UnetLayerWeights, conditions: Conditions): Value {
  const { time, text, norm } = conditions;
  const middle = resnet(x, weights.resnet, norm, time);
  if (!weights.transformer) return middle;
  return spatialTransformer(middle, text, weights.transformer, norm.groups);
}

/**
 *   x -> layer -> layer ... -> conv with stride 2, unless it is the last level
 *
 * @returns every stage's picture, in order; the way up takes them from the back.
 */
export function downBlock(
  x: Value,
  weights: UnetBlockWeights,
  conditions: Conditions,
): readonly Value[] {
  const stages: Value[] = [];
  weights.layers.forEach((each, index) => {
    const input = stages.at(-1) ?? x;
    stages.push(labelled(`layer${index}`, () => layer(input, each, conditions)));
  });
  const last = stages.at(-1) ?? x;
  return weights.resample ? [...stages, conv(last, weights.resample, { stride: 2 })] : stages;
}

/** x -> resnet -> transformer -> resnet */
export function midBlock(x: Value, weights: UnetWeights['mid'], conditions: Conditions): Value {
  const { time, text, norm } = conditions;
  const before = resnet(x, weights.before, norm, time);
  const seen = spatialTransformer(before, text, weights.transformer, norm.groups);
  return resnet(seen, weights.after, norm, time);
}

/** A picture kept on the way down. */
function next(kept: Value | undefined): Value {
  if (!kept) throw new GraphError('the way up asks for more pictures than the way down kept');
  return kept;
}

/**
 *   x ------+-> Concat -> layer ... -> Resize to the next kept picture's size -> conv, unless it is the last level
 *   kept ---+
 *
 * @param kept pictures of the way down that are still waiting; those used are taken off its end. A size that is not
 * a multiple of 2 was rounded up on the way down, so the next kept picture says what the size must be.
 */
export function upBlock(
  x: Value,
  weights: UnetBlockWeights,
  kept: Value[],
  conditions: Conditions,
): Value {
  let hidden = x;
  weights.layers.forEach((each, index) => {
    const skip = next(kept.pop());
    hidden = labelled(`layer${index}`, () => layer(concat([hidden, skip], 1), each, conditions));
  });
  if (!weights.resample) return hidden;
  return conv(upsampleTo(hidden, next(kept.at(-1))), weights.resample);
}
