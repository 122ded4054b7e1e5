import type { TokenSampling } from '../../sampling/token-sampler.ts';

/** A prompt is read in runs of at most so many positions; between runs Stop is heard. */
export const promptRunPositions = 256;

/** What a language model has read of one sequence; see `KeyValueCache`. */
export interface SequenceCache {
  /** Positions read. */
  readonly length: number;
  /** Goes back to an earlier length: what came after is forgotten. */
  restore(mark: { readonly length: number }): void;
}

/** One run of the decoder; see `LanguageModel.decode`. */
export interface DecodeRun {
  /** Embeddings [positions, hidden] to read first. */
  readonly feed: Float32Array;
  readonly maxTokens: number;
  /** A run ends at one of these, which comes back as its last token. */
  readonly stopIds: readonly number[];
  readonly sampling: TokenSampling;
  /** A number in [0, 1) for each token. */
  readonly uniforms: Float32Array;
}

/** The part of a language model that a sequence uses. `LanguageModel` fits; tests bring a scripted one. */
export interface TokenModel {
  readonly config: { readonly hiddenSize: number };
  newCache(): SequenceCache;
  /** Embeddings [ids, hidden]. */
  embed(ids: readonly number[]): Promise<Float32Array>;
  /** Reads `feed` and writes up to `maxTokens` tokens. The last of them is not in the cache: it was not read. */
  decode(cache: SequenceCache, run: DecodeRun): Promise<Int32Array>;
  /** Longer stretches than this had better be read ahead of the run that writes behind them. */
  readonly lastRunPositions: number;
  /** Reads only. */
  readAhead(cache: SequenceCache, feed: Float32Array): Promise<void>;
  /** Reads only; gives the logits [vocabulary] behind the last position. */
  read(cache: SequenceCache, feed: Float32Array): Promise<Float32Array>;
}
