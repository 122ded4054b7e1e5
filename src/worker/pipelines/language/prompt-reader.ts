import {
  cacheNames,
  eightBitLayerBytes,
  hasStoredEightBits,
  readerParts,
  type LayerRange,
  type LlamaConfig,
} from '../../networks/index.ts';
import { readerModel, type NetworkModel } from '../../networks/models.ts';
import type { Session, SessionTensor } from '../../runtime/index.ts';
import { float32Tensor, hostOutput, int64Tensor, outputOf } from '../../runtime/index.ts';
import type { Checkpoint } from '../../weights/index.ts';
import { availableMemory } from '../memory/available.ts';
import { hasEightBitProducts } from './eight-bit-products.ts';
import type { KeyValueCache } from './key-value-cache.ts';

/** Fewer positions are read by the decoder: its products of few rows are as fast. */
export const leastReaderPositions = 8;

/** Folding takes a second for about 200 MB on one core; more than this would hold a model's opening up too long. */
const largestBytes = 2e9;
/** What must be free for each byte of 8-bit weights: the model's bytes, what the runtime makes of them, and room. */
const freeShare = 4;

/** The same where they are stored and the system maps their files: less would have them read from the disk each time. */
const mappedShare = 1.2;

/** Bytes of the 8-bit weights that a model's prompts would be read with; 0 where there is nothing to fold, or too much. */
export function readerBytes(config: LlamaConfig): number {
  const bytes = eightBitLayerBytes(config) * config.layerCount;
  return config.quantisation === undefined || bytes > largestBytes ? 0 : bytes;
}

interface Part {
  readonly session: Session;
  readonly range: LayerRange;
}

/** Reads a prompt with 8-bit products. */
export class PromptReader {
  readonly #parts: readonly Part[];
  readonly #config: LlamaConfig;

  private constructor(parts: readonly Part[], config: LlamaConfig) {
    this.#parts = parts;
    this.#config = config;
  }

  /**
   * A reader where one is worth it: for quantised weights, on a processor with 8-bit products, where memory allows.
   *
   * @param checkpoint with the folded matrices themselves where they are stored
   */
  static async open(
    config: LlamaConfig,
    checkpoint: Checkpoint,
    positions: number,
    openSession: (network: NetworkModel) => Promise<Session>,
  ): Promise<PromptReader | undefined> {
    const needed = hasStoredEightBits(checkpoint)
      ? mappedShare * eightBitLayerBytes(config) * config.layerCount
      : freeShare * readerBytes(config);
    if (needed === 0 || needed > availableMemory()) return undefined;
    if (!(await hasEightBitProducts())) return undefined;
    const parts: Part[] = [];
    for (const range of readerParts(config)) {
      const session = await openSession(readerModel(config, checkpoint, positions, range));
      parts.push({ session, range });
    }
    return new PromptReader(parts, config);
  }

  /** Sessions that are open. */
  get sessionCount(): number {
    return this.#parts.length;
  }

  /** Reads embeddings [positions, hidden] into the cache. */
  async read(cache: KeyValueCache, embeds: Float32Array): Promise<void> {
    const { hiddenSize } = this.#config;
    const count = embeds.length / hiddenSize;
    const added: SessionTensor[] = [];
    let data = embeds;
    for (const { session, range } of this.#parts) {
      const feeds: Record<string, SessionTensor> = {
        inputs_embeds: float32Tensor(data, [1, count, hiddenSize]),
        past_length: int64Tensor([cache.length], []),
      };
      const wanted: string[] = [];
      for (let layer = range.first; layer < range.end; layer += 1) {
        const { pastKey, pastValue, newKey, newValue } = cacheNames(layer);
        feeds[pastKey] = cache.tensor(layer, 0);
        feeds[pastValue] = cache.tensor(layer, 1);
        wanted.push(newKey, newValue);
      }
      const isLast = range.end === this.#config.layerCount;
      const outputs = await session.run(feeds, isLast ? wanted : [...wanted, 'sum']);
      added.push(...wanted.map((name) => outputOf(outputs, name)));
      if (!isLast) data = hostOutput(outputs, 'sum', 'float32').data;
    }
    cache.append(added, count);
  }

  /** Gives the memory back. */
  async release(): Promise<void> {
    for (const { session } of this.#parts) await session.release();
  }
}
