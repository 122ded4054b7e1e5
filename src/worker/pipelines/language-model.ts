/**
 * A language model that is open: embeds tokens, reads a prompt, writes tokens. It keeps no state of
 * a conversation; that is the cache's, which the caller owns.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LlamaBuildOptions, LlamaConfig } from '../networks/llama/index.ts';
import {
  cacheNames,
  decoderModel,
  embeddingModel,
  parseLlamaConfig,
  scoringModel,
} from '../networks/llama/index.ts';
import type { Provider, ProviderChoice, SessionTensor, Tensors } from '../runtime/index.ts';
import {
  RuntimeError,
  Session,
  chooseProvider,
  float32Tensor,
  hostOutput,
  int64Tensor,
} from '../runtime/index.ts';
import type { Checkpoint } from '../weights/index.ts';
import { openCheckpoint } from '../weights/index.ts';
import { KeyValueCache } from './key-value-cache.ts';

/** How the next token is chosen. */
export interface Sampling {
  /** 0 takes the likeliest token each time. */
  readonly temperature: number;
  /** How many of the likeliest tokens to choose from; 0 for all. */
  readonly topK: number;
  /** Of these, the fewest that together reach this probability; 1 for all. */
  readonly topP: number;
}

/** Always the likeliest token. */
export const greedy: Sampling = { temperature: 0, topK: 0, topP: 1 };

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
  readonly build?: Partial<LlamaBuildOptions>;
}

/** One run of the decoder. */
export interface DecodeRequest {
  /** What is fed first: token ids, or embeddings [tokens, hidden]. Not empty. */
  readonly feed: readonly number[] | Float32Array;
  /** At most so many tokens come back. */
  readonly maxTokens: number;
  /** Tokens that end the run; the one that did comes back as the last. */
  readonly stopIds: readonly number[];
  readonly sampling?: Sampling;
  /** One number in [0, 1) for each token; needed when sampling is not greedy. */
  readonly uniforms?: Float32Array;
}

/** Sizes of runs while streaming: the first words come at once, later runs are cheaper a token. */
const runLengths = [1, 4, 16, 32];

/** Tokens of a prompt that are read in one run; between runs one can stop. */
const promptRunTokens = 256;

function readConfig(folder: string): LlamaConfig {
  const file = join(folder, 'config.json');
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new RuntimeError(`${file} cannot be read`, { cause });
  }
  return parseLlamaConfig(json, file);
}

/**
 * CUDA's attention kernel wants half precision; elsewhere the network computes in single. On the CPU
 * the two-part form is the faster one and takes heads of any size; GPUs want few, large ops.
 */
function buildOptionsFor(
  provider: Provider,
  config: LlamaConfig,
  positions: number,
): LlamaBuildOptions {
  const grouped = provider !== 'cpu' && config.headDim % 16 === 0;
  return {
    dtype: provider === 'cuda' ? 'float16' : 'float32',
    accuracyLevel: provider === 'cpu' ? 4 : 0,
    attention: grouped ? 'grouped' : 'twoPart',
    positions,
  };
}

/** A fine-tuned checkpoint laid over its base has rows for added tokens that the base's config does not count. */
function withStoredVocabulary(config: LlamaConfig, checkpoint: Checkpoint): LlamaConfig {
  const rows = checkpoint.find('model.embed_tokens.weight')?.shape[0] ?? 0;
  return { ...config, vocabularySize: Math.max(config.vocabularySize, rows) };
}

interface Opened {
  readonly config: LlamaConfig;
  readonly checkpoint: Checkpoint;
  readonly choice: ProviderChoice;
  readonly build: LlamaBuildOptions;
  readonly decoder: Session;
  readonly embedder: Session;
  readonly openSession: (model: Uint8Array) => Promise<Session>;
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
   * @throws WeightError, GraphError or RuntimeError naming what does not fit.
   */
  static async open(folder: string, options: LanguageModelOptions = {}): Promise<LanguageModel> {
    const checkpoint = options.checkpoint ?? openCheckpoint(folder);
    const config = withStoredVocabulary(readConfig(folder), checkpoint);
    const choice = await chooseProvider(options.providers);
    const positions = Math.min(options.maxPositions ?? 8192, config.maxPositions);
    const build = { ...buildOptionsFor(choice.provider, config, positions), ...options.build };
    const openSession = (model: Uint8Array): Promise<Session> =>
      Session.open(model, {
        provider: choice.provider,
        weightsFolder: checkpoint.folder,
        ...(options.threads === undefined ? {} : { threads: options.threads }),
      });
    const decoder = await openSession(decoderModel(config, checkpoint, build));
    const embedder = await openSession(embeddingModel(config, checkpoint));
    return new LanguageModel({
      config,
      checkpoint,
      choice,
      build,
      decoder,
      embedder,
      openSession,
    });
  }

  get config(): LlamaConfig {
    return this.#opened.config;
  }

  /** Where it runs, and what was passed over for which reason. */
  get provider(): ProviderChoice {
    return this.#opened.choice;
  }

