/** What a graph is built for: the same network is written for every provider and precision. */
import type { DataType } from '../graph/data-type.ts';

/** Where a graph will run, and what it computes with inside; its inputs and outputs stay float32. */
export interface BuildTarget {
  readonly provider: 'cpu' | 'webgpu' | 'cuda';
  readonly precision: Extract<DataType, 'float32' | 'float16'>;
  /**
   * For weights whose matrices were folded to 8 bits: whether they are multiplied so (on a processor that does it
   * exactly) or widened when they are loaded. Undefined for weights that are not.
   */
  readonly folded?: 'eightBits' | 'widened' | undefined;
}

/** The target that every machine has. */
export const cpuTarget: BuildTarget = { provider: 'cpu', precision: 'float32' };

/** What suits a provider. CUDA's kernels for attention and group normalisation want half precision. */
export function targetFor(provider: BuildTarget['provider']): BuildTarget {
  return { provider, precision: provider === 'cuda' ? 'float16' : 'float32' };
}
