/** Parameters by their names in a checkpoint, in the groups that layers take, and adapters between spellings. */
import type { Value } from '../graph/value.ts';
import { parameter } from '../graph/value.ts';
import type { Checkpoint } from '../weights/index.ts';
import { withPrefix } from '../weights/index.ts';
import { eightBitWeights, type EightBitWeights } from './eight-bit.ts';
import type { BuildTarget } from './target.ts';

/** A matrix [outputs, inputs] as PyTorch's Linear stores it, or folded to 8 bits, and its bias [outputs]. */
export type LinearWeights = {
  readonly bias: Value | undefined;
  readonly target: BuildTarget;
} & ({ readonly weight: Value } | { readonly folded: EightBitWeights });

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

/** `name.weight` [outputs, inputs], or what it was folded to, and, unless it has none, `name.bias`. */
export function linearWeights(
  target: BuildTarget,
  name: string,
  inputs: number,
  outputs: number,
  options: LinearOptions = {},
): LinearWeights {
  const { hasBias = true, reshaped = false, neverFolded = false } = options;
  const { precision } = target;
  const bias = hasBias ? parameter(`${name}.bias`, [outputs], precision) : undefined;
  if (target.folded !== undefined && !neverFolded) {
    return { folded: eightBitWeights(`${name}.weight`, outputs, inputs), bias, target };
  }
  const weight = parameter(`${name}.weight`, [outputs, inputs], precision, { reshaped });
  return { weight, bias, target };
}

export interface LinearOptions {
  /** Default: it has one. */
  readonly hasBias?: boolean;
  /** The checkpoint may hold the matrix as a 1 x 1 convolution, as older models do. */
  readonly reshaped?: boolean;
  /** Stays floating point where others are folded to 8 bits: small, and all of a picture follows from it. */
  readonly neverFolded?: boolean;
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
