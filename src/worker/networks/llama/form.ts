/** How the language model's graphs are written for a target. */
import type { BuildTarget } from '../target.ts';
import type { LlamaConfig } from './config.ts';
import type { Precision } from './weights.ts';

/** What is asked of the graphs beside their target. */
export interface LlamaOptions {
  /** Positions that the rotary tables cover: the longest sequence. */
  readonly positions: number;
  /** See attention.ts. Default: what suits the target. */
  readonly attention?: 'grouped' | 'twoPart' | undefined;
  /** For quantised weights, see `matMulNBits`. Default: what suits the target. */
  readonly accuracyLevel?: Precision['accuracyLevel'] | undefined;
  /** For quantised weights, on the processor. Default: the blocks as they are stored. */
  readonly products?: Precision['products'] | undefined;
}

/** Options with nothing left open. */
export interface GraphForm extends Precision {
  readonly positions: number;
  readonly attention: 'grouped' | 'twoPart';
}

/**
 * The form of a target. On the CPU the two-part attention is the faster one and takes heads of any size; GPUs want
 * few, large ops.
 */
export function graphForm(
  config: LlamaConfig,
  { provider, precision }: BuildTarget,
  options: LlamaOptions,
): GraphForm {
  const canGroup = provider !== 'cpu' && config.headSize % 16 === 0;
  return {
    dtype: precision,
    positions: options.positions,
    attention: options.attention ?? (canGroup ? 'grouped' : 'twoPart'),
    products: options.products ?? 'blocks',
    accuracyLevel: options.accuracyLevel ?? (provider === 'cpu' ? 4 : 0),
  };
}
