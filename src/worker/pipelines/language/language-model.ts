/**
 * A language model that is open: embeds tokens, reads a prompt, writes tokens. It keeps no state of
 * a conversation; that is the cache's, which the caller owns.
 */
import type { BuildTarget, LlamaConfig, LlamaOptions } from '../../networks/index.ts';
import { cacheNames, targetFor } from '../../networks/index.ts';
import type { NetworkModel } from '../../networks/models.ts';
import { decoderModel, embeddingModel, scoringModel } from '../../networks/models.ts';
import type {
  Provider,
  ProviderChoice,
  SessionTensor,
  Tensors,
  Session,
} from '../../runtime/index.ts';
import {
  RuntimeError,
  chooseProvider,
  float32Tensor,
  hostOutput,
  int64Tensor,
  outputOf,
} from '../../runtime/index.ts';
import type { TokenSampling } from '../../sampling/token-sampler.ts';
import type { Checkpoint } from '../../weights/index.ts';
import { openCheckpoint } from '../../weights/index.ts';
import { openNetwork } from '../network.ts';
import { KeyValueCache } from './key-value-cache.ts';
import { openForReading, readLanguageConfig } from './language-weights.ts';
import { leastReaderPositions, PromptReader } from './prompt-reader.ts';
import { promptRunPositions } from './token-model.ts';

/** How to open a language model. */
export interface LanguageModelOptions {
  /** Providers to try, best first; the CPU is the last resort. Default: the best that works. */
  readonly providers?: readonly Provider[];
  readonly threads?: number;
  /** Weights that replace those of the folder, for instance a fine-tuned checkpoint. */
  readonly checkpoint?: Checkpoint;
  /** The longest sequence; default the model's own limit, at most 8192. */
  readonly maxPositions?: number;
  /** In place of what suits the provider: for measuring and for tests. */
  readonly precision?: BuildTarget['precision'];
  readonly graph?: Pick<LlamaOptions, 'attention' | 'accuracyLevel' | 'products'>;
  /** Whether prompts may be read with 8-bit products beside the blocks. Default: where they are worth it. */
  readonly eightBitReading?: boolean;
}

/** One run of the decoder. */
export interface DecodeRequest {
  /** What is fed first: token ids, or embeddings [tokens, hidden]. Not empty. */
  readonly feed: readonly number[] | Float32Array;
  /** At most so many tokens come back. */
  readonly maxTokens: number;
  /** Tokens that end the run; the one that did comes back as the last. */
  readonly stopIds: readonly number[];
  /** Default: greedy. */
  readonly sampling?: TokenSampling;
  /** One number in [0, 1) for each token; needed when sampling is not greedy. */
  readonly uniforms?: Float32Array;
}

const greedy: TokenSampling = { temperature: 0, topK: 0, topP: 1 };

interface Opened {
  readonly config: LlamaConfig;
  readonly checkpoint: Checkpoint;
  readonly choice: ProviderChoice;
  readonly target: BuildTarget;
  readonly graph: LlamaOptions;
  readonly decoder: Session;
  readonly embedder: Session;
  readonly reader: PromptReader | undefined;
  readonly openSession: (network: NetworkModel) => Promise<Session>;
}

/** A language model ready to run. Release it when done. */
export class LanguageModel {
  readonly #opened: Opened;
  #scorer: Session | undefined;

  private constructor(opened: Opened) {
    this.#opened = opened;
  }

  /**
   * Opens a folder in Hugging Face's layout (config.json and safetensors), quantised or not.
   *
   * @throws StudioError, WeightError, GraphError or RuntimeError naming what does not fit.
   */
  static async open(folder: string, options: LanguageModelOptions = {}): Promise<LanguageModel> {
    const checkpoint = options.checkpoint ?? openCheckpoint(folder);
    const reading = openForReading(folder) ?? checkpoint;
    const config = readLanguageConfig(folder, checkpoint);
    const choice = await chooseProvider(options.providers);
    const suited = targetFor(choice.provider);
    const target = { ...suited, precision: options.precision ?? suited.precision };
    const positions = Math.min(options.maxPositions ?? 8192, config.maxPositions);
    const graph: LlamaOptions = { positions, ...options.graph };
    const { threads } = options;
    const placement = { provider: choice.provider, ...(threads === undefined ? {} : { threads }) };
    const openSession = (network: NetworkModel): Promise<Session> =>
      openNetwork(network, placement);
    return new LanguageModel({
      ...{ config, checkpoint, choice, target, graph, openSession },
      decoder: await openSession(
        decoderModel(config, checkpoint, target, { ...graph, products: 'blocks' }),
      ),
      embedder: await openSession(embeddingModel(config, checkpoint)),
      reader:
        choice.provider === 'cpu' && options.eightBitReading !== false
          ? await PromptReader.open(config, reading, positions, openSession)
          : undefined,
    });
  }

