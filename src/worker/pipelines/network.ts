import type { NetworkModel } from '../networks/models.ts';
import { hostOutput, Session, type HostTensor, type Provider } from '../runtime/index.ts';

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

/** Opens a session of a network. */
export function openNetwork(network: NetworkModel, placement: Placement): Promise<Session> {
  return Session.open(network.model, {
    provider: placement.provider,
    weightsFolder: network.weightsFolder,
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
  return Object.fromEntries(entries) as Record<Name, FloatTensor>;
}
