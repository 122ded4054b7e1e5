/** Parameters by their names in a checkpoint, in the groups that layers take, and adapters between spellings. */
import type { Value } from '../graph/value.ts';
import { parameter } from '../graph/value.ts';
import type { Checkpoint } from '../weights/index.ts';
import { withPrefix } from '../weights/index.ts';
import type { BuildTarget } from './target.ts';

/** A matrix [outputs, inputs] as PyTorch's Linear stores it, and its bias [outputs]. */
export interface LinearWeights {
  readonly weight: Value;
  readonly bias: Value | undefined;
  readonly provider: BuildTarget['provider'];
}

/** A kernel [outputs, inputs, height, width] and its bias [outputs]. */
export interface ConvWeights {
  readonly weight: Value;
  readonly bias: Value;
}

/** Scale and shift a channel. */
export interface NormWeights {
  readonly weight: Value;
  readonly bias: Value;
}

/** Scale and shift a channel, both [channels, 1, 1]. */
export interface GroupNormWeights {
  readonly weight: Value;
  readonly bias: Value;
}

/**
 * `name.weight` [outputs, inputs] and, unless it has none, `name.bias`.
 *
 * @param options.reshaped the checkpoint may hold the matrix as a 1 x 1 convolution, as older models do.
 */
export function linearWeights(
  target: BuildTarget,
  name: string,
  inputs: number,
  outputs: number,
  options: { readonly hasBias?: boolean; readonly reshaped?: boolean } = {},
): LinearWeights {
  const { hasBias = true, reshaped = false } = options;
  const { precision, provider } = target;
  return {
    weight: parameter(`${name}.weight`, [outputs, inputs], precision, { reshaped }),
    bias: hasBias ? parameter(`${name}.bias`, [outputs], precision) : undefined,
    provider,
  };
}

/** `name.weight` [outputs, inputs, kernel, kernel] and `name.bias`. */
export function convWeights(
  target: BuildTarget,
  name: string,
  inputs: number,
  outputs: number,
  kernel: number,
): ConvWeights {
  return {
    weight: parameter(`${name}.weight`, [outputs, inputs, kernel, kernel], target.precision),
    bias: parameter(`${name}.bias`, [outputs], target.precision),
  };
}

/** `name.weight` and `name.bias`, both [channels]. */
export function normWeights(target: BuildTarget, name: string, channels: number): NormWeights {
  return {
    weight: parameter(`${name}.weight`, [channels], target.precision),
    bias: parameter(`${name}.bias`, [channels], target.precision),
  };
}

/** `name.weight` and `name.bias`, [channels] in the checkpoint and [channels, 1, 1] in the graph. */
export function groupNormWeights(
  target: BuildTarget,
  name: string,
  channels: number,
): GroupNormWeights {
  const declare = (part: string): Value =>
    parameter(`${name}.${part}`, [channels, 1, 1], target.precision, { reshaped: true });
  return { weight: declare('weight'), bias: declare('bias') };
}

/** Looks under `prefix` + name if the checkpoint has `probe` there, else under the bare name. */
export function withOptionalPrefix(
  checkpoint: Checkpoint,
  prefix: string,
  probe: string,
): Checkpoint {
  return checkpoint.find(prefix + probe) ? withPrefix(checkpoint, prefix) : checkpoint;
}
