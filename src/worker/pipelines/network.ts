import type { NetworkModel } from '../networks/models.ts';
import {
  hostOutput,
  RuntimeError,
  Session,
  type HostTensor,
  type Provider,
} from '../runtime/index.ts';

/** Where networks of a model run. */
export interface Placement {
  readonly provider: Provider;
  readonly threads?: number;
}

/** A float32 array and its dimensions. */
export interface FloatTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/**
 * The sizes of a picture or of its latents, [1, channels, height, width].
 *
 * @throws RuntimeError for another number of dimensions.
 */
export function planeSizes({ dims }: FloatTensor): {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
} {
  const [, channels, height, width] = dims;
  if (channels === undefined || height === undefined || width === undefined) {
    throw new RuntimeError(`a tensor [${dims.join(', ')}] is no picture`);
  }
  return { channels, height, width };
}

/**
 * The sizes of rows, [1, count, width].
 *
 * @throws RuntimeError for another number of dimensions.
 */
export function rowSizes({ dims }: FloatTensor): {
  readonly count: number;
  readonly width: number;
} {
  const [, count, width] = dims;
  if (count === undefined || width === undefined) {
    throw new RuntimeError(`a tensor [${dims.join(', ')}] holds no rows`);
  }
  return { count, width };
}

/** Opens a session of a network. */
export function openNetwork(network: NetworkModel, placement: Placement): Promise<Session> {
  return Session.open(network.model, {
    provider: placement.provider,
    weightsFolder: network.weightsFolder,
    ...(network.memoryFiles === undefined ? {} : { memoryFiles: network.memoryFiles }),
    ...(network.keepWeightsMapped === undefined
      ? {}
      : { keepWeightsMapped: network.keepWeightsMapped }),
    ...(network.givesBack === undefined ? {} : { givesBack: network.givesBack }),
    ...(placement.threads === undefined ? {} : { threads: placement.threads }),
  });
}

/** Runs a session and gives the outputs named, which are float32. */
export async function runFloats<Name extends string>(
  session: Session,
  feeds: Readonly<Record<string, HostTensor>>,
  names: readonly Name[],
): Promise<Record<Name, FloatTensor>> {
  const outputs = await session.run(feeds, names);
  const entries = names.map((name) => {
    const { dims, data } = hostOutput(outputs, name, 'float32');
    return [name, { dims, data }] as const;
  });
  // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- fromEntries forgets which names there are
  return Object.fromEntries(entries) as Record<Name, FloatTensor>;
}
