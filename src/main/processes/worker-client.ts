import {
  fromWorkerSchema,
  workerRequests,
  type FromWorker,
  type ToWorker,
  type WorkerReplyBody,
  type WorkerRequestBody,
  type WorkerRequestName,
} from '../../shared/contracts/worker-protocol.ts';
import type { Port } from '../../base/port.ts';
import { fromWireError, StudioError, toWireError } from '../../shared/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { RequestOptions } from './engine-client.ts';

/** After Stop, how long a reply may take before the request is given up on. Milliseconds. */
export const cancelGraceMs = 3000;

interface Pending {
  readonly name: WorkerRequestName;
  readonly startedAt: number;
  /** When its Stop was sent on, where it was; the worker still owes the end. */
  stopAskedAt: number | null;
  onEvent(body: unknown): void;
  resolve(body: unknown): void;
  reject(error: Error): void;
}

/** What the worker says about a request of ours. */
type Answer = Extract<FromWorker, { type: 'event' | 'reply' | 'error' }>;

export interface WorkerClientOptions {
  readonly port: Port;
  readonly clock: Clock;
  readonly log: Logger;
  /** The worker's first word. */
  readonly onReady: () => void;
  /** Anything came: it lives. */
  readonly onSign: () => void;
  /** The requests in flight changed. */
  readonly onActivity: () => void;
  /** Makes a drawing that the worker asks for, in another process. Without it such an asking is refused. */
  readonly onAsk?: AnswerDrawing | undefined;
}

/** Makes a drawing for a worker that cannot itself. */
export type AnswerDrawing = (
  body: WorkerRequestBody<'draw'>,
  options: RequestOptions<'draw'>,
) => Promise<WorkerReplyBody<'draw'>>;

let counter = 0;

/** Requests to one worker process: ids, events, cancelling, and schemas checked on the way in. */
export class WorkerClient {
  readonly #options: WorkerClientOptions;
  readonly #pending = new Map<string, Pending>();
  /** Drawings that the worker waits for. */
  readonly #asked = new Map<string, AbortController>();
  #gone: StudioError | null = null;

