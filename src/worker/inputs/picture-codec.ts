import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { fromWireError, StudioError } from '../../shared/errors.ts';
import {
  fromCodecSchema,
  type CodecAnswer,
  type CodecQuestion,
  type FromCodec,
  type ToCodec,
} from './codec/protocol.ts';

/** How long one picture may take, and how long a thread without work is kept. Milliseconds. */
export const codecTimes = { pictureMs: 30_000, idleMs: 15_000 } as const;

/** Its memory does not shrink: what a large picture took it has until it ends. */
let thread: CodecThread | null = null;
let line: Promise<unknown> = Promise.resolve();
/** Where this process is there for pictures alone, the thread lives as long as it. */
let isKept = false;

/**
 * Asks the thread that decodes pictures, which is started when it is needed: one question after another.
 * @throws StudioError `bad-input` for what cannot be decoded; `cancelled` by the signal, which ends the thread;
 * `unsupported` where it cannot work here
 */
export function askCodec(question: CodecQuestion, signal?: AbortSignal): Promise<CodecAnswer> {
  const turn = line.then(() => {
    if (signal?.aborted === true) throw stopped();
    return prepareCodec().ask(question, signal);
  });
  line = turn.catch(() => undefined);
  return signal === undefined ? turn : unlessStopped(turn, signal);
}

/** Starts the thread for what will soon be asked: loading takes some tenths of a second. */
export function prepareCodec(): Pick<CodecThread, 'ask' | 'versions'> {
  if (thread?.isOver !== false) thread = new CodecThread();
  return thread;
}

/** Starts it for good: for a process that does nothing else, and is ended itself. */
export function keepCodec(): void {
  isKept = true;
  prepareCodec();
}

/** What decodes pictures here. @throws StudioError `unsupported` with the reason */
export async function codecVersions(): Promise<{ readonly sharp: string; readonly vips: string }> {
  return prepareCodec().versions();
}

type Versions = Extract<FromCodec, { readonly kind: 'ready' }>;

class CodecThread {
  isOver = false;
  readonly #worker = new Worker(entry(), { env: {}, name: 'pictures', stdin: false });
  readonly #ready: Promise<Versions>;
  #settle: ((outcome: CodecAnswer | Error) => void) | null = null;
  #idle: NodeJS.Timeout | undefined;
  #count = 0;

  constructor() {
    // What holds the process is whoever waits for an answer.
    this.#worker.unref();
    this.#ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (message: unknown) => this.#receive(message, resolve));
      this.#worker.on('error', (error: Error) => {
        reject(unusable(error.message));
        this.#end(error);
      });
      this.#worker.on('exit', () => {
        reject(unusable('its thread ended'));
        this.#end(new Error('its thread ended'));
      });
    });
    this.#ready.catch(() => undefined);
    this.#rest();
  }

  versions(): Promise<Versions> {
    return this.#held(() => this.#ready);
  }

  ask(question: CodecQuestion, signal?: AbortSignal): Promise<CodecAnswer> {
    return this.#held(async () => {
      await this.#ready;
      if (signal?.aborted === true) throw stopped();
      return this.#answer(question, signal);
    });
  }

  #answer(question: CodecQuestion, signal?: AbortSignal): Promise<CodecAnswer> {
    const name = question.kind === 'png' ? 'The drawing' : question.name;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.#end(stopped());
      const late = `decoding it takes longer than ${codecTimes.pictureMs / 1000} s`;
      const timer = setTimeout(() => this.#end(refusal(name, late)), codecTimes.pictureMs);
      this.#settle = (outcome) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#settle = null;
        if (!(outcome instanceof Error)) resolve(outcome);
        else if (outcome instanceof StudioError) reject(outcome);
        else reject(refusal(name, 'the decoder crashed on it', outcome));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#count += 1;
      const message: ToCodec = { id: this.#count, question: own(question) };
      this.#worker.postMessage(message);
    });
  }

  #receive(data: unknown, ready: (versions: Versions) => void): void {
    const parsed = fromCodecSchema.safeParse(data);
    if (!parsed.success) return this.#end(new Error('its answer was malformed'));
    const message = parsed.data;
    if (message.kind === 'ready') ready(message);
    else if (message.id === this.#count) {
      this.#settle?.(message.kind === 'answer' ? message : fromWireError(message.error));
    }
  }

  async #held<T>(work: () => Promise<T>): Promise<T> {
    clearTimeout(this.#idle);
    this.#worker.ref();
    try {
      return await work();
    } finally {
      this.#worker.unref();
      this.#rest();
    }
  }

  #rest(): void {
    clearTimeout(this.#idle);
    if (isKept) return;
    this.#idle = setTimeout(() => this.#end(new Error('nobody asked')), codecTimes.idleMs).unref();
  }

  #end(reason: Error): void {
    this.isOver = true;
    clearTimeout(this.#idle);
    this.#settle?.(reason);
    void this.#worker.terminate();
  }
}

/** Beside this source file, and beside the bundle's folder where it is built. */
function entry(): string {
  const isSource = import.meta.filename.endsWith('.ts');
  return path.join(
    import.meta.dirname,
    ...(isSource ? ['codec', 'main.ts'] : ['..', 'codec', 'main.js']),
  );
}

/** A view of something larger would be sent with all of it. */
function own(question: CodecQuestion): CodecQuestion {
  return question.kind === 'png'
    ? question
    : { ...question, bytes: new Uint8Array(question.bytes) };
}

function unlessStopped<T>(turn: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(stopped());
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    turn.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function refusal(name: string, why: string, cause?: unknown): StudioError {
  return new StudioError('bad-input', `${name} cannot be used as a picture: ${why}.`, { cause });
}

function unusable(reason: string): StudioError {
  return new StudioError('unsupported', `Pictures cannot be decoded here: ${reason}`);
}

function stopped(): StudioError {
  return new StudioError('cancelled', 'Stopped.');
}
