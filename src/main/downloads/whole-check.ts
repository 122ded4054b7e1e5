/** The digest of a whole file, taken from the disk while its parts arrive: what was written is what is checked. */
import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { readRange, type Part } from './part.ts';
import type { FilePlan } from './plan.ts';

export class WholeCheck {
  readonly #plan: FilePlan;
  readonly #handle: FileHandle;
  readonly #parts: readonly Part[];
  #whole: Hash;
  /** The first part that is not in it yet. */
  #next = 0;
  #bad: Part[] = [];
  #running: Promise<void> = Promise.resolve();

  /** @param parts in the order of the file */
  constructor(plan: FilePlan, handle: FileHandle, parts: readonly Part[]) {
    this.#plan = plan;
    this.#handle = handle;
    this.#parts = parts;
    this.#whole = this.#begin();
  }

  /** Takes in what is whole by now. Does not wait for one that runs. */
  advance(): void {
    this.#running = this.#running.then(() => this.#takeIn());
    // Its error is that of `finish`.
    this.#running.catch(() => undefined);
  }

  /**
   * Takes in what is left.
   * @returns parts that the disk does not hold as they came; they are forgotten and to be fetched again
   */
  async finish(): Promise<readonly Part[]> {
    this.advance();
    await this.#running;
    const bad = this.#bad;
    this.#bad = [];
    return bad;
  }

  /** Whether the whole is what was promised; only after `finish` gave no bad parts. */
  get isRight(): boolean {
    const { digest } = this.#plan;
    return digest === null || this.#whole.copy().digest('hex') === digest.hex;
  }

  /** Begins anew, after a part was put in another's place. */
  restart(): void {
    this.#whole = this.#begin();
    this.#next = 0;
  }

  #begin(): Hash {
    const { digest, bytes, head } = this.#plan;
    const hash = createHash(digest?.algorithm === 'git' ? 'sha1' : (digest?.algorithm ?? 'sha256'));
    if (digest?.algorithm === 'git') hash.update(`blob ${bytes}\0`);
    return hash.update(Buffer.from(head, 'base64'));
  }

  async #takeIn(): Promise<void> {
    for (
      let part = this.#parts[this.#next];
      part?.isWhole === true;
      part = this.#parts[this.#next]
    ) {
      const trial = this.#whole.copy();
      if (!(await this.#isAsItCame(part, trial))) return this.#findBad(this.#next);
      this.#whole = trial;
      this.#next += 1;
    }
  }

  /** One is bad: the others are looked at as well, so that all are fetched again at once. */
  async #findBad(from: number): Promise<void> {
    for (const part of this.#parts.slice(from)) {
      if (!part.isWhole || (await this.#isAsItCame(part, null))) continue;
      part.forget();
      this.#bad.push(part);
    }
  }

  async #isAsItCame(part: Part, whole: Hash | null): Promise<boolean> {
    const own = createHash('sha256');
    for await (const data of readRange(this.#handle, part.at, part.bytes)) {
      whole?.update(data);
      own.update(data);
    }
    return own.digest('hex') === part.sha256();
  }
}