  constructor(options: WorkerClientOptions) {
    this.#options = options;
    options.port.onMessage((message) => this.#receive(message));
  }

  /** Names of the requests that the worker has not answered, given-up ones included; pings apart. */
  inFlight(): readonly WorkerRequestName[] {
    return [...this.#pending.values()].map(({ name }) => name).filter((name) => name !== 'ping');
  }

  /** When the first Stop that the worker has not followed was sent (monotonic); null where there is none. */
  stopAskedAt(): number | null {
    const times = [...this.#pending.values()].flatMap(({ stopAskedAt }) => stopAskedAt ?? []);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Asks. Rejects with the worker's error, `cancelled`, `internal` for a malformed reply, or what `fail` gave. */
  request<Name extends WorkerRequestName>(
    name: Name,
    body: WorkerRequestBody<Name>,
    options: RequestOptions<Name> = {},
  ): Promise<WorkerReplyBody<Name>> {
    const { signal, onEvent, about } = options;
    if (this.#gone !== null) return Promise.reject(this.#gone);
    if (signal?.aborted === true) return Promise.reject(cancelled());
    counter += 1;
    const id = `r${counter}`;
    return new Promise<WorkerReplyBody<Name>>((resolve, reject) => {
      const onAbort = (): void => this.#cancel(id, reject);
      const settle = (): void => signal?.removeEventListener('abort', onAbort);
      this.#pending.set(id, {
        name,
        startedAt: this.#options.clock.monotonicMs(),
        stopAskedAt: null,
        onEvent: (event) => this.#takeEvent(id, name, event, onEvent as (event: unknown) => void),
        resolve: (reply) => {
          settle();
          this.#takeReply(id, name, reply, resolve as (reply: unknown) => void, reject);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      if (name !== 'ping') this.#options.log.info('request', { request: id, name, ...about });
      this.#post({ type: 'request', id, name, body });
      this.#options.onActivity();
    });
  }

  /** The worker is gone: everything in flight, and everything asked later, fails with `error`. */
  fail(error: StudioError): void {
    if (this.#gone !== null) return;
    this.#gone = error;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
    for (const abort of this.#asked.values()) abort.abort();
    this.#asked.clear();
  }

  #cancel(id: string, reject: (error: Error) => void): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    pending.stopAskedAt = this.#options.clock.monotonicMs();
    this.#options.log.info('cancel', { request: id });
    this.#post({ type: 'cancel', id });
    // One session run may take long and cannot be broken off: the person need not wait for it.
    this.#options.clock.after(cancelGraceMs, () => reject(cancelled()));
  }

  #post(message: ToWorker): void {
    this.#options.port.postMessage(message);
  }

  #receive(message: unknown): void {
    if (this.#gone !== null) return;
    this.#options.onSign();
    const parsed = fromWorkerSchema.safeParse(message);
    if (!parsed.success) {
      this.#options.log.error('malformed message from the worker', {
        reason: parsed.error.issues[0]?.message,
      });
      return;
    }
    const { data } = parsed;
    if (data.type === 'ready') this.#options.onReady();
    else if (data.type === 'ask') void this.#answer(data.id, data.body);
    else if (data.type === 'ask-cancel') this.#asked.get(data.id)?.abort();
    else this.#dispatch(data);
  }

  /** Has a drawing made that the worker asked for. Never rejects: what goes wrong is the answer. */
  async #answer(id: string, body: unknown): Promise<void> {
    const { onAsk, log } = this.#options;
    const abort = new AbortController();
    this.#asked.set(id, abort);
    try {
      if (onAsk === undefined) throw new StudioError('unsupported', 'Nothing draws here.');
      const picture = await onAsk(workerRequests.draw.request.parse(body), {
        signal: abort.signal,
        onEvent: (event) => this.#post({ type: 'ask-event', id, body: event }),
        about: { asked: id },
      });
      this.#post({ type: 'ask-reply', id, body: picture });
    } catch (error) {
      const wire = toWireError(error);
      log.warn('drawing failed', { asked: id, kind: wire.kind });
      this.#post({ type: 'ask-error', id, error: wire });
    } finally {
      this.#asked.delete(id);
    }
  }

  #dispatch(message: Answer): void {
    const pending = this.#pending.get(message.id);
    if (pending === undefined) {
      this.#options.log.warn('message for an unknown request', { request: message.id });
      return;
    }
    if (message.type === 'event') {
      pending.onEvent(message.body);
      return;
    }
    this.#pending.delete(message.id);
    this.#logEnd(message, pending);
    if (message.type === 'reply') pending.resolve(message.body);
    else pending.reject(fromWireError(message.error));
    this.#options.onActivity();
  }

  #logEnd(message: Exclude<Answer, { type: 'event' }>, pending: Pending): void {
    if (pending.name === 'ping') return;
    const { log, clock } = this.#options;
    const ms = clock.monotonicMs() - pending.startedAt;
    const fields = { request: message.id, name: pending.name, ms };
    if (message.type === 'reply') log.info('reply', fields);
    else log.warn('request failed', { ...fields, kind: message.error.kind });
  }

  #takeEvent(
    id: string,
    name: WorkerRequestName,
    body: unknown,
    onEvent: ((event: unknown) => void) | undefined,
  ): void {
    const parsed = workerRequests[name].event.safeParse(body);
    if (parsed.success) onEvent?.(parsed.data);
    else this.#logMalformed('event', id, name, parsed.error.issues[0]?.message);
  }

  #takeReply(
    id: string,
    name: WorkerRequestName,
    body: unknown,
    resolve: (reply: unknown) => void,
    reject: (error: Error) => void,
  ): void {
    const parsed = workerRequests[name].reply.safeParse(body);
    if (parsed.success) {
      resolve(parsed.data);
      return;
    }
    this.#logMalformed('reply', id, name, parsed.error.issues[0]?.message);
    const message = `The engine's reply to ${name} is not what was agreed.`;
    reject(new StudioError('internal', message, { cause: parsed.error }));
  }

  #logMalformed(what: string, request: string, name: string, reason: string | undefined): void {
    this.#options.log.error(`malformed ${what} from the worker`, { request, name, reason });
  }
}

function cancelled(): StudioError {
  return new StudioError('cancelled', 'It was stopped.');
}
