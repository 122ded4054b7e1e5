/** Asks for conversation after conversation, some at a time, and takes faults for what they mean. */
import type { Clock } from '../../base/clock.ts';
import { toWireError } from '../../shared/errors.ts';
import type { RecipeTrouble } from '../../shared/domain/recipe.ts';
import { WriterFault, type Writer, type WritingRequest, type WrittenAnswer } from './writer.ts';

export interface Writing {
  readonly writer: Writer;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly atOnce: number;
  /** The next conversation to ask for; null where there is none left. */
  next(): number | null;
  request(number: number): WritingRequest;
  answered(number: number, answer: WrittenAnswer, seconds: number): void;
  /** An answer that was none. */
  failed(number: number, message: string): void;
  /** It was not asked for, or not answered: it comes again. */
  givenBack(number: number): void;
  /** Nothing is asked until then; null: it goes on. */
  waits(until: number | null): void;
}

/** Waits where a server does not say how long, one after the other. Milliseconds. */
const backOffMs = [1000, 2000, 4000, 8000, 15_000, 30_000] as const;
/** Longer than this nobody waits without being asked. */
const longestWaitMs = 15 * 60_000;
/** So often in a row, and it is no passing trouble. */
const mostPassing = 4;
const mostWaits = 30;

/** @returns why it stopped before its end; null where it did not, or where it was told to */
export async function writeAll(writing: Writing): Promise<RecipeTrouble | null> {
  const gang = new Gang(writing);
  await Promise.all(Array.from({ length: writing.atOnce }, () => gang.work()));
  return gang.trouble;
}

class Gang {
  trouble: RecipeTrouble | null = null;
  readonly #writing: Writing;
  /** What is under way ends too when one finds that nothing can go well. */
  readonly #halt = new AbortController();
  readonly #signal: AbortSignal;
  /** In a row. */
  #passing = 0;
  #waits = 0;
  #until = 0;

  constructor(writing: Writing) {
    this.#writing = writing;
    this.#signal = AbortSignal.any([writing.signal, this.#halt.signal]);
  }

  async work(): Promise<void> {
    const { next, givenBack } = this.#writing;
    for (;;) {
      await this.#gate();
      if (this.#signal.aborted) return;
      const number = next();
      if (number === null) return;
      try {
        await this.#write(number);
      } catch (error) {
        givenBack(number);
        this.#take(error);
      }
    }
  }

  async #write(number: number): Promise<void> {
    const { writer, clock, request, answered, failed } = this.#writing;
    const began = clock.monotonicMs();
    try {
      const answer = await writer.write(request(number), this.#signal);
      answered(number, answer, (clock.monotonicMs() - began) / 1000);
    } catch (error) {
      if (!(error instanceof WriterFault) || error.kind !== 'form') throw error;
      failed(number, error.message);
    }
    this.#passing = 0;
    this.#waits = 0;
  }

  #take(error: unknown): void {
    if (this.#signal.aborted) return;
    if (!(error instanceof WriterFault)) {
      return this.#stop(toWireError(error).message, 'Go on when that is mended.');
    }
    const { kind, message, remedy, waitMs } = error;
    if (kind === 'stop') return this.#stop(message, remedy);
    // Those that ask at the same time are refused at the same time: that counts once.
    if (this.#until > this.#writing.clock.now()) return;
    const count = kind === 'wait' ? (this.#waits += 1) : (this.#passing += 1);
    const wait = waitMs ?? backOffMs[Math.min(count, backOffMs.length) - 1]!;
    if (count > (kind === 'wait' ? mostWaits : mostPassing) || wait > longestWaitMs) {
      return this.#stop(message, remedy);
    }
    this.#until = this.#writing.clock.now() + wait;
    this.#writing.waits(this.#until);
  }

  #stop(message: string, remedy: string): void {
    this.trouble ??= { message, remedy };
    this.#halt.abort(new Error('stopped'));
  }

  async #gate(): Promise<void> {
    const { clock, waits } = this.#writing;
    const left = this.#until - clock.now();
    if (left <= 0) return;
    await pause(clock, left, this.#signal);
    if (this.#until <= clock.now() || this.#signal.aborted) waits(null);
  }
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.after(ms, end);
    signal.addEventListener('abort', end);
  });
}
