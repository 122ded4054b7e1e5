import { sampleToken, type TokenSampling } from '../../sampling/token-sampler.ts';
import {
  promptRunPositions,
  type DecodeRun,
  type SequenceCache,
  type TokenModel,
} from './token-model.ts';

/** One position of a sequence by name: a token's id, or `hash/index` for one of a picture's embeddings. */
export type Position = number | string;

/** Positions and their embeddings, `rows` [positions, hidden]. */
export interface Stretch {
  readonly positions: readonly Position[];
  readonly rows: Float32Array;
}

/** A point in a sequence to come back to. */
export interface SequenceMark {
  readonly length: number;
  readonly last: Stretch;
}

/** Tokens in one run: the first words at once, later runs cheaper a token, Stop heard between them. */
const firstRuns = [1, 4, 16] as const;
const laterRuns = 32;

/** Tokens that the run-th run (from 0) of a reply may write. */
export function runLength(run: number): number {
  return firstRuns[run] ?? laterRuns;
}

/**
 * One sequence that a language model reads and writes: its cache, by name what is in it, and what is to be read next.
 * The names tell how much of the next turn's prompt the cache holds already.
 */
export class Sequence {
  readonly #model: TokenModel;
  readonly #cache: SequenceCache;
  #read: Position[] = [];
  /** The position read last, to ask again what follows it. */
  #last: Stretch = { positions: [], rows: new Float32Array(0) };
  #next: Stretch = { positions: [], rows: new Float32Array(0) };

  constructor(model: TokenModel) {
    this.#model = model;
    this.#cache = model.newCache();
  }

  /** Positions in the cache, by name. */
  get positions(): readonly Position[] {
    return this.#read;
  }

  /** Positions once what is waiting has been read too. */
  get lengthWithNext(): number {
    return this.#read.length + this.#next.positions.length;
  }

  /** How many positions at the front of `prompt` the cache holds; at least one is always left to be read. */
  sharedLength(prompt: readonly Position[]): number {
    const most = Math.min(this.#read.length, prompt.length - 1);
    let shared = 0;
    while (shared < most && this.#read[shared] === prompt[shared]) shared += 1;
    return shared;
  }

  /** Keeps the first `length` positions. A stretch must be given to read before the next token is asked for. */
  keep(length: number): void {
    this.#cache.restore({ length });
    this.#read.length = length;
    this.#next = { positions: [], rows: new Float32Array(0) };
  }

  /** Remembers the sequence as it has been read, without what is waiting. */
  mark(): SequenceMark {
    return { length: this.#read.length, last: this.#last };
  }

  /** Goes back to a mark. */
  restore(mark: SequenceMark): void {
    this.keep(mark.length);
    this.#last = mark.last;
  }

  /** Sets what is read next, in place of a token that was sampled and not read yet. */
  feed(stretch: Stretch): void {
    this.#next = stretch;
  }

  /** Tokens as a stretch. */
  async stretchOf(ids: readonly number[]): Promise<Stretch> {
    return { positions: ids, rows: await this.#model.embed(ids) };
  }

  /**
   * Reads what waits until at most `left` positions do: by default as many as the first token's run had better read.
   * @throws the signal's reason between runs; the cache then holds what was read
   */
  async readAhead(signal: AbortSignal, left = this.#model.lastRunPositions): Promise<void> {
    const { hiddenSize } = this.#model.config;
    while (this.#next.positions.length > left) {
      const { positions, rows } = this.#next;
      // A token can only be asked for where something is left to read.
      const most = left === 0 ? positions.length : positions.length - 1;
      const count = Math.min(promptRunPositions, most);
      const at = count * hiddenSize;
      await this.#model.readAhead(this.#cache, rows.subarray(0, at));
      this.#read.push(...positions.slice(0, count));
      this.#last = this.#lastOf({
        positions: positions.slice(0, count),
        rows: rows.subarray(0, at),
      });
      this.#next = { positions: positions.slice(count), rows: rows.subarray(at) };
      await nextTurnOfLoop();
      signal.throwIfAborted();
    }
  }

  /** Reads what waits and writes tokens; the last of them then waits to be read. */
  async decode(run: Omit<DecodeRun, 'feed'>): Promise<number[]> {
    const fed = this.#next;
    const tokens = [...(await this.#model.decode(this.#cache, { ...run, feed: fed.rows }))];
    this.#read.push(...fed.positions, ...tokens.slice(0, -1));
    const beforeLast = tokens.at(-2);
    this.#last = beforeLast === undefined ? this.#lastOf(fed) : await this.stretchOf([beforeLast]);
    this.#next = await this.stretchOf(tokens.slice(-1));
    return tokens;
  }

  /** Chooses the token that waits anew, without the `banned` ones. */
  async resample(
    banned: ReadonlySet<number>,
    sampling: TokenSampling,
    uniform: number,
  ): Promise<number> {
    const last = this.#last;
    this.keep(this.#read.length - 1);
    const logits = Float32Array.from(await this.#model.read(this.#cache, last.rows));
    this.#read.push(...last.positions);
    for (const id of banned) logits[id] = -Infinity;
    const token = sampleToken(logits, sampling, uniform);
    this.#next = await this.stretchOf([token]);
    return token;
  }

  #lastOf(stretch: Stretch): Stretch {
    return {
      positions: stretch.positions.slice(-1),
      rows: stretch.rows.subarray(stretch.rows.length - this.#model.config.hiddenSize),
    };
  }
}

/** Lets messages in: a cancel can only be heard between runs, since a run blocks the loop. */
export function nextTurnOfLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
