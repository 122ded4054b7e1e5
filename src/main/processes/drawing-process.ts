import type { WorkerReplyBody, WorkerRequestBody } from '../../shared/contracts/worker-protocol.ts';
import type { ProviderPreference } from '../../shared/domain/settings.ts';
import { isStudioError, StudioError } from '../../shared/errors.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { withFields, type Logger } from '../../base/log.ts';
import type { Spawn } from './child.ts';
import type { RequestOptions } from './engine-client.ts';
import { Supervisor } from './supervisor.ts';
import type { WorkerClient } from './worker-client.ts';

/** How long the process is kept after a drawing, for the next one. Milliseconds. */
export const drawingIdleMs = 120_000;

export interface DrawingProcessOptions {
  readonly spawn: Spawn;
  readonly clock: Clock;
  readonly log: Logger;
  /** The model whose drawing part it opens. */
  readonly choice: () => { readonly folder: string; readonly provider: ProviderPreference };
  /** Whether something is drawn changed. */
  readonly onChange: () => void;
}

/** Who wants a drawing: a person is listened to even after it crashed again and again. */
export type AskedBy = 'model' | 'person';

/** A process that is up and has the drawing part open. */
interface OpenPart {
  readonly client: WorkerClient;
  readonly sparing: boolean;
}

/**
 * The process of its own in which a large drawing part lives: started when something is to be drawn, ended when nothing
 * was for a while. What happens to it costs the drawing under way and nothing else; after it died or ran out of memory,
 * the next one spares memory.
 */
export class DrawingProcess {
  readonly #options: DrawingProcessOptions;
  readonly #supervisor: Supervisor;
  #opened: Promise<OpenPart> | null = null;
  /** Who waits for the process to be up. */
  #waiting: { resolve(client: WorkerClient): void; reject(error: Error): void } | null = null;
  #sparing = false;
  #active = 0;
  #idle: Timer | null = null;
  /** Until what ran before is gone. */
  #ending: Promise<void> = Promise.resolve();

  constructor(options: DrawingProcessOptions) {
    const log = withFields(options.log, { process: 'drawing' });
    this.#options = { ...options, log };
    this.#supervisor = new Supervisor({
      ...this.#options,
      called: 'The process that draws',
      restarts: false,
      onReady: (client) => this.#waiting?.resolve(client),
      onChange: () => this.#changed(),
    });
  }

  get isBusy(): boolean {
    return this.#active > 0;
  }

  pid(): number | undefined {
    return this.#supervisor.pid();
  }

  /**
   * Draws. Rejects with `worker-crashed` where the process died under it, `out-of-memory` where there was not enough,
   * and what `draw` rejects with.
   */
  async draw(
    body: WorkerRequestBody<'draw'>,
    options: RequestOptions<'draw'>,
    by: AskedBy,
  ): Promise<WorkerReplyBody<'draw'>> {
    this.#idle?.cancel();
    this.#active += 1;
    this.#options.onChange();
    let part: OpenPart | null = null;
    try {
      this.#opened ??= this.#start(by).catch((error: unknown) => {
        this.#opened = null;
        throw error;
      });
      part = await unlessStopped(this.#opened, options.signal);
      return await part.client.request('draw', body, options);
    } catch (error) {
      throw await this.#explained(error, part);
    } finally {
      this.#active -= 1;
      if (this.#active === 0) this.#endLater();
      this.#options.onChange();
    }
  }

  /** Ends the process, for instance before another model is opened. It comes back when it is needed. */
  async end(): Promise<void> {
    this.#idle?.cancel();
    this.#sparing = false;
    await this.#stop('The process that draws was ended.');
  }

  async close(): Promise<void> {
    this.#idle?.cancel();
    await this.#supervisor.close();
  }

  async #start(by: AskedBy): Promise<OpenPart> {
    await this.#ending;
    const { state, reason } = this.#supervisor.status();
    if (state === 'halted' && by === 'model') {
      throw new StudioError('worker-crashed', `${reason} Draw again to try once more.`);
    }
    const client = await new Promise<WorkerClient>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (state === 'halted') void this.#supervisor.restart();
      else this.#supervisor.start();
    });
    this.#waiting = null;
    const { folder, provider } = this.#options.choice();
    const asked = { folder, provider, sparing: this.#sparing };
    const { sparing } = await client.request('drawing.open', asked);
    return { client, sparing };
  }

  /** What a person is told, and what the next try does otherwise. */
  async #explained(error: unknown, part: OpenPart | null): Promise<unknown> {
    if (isStudioError(error, 'out-of-memory')) {
      // What was tried may hold most of the memory still.
      await this.#stop('The process that draws ran out of memory.');
    } else if (!isStudioError(error, 'worker-crashed') || !this.#hasCrashed()) return error;
    const spared = this.#sparing || part?.sparing === true;
    this.#sparing = true;
    if (spared) return error;
    const message = `${error.message} Draw again: it will take less memory, and longer.`;
    return new StudioError(error.kind, message, { cause: error.cause });
  }

  /** Not where it was ended on purpose. */
  #hasCrashed(): boolean {
    const { state } = this.#supervisor.status();
    return state === 'crashed' || state === 'halted';
  }

  #stop(reason: string): Promise<void> {
    this.#opened = null;
    this.#ending = this.#supervisor.stop(reason);
    return this.#ending;
  }

  #changed(): void {
    const { state, reason } = this.#supervisor.status();
    if (state === 'running' || state === 'starting' || state === 'unresponsive') return;
    this.#opened = null;
    this.#waiting?.reject(new StudioError('worker-crashed', reason ?? 'Nothing can be drawn.'));
    this.#waiting = null;
  }

  #endLater(): void {
    this.#idle?.cancel();
    this.#idle = this.#options.clock.after(drawingIdleMs, () => {
      this.#options.log.info('ended, nothing to draw');
      void this.#stop('Nothing was to be drawn.');
    });
  }
}

/** Nobody waits for a large part to be opened once they want it no more. It goes on opening for the next drawing. */
function unlessStopped<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new StudioError('cancelled', 'It was stopped.'));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
