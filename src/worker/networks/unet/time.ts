/** The UNet's time embedding with SDXL's added conditions. Source: diffusers' `get_timestep_embedding`. */
import {
  add,
  cast,
  concat,
  cos,
  mul,
  reshape,
  sin,
  unsqueeze,
  withShape,
} from '../../graph/ops/index.ts';
import { mulDims } from '../../graph/dim.ts';
import type { Value } from '../../graph/value.ts';
import { constant } from '../../graph/value.ts';
import { activation, linear } from '../layers.ts';
import type { UnetConfig } from './config.ts';
import type { EmbeddingWeights, UnetWeights } from './weights.ts';

const maxPeriod = 10000;

/**
 * The i-th frequency is maxPeriod ^ (-i / (size / 2 - shift)), rounded after each step as the reference rounds it: at
 * time 981 the last bit of a frequency is worth 6e-5 in its wave.
 */
function frequencies(half: number, shift: number): readonly number[] {
  return Array.from({ length: half }, (_, index) => {
    const exponent = Math.fround(Math.fround(-Math.log(maxPeriod) * index) / (half - shift));
    return Math.exp(Math.fround(exponent));
  });
}

/**
 * Sinusoids of numbers: x [...] -> [..., size], cosines first if the configuration flips them.
 *
 * Angles are float32, as in the reference; their waves are taken in float64. GPUs' own sine is off by 1e-3 at the
 * hundreds of radians that occur here, and WebGPU has no float64, so there the runtime takes these few on the CPU.
 */
function sinusoids(x: Value, size: number, config: UnetConfig): Value {
  const scale = constant(frequencies(size / 2, config.frequencyShift), 'float32');
  const angles = cast(mul(unsqueeze(x, x.shape.length), scale), 'float64');
  const waves = config.flipSinToCos ? [cos(angles), sin(angles)] : [sin(angles), cos(angles)];
  return cast(concat(waves, -1), 'float32');
}

/** linear -> silu -> linear */
function embed(x: Value, weights: EmbeddingWeights): Value {
  return linear(activation(linear(x, weights.linear1), 'silu'), weights.linear2);
}

/** The conditions that are not pictures or tokens; all float32. */
export interface TimeInputs {
  /** [1], one time for the whole batch. */
  readonly timestep: Value;
  /** [batch, textSize], the second text encoder's pooled output. */
  readonly textEmbeds: Value;
  /** [batch, count] */
  readonly timeIds: Value;
}

/**
 *   timestep [1] -> sinusoids -> embed --------------------------------------+-> Add -> [batch, size]
 *   time_ids [batch, n] -> sinusoids -> Reshape --+                          |
 *   text_embeds [batch, textSize] ----------------+-> Concat -> embed -------+
 */
export function timeEmbedding(inputs: TimeInputs, weights: UnetWeights, config: UnetConfig): Value {
  const { timestep, textEmbeds, timeIds } = inputs;
  const dtype = weights.convIn.weight.dtype;
  const [batch = 1, count = 1] = timeIds.shape;
  const { additionTimeEmbedSize } = config;
  const time = cast(sinusoids(timestep, config.levels[0].channels, config), dtype);
  const ids = reshape(sinusoids(timeIds, additionTimeEmbedSize, config), [
    batch,
    mulDims(count, additionTimeEmbedSize),
  ]);
  // The sizes of text_embeds and time_ids are known only together.
  const added = withShape(concat([textEmbeds, ids], 1), [batch, config.additionInputSize]);
  return add(embed(time, weights.timeEmbedding), embed(cast(added, dtype), weights.addEmbedding));
}