  get config(): LlamaConfig {
    return this.#opened.config;
  }

  /** Where it runs, and what was passed over for which reason. */
  get provider(): ProviderChoice {
    return this.#opened.choice;
  }

  /** Whether prompts are read with 8-bit products. */
  get hasEightBitReading(): boolean {
    return this.#opened.reader !== undefined;
  }

  /** Sessions that are open: decoder, embedding, and what reads prompts. */
  get sessionCount(): number {
    return 2 + (this.#opened.reader?.sessionCount ?? 0) + (this.#scorer ? 1 : 0);
  }

  /** Positions up to which the run that writes reads them itself. */
  get lastRunPositions(): number {
    return this.#opened.reader ? leastReaderPositions - 1 : promptRunPositions;
  }

  /** The longest sequence it can read and write. */
  get maxPositions(): number {
    return this.#opened.graph.positions;
  }

  /** An empty cache for one sequence. */
  newCache(): KeyValueCache {
    const { layerCount, keyValueHeadCount, headSize } = this.config;
    const dtype = this.#opened.target.precision;
    return new KeyValueCache({ layerCount, keyValueHeadCount, headSize, dtype });
  }

  /**
   * Embeddings of tokens: [tokens, hidden].
   *
   * @throws RuntimeError for an id outside the vocabulary.
   */
  async embed(ids: readonly number[]): Promise<Float32Array> {
    if (ids.length === 0) return new Float32Array(0);
    const wrong = ids.find(
      (id) => !Number.isInteger(id) || id < 0 || id >= this.config.vocabularySize,
    );
    if (wrong !== undefined) {
      throw new RuntimeError(
        `token ${wrong} is outside the vocabulary of ${this.config.vocabularySize}`,
      );
    }
    const outputs = await this.#opened.embedder.run({
      input_ids: int64Tensor(ids, [1, ids.length]),
    });
    return hostOutput(outputs, 'inputs_embeds', 'float32').data;
  }

  async #embedded(feed: DecodeRequest['feed']): Promise<Float32Array> {
    const embeds = feed instanceof Float32Array ? feed : await this.embed(feed);
    if (embeds.length === 0 || embeds.length % this.config.hiddenSize !== 0) {
      throw new RuntimeError(`${embeds.length} numbers are not rows of ${this.config.hiddenSize}`);
    }
    return embeds;
  }

  #controls(request: DecodeRequest): Tensors {
    const { temperature, topK, topP } = request.sampling ?? greedy;
    const uniforms = request.uniforms ?? new Float32Array(request.maxTokens);
    if (temperature > 0 && (request.uniforms?.length ?? 0) < request.maxTokens) {
      throw new RuntimeError(
        `${request.maxTokens} uniform numbers are needed, ${request.uniforms?.length ?? 0} given`,
      );
    }
    if (!(topP > 0)) throw new RuntimeError(`top-p must be above 0, it is ${topP}`);
    // An empty list cannot be reduced; no token is -1.
    const stopIds = request.stopIds.length > 0 ? request.stopIds : [-1];
    return {
      max_tokens: int64Tensor([request.maxTokens], []),
      stop_ids: int64Tensor(stopIds, [stopIds.length]),
      uniforms: float32Tensor(uniforms, [uniforms.length]),
      temperature: float32Tensor(Float32Array.of(temperature), []),
      top_k: int64Tensor([topK], []),
      top_p: float32Tensor(Float32Array.of(topP), []),
    };
  }

  /**
   * Feeds the cache and decodes, in one run. The last token that comes back is not in the cache: it
   * has not been fed, so feed it (or something else in its place) with the next call.
   *
   * @throws RuntimeError if the sequence would be longer than the model allows.
   */
  async decode(cache: KeyValueCache, request: DecodeRequest): Promise<Int32Array> {
    const embeds = await this.#embedded(request.feed);
    const { tokens } = await this.#run(cache, embeds, request);
    return tokens;
  }

  #checkLength(cache: KeyValueCache, fed: number, maxTokens: number): void {
    const longest = cache.length + fed + maxTokens - 1;
    if (maxTokens >= 1 && longest <= this.maxPositions) return;
    throw new RuntimeError(
      `${cache.length} tokens read, ${fed} fed and ${maxTokens} wanted: the model allows 1 to ${this.maxPositions} in all`,
    );
  }

  async #run(
    cache: KeyValueCache,
    embeds: Float32Array,
    request: DecodeRequest,
    outputs: readonly string[] = [],
  ): Promise<{
    readonly tokens: Int32Array;
    readonly outputs: Readonly<Record<string, SessionTensor>>;
  }> {
    const fed = embeds.length / this.config.hiddenSize;
    this.#checkLength(cache, fed, request.maxTokens);
    const names = Array.from({ length: this.config.layerCount }, (_, layer) => cacheNames(layer));
    const feeds: Record<string, SessionTensor> = {
      inputs_embeds: float32Tensor(embeds, [1, fed, this.config.hiddenSize]),
      past_length: int64Tensor([cache.length], []),
      ...this.#controls(request),
    };
    names.forEach(({ pastKey, pastValue }, layer) => {
      feeds[pastKey] = cache.tensor(layer, 0);
      feeds[pastValue] = cache.tensor(layer, 1);
    });
    const added = names.flatMap(({ newKey, newValue }) => [newKey, newValue]);
    const results = await this.#opened.decoder.run(feeds, ['tokens', ...outputs, ...added]);
    const tokens = Int32Array.from(hostOutput(results, 'tokens', 'int64').data, Number);
    const parts = added.map((name) => outputOf(results, name));
    cache.append(parts, fed + tokens.length - 1);
    return { tokens, outputs: results };
  }

  /** Reads a part of a prompt: after this, `embeds` [positions, hidden] is in the cache. */
  async readAhead(cache: KeyValueCache, embeds: Float32Array): Promise<void> {
    const { reader } = this.#opened;
    const count = embeds.length / this.config.hiddenSize;
    if (!reader || count < leastReaderPositions) {
      await this.#run(cache, embeds, { feed: embeds, maxTokens: 1, stopIds: [] });
      return;
    }
    this.#checkLength(cache, count, 1);
    await reader.read(cache, embeds);
  }

  /**
   * Reads without writing, in one run: after this, `feed` is in the cache.
   *
   * @returns logits [vocabulary] of the token after the last.
   */
  async read(cache: KeyValueCache, feed: DecodeRequest['feed']): Promise<Float32Array> {
    const embeds = await this.#embedded(feed);
    const request = { feed: embeds, maxTokens: 1, stopIds: [] };
    const { outputs } = await this.#run(cache, embeds, request, ['logits']);
    return new Float32Array(hostOutput(outputs, 'logits', 'float32').data);
  }

  /**
   * Logits [tokens, vocabulary] of a whole sequence, without a cache: for probing and scoring. Opens
   * a session of its own the first time.
   */
  async score(embeds: Float32Array): Promise<Float32Array> {
    const { config, checkpoint, target, graph, openSession } = this.#opened;
    this.#scorer ??= await openSession(scoringModel(config, checkpoint, target, graph));
    const dims = [1, embeds.length / config.hiddenSize, config.hiddenSize];
    const outputs = await this.#scorer.run({ inputs_embeds: float32Tensor(embeds, dims) });
    return hostOutput(outputs, 'logits', 'float32').data;
  }

  /** Gives the memory back. */
  async release(): Promise<void> {
    await this.#opened.decoder.release();
    await this.#opened.embedder.release();
    await this.#opened.reader?.release();
    await this.#scorer?.release();
  }
}
