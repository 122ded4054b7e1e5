/** SDXL's UNet as a graph. Source: diffusers' `UNet2DConditionModel`. */
import type { Dim } from '../../graph/dim.ts';
import type { Graph } from '../../graph/graph.ts';
import { finishGraph } from '../../graph/graph.ts';
import { cast } from '../../graph/ops/index.ts';
import { input, labelled } from '../../graph/value.ts';
import { activation, conv, floatInput, groupNorm } from '../layers.ts';
import type { BuildTarget } from '../target.ts';
import type { Conditions } from './blocks.ts';
import { downBlock, midBlock, upBlock } from './blocks.ts';
import type { UnetConfig } from './config.ts';
import { timeEmbedding } from './time.ts';
import { unetWeights } from './weights.ts';

/** Sizes that may be fixed; each is a symbol otherwise. Height and width are the latents'. */
export interface UnetDims {
  readonly batch?: Dim;
  readonly height?: Dim;
  readonly width?: Dim;
  /** Tokens of text. */
  readonly length?: Dim;
}

/**
 * The whole network.
 *
 *   sample [batch, channels, height, width] -> conv -> down blocks -> mid -> up blocks -> norm -> silu -> conv
 *     -> noise_pred [batch, channels, height, width]
 *   timestep [1], text_embeds [batch, textSize], time_ids [batch, count] -> time embedding -> every residual block
 *   encoder_hidden_states [batch, length, size] -> every transformer
 *
 * Inputs and outputs are float32 whatever the target's precision is. Height and width may be odd.
 */
export function buildUnet(config: UnetConfig, target: BuildTarget, dims: UnetDims = {}): Graph {
  const { batch = 'batch', height = 'height', width = 'width', length = 'length' } = dims;
  const weights = unetWeights(config, target);
  const sample = floatInput(target, 'sample', [batch, config.inChannels, height, width]);
  const text = floatInput(target, 'encoder_hidden_states', [
    batch,
    length,
    config.crossAttentionSize,
  ]);
  const timestep = input('timestep', 'float32', [1]);
  const textEmbeds = input('text_embeds', 'float32', [batch, 'textSize']);
  const timeIds = input('time_ids', 'float32', [batch, 'count']);
  const norm = { groups: config.normGroups, epsilon: config.normEpsilon };
  const time = labelled('time', () =>
    activation(timeEmbedding({ timestep, textEmbeds, timeIds }, weights, config), 'silu'),
  );
  const conditions: Conditions = { time, text: text.inner, norm };

  const entry = conv(sample.inner, weights.convIn);
  const kept = [entry];
  weights.down.forEach((block, index) => {
    const last = kept.at(-1) ?? entry;
    kept.push(...labelled(`down${index}`, () => downBlock(last, block, conditions)));
  });
  const bottom = kept.at(-1) ?? entry;
  let hidden = labelled('mid', () => midBlock(bottom, weights.mid, conditions));
  weights.up.forEach((block, index) => {
    hidden = labelled(`up${index}`, () => upBlock(hidden, block, kept, conditions));
  });
  const normalised = activation(
    groupNorm(hidden, weights.normOut, norm.groups, norm.epsilon),
    'silu',
  );
  const noise = conv(normalised, weights.convOut);
  return finishGraph('unet', [sample.outer, timestep, text.outer, textEmbeds, timeIds], {
    noise_pred: cast(noise, 'float32'),
  });
}
