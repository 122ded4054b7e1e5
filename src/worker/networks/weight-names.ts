/** Parameters by their names in a checkpoint, in the groups that layers take, and adapters between spellings. */
import type { StoredTensor, WeightSource } from '../graph/serialise.ts';
import type { Value } from '../graph/value.ts';
import { parameter } from '../graph/value.ts';
import type { BuildTarget } from './target.ts';

/** A matrix [outputs, inputs] as PyTorch's Linear stores it, and its bias [outputs]. */
export interface LinearWeights {
  readonly weight: Value;
  readonly bias: Value | undefined;
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

/** `name.weight` [outputs, inputs] and, unless it has none, `name.bias`. */
export function linearWeights(
  target: BuildTarget,
  name: string,
  inputs: number,
  outputs: number,
  options: { readonly hasBias?: boolean } = {},
): LinearWeights {
  const hasBias = options.hasBias ?? true;
  return {
    weight: parameter(`${name}.weight`, [outputs, inputs], target.precision),
    bias: hasBias ? parameter(`${name}.bias`, [outputs], target.precision) : undefined,
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

/**
 * The same tensors under other names.
 *
 * @param storedName the checkpoint's name for one of ours.
 * @param ourName the reverse, for listing; undefined leaves the tensor out of the list.
 */
export function renamed(
  source: WeightSource,
  storedName: (name: string) => string,
  ourName: (name: string) => string | undefined,
): WeightSource {
  return {
    find: (name: string): StoredTensor | undefined => source.find(storedName(name)),
    *names(): Iterable<string> {
      for (const name of source.names()) {
        const ours = ourName(name);
        if (ours !== undefined) yield ours;
      }
    },
  };
}

/** Looks under `prefix` + name if the checkpoint has `probe` there, else under the bare name. */
export function withOptionalPrefix(
  source: WeightSource,
  prefix: string,
  probe: string,
): WeightSource {
  if (source.find(prefix + probe) === undefined) return source;
  return renamed(
    source,
    (name) => prefix + name,
    (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : undefined),
  );
}
