export { gigabytes } from '../../../shared/words.ts';
import type { NetworkSizes } from '../../networks/models.ts';

/** What one part of a model takes of memory, bytes. */
export interface PartNeeds {
  /** As a person knows it. */
  readonly part: string;
  /** Once it is open. */
  readonly held: number;
  /** On top of that while it runs. */
  readonly working: number;
}

/**
 * What opening takes of the weights' bytes as they are computed with: half precision on disk becomes single precision
 * on the processor, and convolutions are laid out anew. Measured, see src/worker/DESIGN.md.
 */
const openedShare = 1.25;
/** What running takes of the graph's own values: kernels work in buffers, and the runtime's arena grows in leaps. */
const runningShare = 1.4;

/** The needs of networks that are open together and run one after the other. */
export function needsOf(
  part: string,
  networks: readonly {
    readonly network: NetworkSizes;
    readonly sizes?: Readonly<Record<string, number>>;
  }[],
  extra = 0,
): PartNeeds {
  const weights = networks.reduce((sum, { network }) => sum + network.parameterBytes, 0);
  const runs = networks.map(({ network, sizes }) =>
    sizes === undefined ? 0 : network.workingBytes(sizes),
  );
  return {
    part,
    held: Math.round(weights * openedShare + extra),
    working: Math.round(Math.max(0, ...runs) * runningShare),
  };
}

/** Bytes of parts that stay open together, of which one runs at a time. */
export function togetherBytes(parts: readonly PartNeeds[]): number {
  const held = parts.reduce((sum, part) => sum + part.held, 0);
  return held + Math.max(0, ...parts.map(({ working }) => working));
}

/** Bytes of parts that are opened one after the other, each leaving before the next. */
export function oneByOneBytes(parts: readonly PartNeeds[]): number {
  return Math.max(0, ...parts.map(({ held, working }) => held + working));
}
