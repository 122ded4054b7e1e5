import {
  decoderOutOfMemory,
  fromDecoderSchema,
  type FromDecoder,
  type ToDecoder,
} from '../../shared/contracts/decoder-protocol.ts';
import { fromWireError, StudioError, toWireError } from '../../shared/errors.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Child, ChildExit, Spawn } from './child.ts';

/** How long one picture may take, and how long a process without work is kept. Milliseconds. */
export const decoderTimes = { pictureMs: 30_000, idleMs: 60_000 } as const;

export interface PictureDecoder {
  /**
   * Decodes a picture in a process of its own, and resolves if that succeeds.
   * @param source the file's bytes or its path
   * @param name what errors call it
   * @throws StudioError `bad-input` with a sentence that says why it cannot be decoded; `cancelled` by the signal,
   * which ends the process
   */
  check(source: Uint8Array | string, name: string, signal?: AbortSignal): Promise<void>;
  /**
   * A JPEG of the picture in `file`, its longest side at most `side` pixels.
   * @throws StudioError as `check`; `unsupported` where no process can be started
   */
  thumbnail(file: string, name: string, side: number): Promise<Uint8Array>;
  /** Starts the process for a picture that will soon come. */
  prepare(): void;
  /** Ends the process. */
  close(): void;
}

export interface DecoderOptions {
  readonly spawn: Spawn;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The process that decodes, started when it is needed. */
export function createPictureDecoder(options: DecoderOptions): PictureDecoder {
  return new Decoder(options);
}

interface Asked {
  readonly id: number;
  readonly name: string;
  settle(answer: FromDecoder | Error): void;
}

/** What a process is asked, but for the number. */
type Question = Omit<ToDecoder, 'id'>;

class Decoder implements PictureDecoder {
  readonly #options: DecoderOptions;
  /** One picture after another: what a process holds is then one picture's. */
  #line: Promise<unknown> = Promise.resolve();
  #child: Child | null = null;
  #asked: Asked | null = null;
  #idle: Timer | null = null;
  #count = 0;

  constructor(options: DecoderOptions) {
    this.#options = options;
  }

  async check(source: Uint8Array | string, name: string, signal?: AbortSignal): Promise<void> {
    // Without the process what a header says must do; the engine decodes again and leaves out what it cannot.
    await this.#inLine({ source, name }, signal);
  }

  async thumbnail(file: string, name: string, side: number): Promise<Uint8Array> {
    const answer = await this.#inLine({ source: file, name, thumbnailSide: side });
    if (answer?.thumbnail !== undefined) return answer.thumbnail;
    throw new StudioError('unsupported', `${name} cannot be made small here.`);
  }

  #inLine(question: Question, signal?: AbortSignal): Promise<FromDecoder | null> {
    const turn = this.#line.then(() => this.#decode(question, signal));
    this.#line = turn.catch(() => undefined);
    return turn;
  }

  prepare(): void {
    if (this.#child !== null || this.#asked !== null) return;
    if (this.#start() !== null) this.#rest();
  }

  close(): void {
    this.#idle?.cancel();
    this.#end();
  }

  /** Null where no process can be started. */
  #decode(question: Question, signal?: AbortSignal): Promise<FromDecoder | null> {
    const { name } = question;
    if (signal?.aborted === true) return Promise.reject(stopped());
    this.#idle?.cancel();
    const child = this.#start();
    if (child === null) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      const abandon = (error: Error): void => {
        this.#end();
        asked.settle(error);
      };
      const onAbort = (): void => abandon(stopped());
      const timer = this.#options.clock.after(decoderTimes.pictureMs, () =>
        abandon(refusal(name, `decoding it takes longer than ${decoderTimes.pictureMs / 1000} s`)),
      );
      const asked: Asked = {
        id: (this.#count += 1),
        name,
        settle: (answer) => {
          timer.cancel();
          signal?.removeEventListener('abort', onAbort);
          this.#asked = null;
          this.#rest();
          if (answer instanceof Error) reject(answer);
          else resolve(answer);
        },
      };
      this.#asked = asked;
      signal?.addEventListener('abort', onAbort, { once: true });
      child.port.postMessage({ ...question, id: asked.id } satisfies ToDecoder);
    });
  }

  /** Ends it where nobody asks. */
  #rest(): void {
    this.#idle?.cancel();
    this.#idle = this.#options.clock.after(decoderTimes.idleMs, () => this.#end());
  }

  #start(): Child | null {
    if (this.#child !== null) return this.#child;
    try {
      const child = this.#options.spawn();
      child.port.onMessage((message) => this.#receive(message));
      child.onExit((exit) => this.#exited(child, exit));
      this.#child = child;
    } catch (error) {
      this.#options.log.error('picture decoder not started', {
        reason: toWireError(error).message,
      });
    }
    return this.#child;
  }

  #receive(message: unknown): void {
    const parsed = fromDecoderSchema.safeParse(message);
    const asked = this.#asked;
    if (!parsed.success || asked === null || parsed.data.id !== asked.id) return;
    const { error } = parsed.data;
    asked.settle(error === null ? parsed.data : fromWireError(error));
  }

  #exited(child: Child, { code, signal }: ChildExit): void {
    if (this.#child !== child) return;
    this.#child = null;
    const asked = this.#asked;
    this.#options.log.warn('picture decoder ended', { code, signal, asked: asked !== null });
    const memory = code === decoderOutOfMemory;
    asked?.settle(
      refusal(
        asked.name,
        memory ? 'decoding it takes too much memory' : 'the decoder crashed on it',
      ),
    );
  }

  #end(): void {
    const child = this.#child;
    this.#child = null;
    child?.kill('SIGKILL');
  }
}

function refusal(name: string, why: string): StudioError {
  return new StudioError('bad-input', `${name} cannot be used as a picture: ${why}.`);
}

function stopped(): StudioError {
  return new StudioError('cancelled', 'It was stopped.');
}