  /** The longest sequence it can read and write. */
  get maxPositions(): number {
    return this.#opened.build.positions;
  }

  /** An empty cache for one sequence. */
  newCache(): KeyValueCache {
    const { layers, keyValueHeads, headDim } = this.config;
    const dtype = this.#opened.build.dtype === 'float16' ? 'float16' : 'float32';
    return new KeyValueCache({ layers, keyValueHeads, headDim, dtype });
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
    const longest = cache.length + fed + request.maxTokens - 1;
    if (request.maxTokens < 1 || longest > this.maxPositions) {
      throw new RuntimeError(
        `${cache.length} tokens read, ${fed} fed and ${request.maxTokens} wanted: the model allows 1 to ${this.maxPositions} in all`,
      );
    }
    const names = Array.from({ length: this.config.layers }, (_, layer) => cacheNames(layer));
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
    const parts = added.map((name) => results[name] as SessionTensor);
    cache.append(parts, fed + tokens.length - 1);
    return { tokens, outputs: results };
  }

  /**
   * Reads without writing: after this, `feed` is in the cache. Long feeds are read in parts, between
   * which the signal is looked at.
   *
   * @returns logits [vocabulary] of the token after the last.
   * @throws the signal's reason when it is aborted; the cache then holds the parts read so far.
   */
  async read(
    cache: KeyValueCache,
    feed: DecodeRequest['feed'],
    options: {
      readonly signal?: AbortSignal;
      readonly onProgress?: (read: number, total: number) => void;
    } = {},
  ): Promise<Float32Array> {
    const embeds = await this.#embedded(feed);
    const hidden = this.config.hiddenSize;
    const total = embeds.length / hidden;
    let logits = new Float32Array(0);
    for (let start = 0; start < total; start += promptRunTokens) {
      options.signal?.throwIfAborted();
      const part = embeds.subarray(
        start * hidden,
        Math.min(start + promptRunTokens, total) * hidden,
      );
      const { outputs } = await this.#run(cache, part, { feed: part, maxTokens: 1, stopIds: [] }, [
        'logits',
      ]);
      logits = new Float32Array(hostOutput(outputs, 'logits', 'float32').data);
      options.onProgress?.(Math.min(start + promptRunTokens, total), total);
    }
    return logits;
  }

  /**
   * Decodes in runs that grow from 1 to 32 tokens, so that the first comes at once and each pause for
   * cancelling is short. Yields the tokens of each run; ends after a stop token or `maxTokens`.
   * As with `decode`, the last token yielded is not in the cache.
   *
   * @throws the signal's reason when it is aborted between runs; the cache stays consistent.
   */
  async *stream(
    cache: KeyValueCache,
    request: DecodeRequest & { readonly signal?: AbortSignal },
  ): AsyncGenerator<Int32Array, void, undefined> {
    const stops = new Set(request.stopIds);
    const embeds = await this.#embedded(request.feed);
    const rest = await this.#readAllButLast(cache, embeds, request.signal);
    let feed: DecodeRequest['feed'] = rest;
    let made = 0;
    for (let run = 0; made < request.maxTokens; run += 1) {
      request.signal?.throwIfAborted();
      const length = runLengths[Math.min(run, runLengths.length - 1)] as number;
      const maxTokens = Math.min(length, request.maxTokens - made);
      const uniforms = request.uniforms?.subarray(made, made + maxTokens);
      const tokens = await this.decode(cache, {
        ...request,
        feed,
        maxTokens,
        ...(uniforms ? { uniforms } : {}),
      });
      yield tokens;
      made += tokens.length;
      const last = tokens.at(-1);
      if (last === undefined || stops.has(last)) return;
      feed = [last];
    }
  }

  /** Reads a long feed in parts; gives what is left for the run that writes the first token. */
  async #readAllButLast(
    cache: KeyValueCache,
    embeds: Float32Array,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const part = promptRunTokens * this.config.hiddenSize;
    const early = Math.floor((embeds.length - 1) / part) * part;
    if (early > 0) await this.read(cache, embeds.subarray(0, early), signal ? { signal } : {});
    return embeds.subarray(early);
  }

  /**
   * Logits [tokens, vocabulary] of a whole sequence, without a cache: for probing and scoring. Opens
   * a session of its own the first time.
   */
  async score(embeds: Float32Array): Promise<Float32Array> {
    const { config, checkpoint, build, openSession } = this.#opened;
    this.#scorer ??= await openSession(scoringModel(config, checkpoint, build));
    const dims = [1, embeds.length / config.hiddenSize, config.hiddenSize];
    const outputs = await this.#scorer.run({ inputs_embeds: float32Tensor(embeds, dims) });
    return hostOutput(outputs, 'logits', 'float32').data;
  }

  /** Gives the memory back. */
  async release(): Promise<void> {
    await this.#opened.decoder.release();
    await this.#opened.embedder.release();
    await this.#scorer?.release();
  }
}
