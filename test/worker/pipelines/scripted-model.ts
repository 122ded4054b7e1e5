import type {
  DecodeRun,
  TokenModel,
  SequenceCache,
} from '../../../src/worker/pipelines/language/token-model.ts';

/** A cache that keeps what was read: one number a position, since the scripted model's embeddings are [1]. */
export class ScriptedCache implements SequenceCache {
  rows: number[] = [];

  get length(): number {
    return this.rows.length;
  }

  restore(mark: { readonly length: number }): void {
    if (mark.length > this.rows.length) throw new Error(`cannot go forward to ${mark.length}`);
    this.rows.length = mark.length;
  }
}

/** A language model that says what it is told to, and embeds each token as its own id. */
export class ScriptedModel implements TokenModel {
  readonly config = { hiddenSize: 1 };
  readonly caches: ScriptedCache[] = [];
  /** Rows read by each call, for tests of what was fed and of what was not read again. */
  readonly fed: number[][] = [];
  readonly #script: number[];
  readonly #vocabularySize: number;
  /** Called before each run of the decoder. */
  beforeRun: (run: number) => void = () => {};
  #runs = 0;

  constructor(script: readonly number[], vocabularySize = 200) {
    this.#script = [...script];
    this.#vocabularySize = vocabularySize;
  }

  /** Tokens not said yet. */
  get left(): readonly number[] {
    return this.#script;
  }

  newCache(): ScriptedCache {
    const cache = new ScriptedCache();
    this.caches.push(cache);
    return cache;
  }

  async embed(ids: readonly number[]): Promise<Float32Array> {
    return Float32Array.from(ids);
  }

  async decode(cache: ScriptedCache, run: DecodeRun): Promise<Int32Array> {
    this.beforeRun((this.#runs += 1));
    if (run.feed.length === 0) throw new Error('nothing to read');
    if (run.uniforms.length < run.maxTokens) throw new Error('too few uniform numbers');
    this.#take(cache, run.feed);
    const tokens: number[] = [];
    while (tokens.length < run.maxTokens) {
      const token = this.#script.shift();
      if (token === undefined) throw new Error('the script is over');
      tokens.push(token);
      if (run.stopIds.includes(token)) break;
    }
    cache.rows.push(...tokens.slice(0, -1));
    return Int32Array.from(tokens);
  }

  lastRunPositions = 256;

  async readAhead(cache: ScriptedCache, feed: Float32Array): Promise<void> {
    this.#take(cache, feed);
  }

  async read(cache: ScriptedCache, feed: Float32Array): Promise<Float32Array> {
    this.#take(cache, feed);
    const logits = new Float32Array(this.#vocabularySize);
    const next = this.#script[0];
    if (next !== undefined && this.#choosing(feed)) logits[this.#script.shift()!] = 1;
    return logits;
  }

  /** A single row is read to choose anew; longer ones are a prompt. */
  #choosing(feed: Float32Array): boolean {
    return feed.length === 1;
  }

  #take(cache: ScriptedCache, feed: Float32Array): void {
    cache.rows.push(...feed);
    this.fed.push([...feed]);
  }
}
