import type { WorkerReplyBody, WorkerRequestBody } from '../../shared/contracts/worker-protocol.ts';
import type { ProviderPreference } from '../../shared/domain/settings.ts';
import { isStudioError, StudioError } from '../../shared/errors.ts';
import type { Clock } from '../../base/clock.ts';
import { withFields, type Logger } from '../../base/log.ts';
import type { Spawn } from './child.ts';
import type { RequestOptions } from './engine-client.ts';
import { OnDemandProcess } from './on-demand-process.ts';
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
  readonly #process: OnDemandProcess<OpenPart>;
  #sparing = false;

  constructor(options: DrawingProcessOptions) {
    const log = withFields(options.log, { process: 'drawing' });
    this.#options = options;
    this.#process = new OnDemandProcess({
      ...{ spawn: options.spawn, clock: options.clock, log },
      called: 'The process that draws',
      missing: 'Nothing can be drawn.',
      idleMs: drawingIdleMs,
      onIdle: () => {
        log.info('ended, nothing to draw');
        void this.#process.stop('Nothing was to be drawn.');
      },
    });
  }

  get isBusy(): boolean {
    return this.#process.isBusy;
  }

  pid(): number | undefined {
    return this.#process.pid();
  }

  /**
   * Draws. Rejects with `worker-crashed` where the process died under it, `out-of-memory` where there was not enough,
   * and what `draw` rejects with.
   */
  draw(
    body: WorkerRequestBody<'draw'>,
    options: RequestOptions<'draw'>,
    by: AskedBy,
  ): Promise<WorkerReplyBody<'draw'>> {
    const drawn = this.#process.during(async () => {
      this.#options.onChange();
      let part: OpenPart | null = null;
      try {
        const opened = this.#process.opened(() => this.#open(by));
        part = await unlessStopped(opened, options.signal);
        return await part.client.request('draw', body, options);
      } catch (error) {
        throw await this.#explained(error, part);
      }
    });
    return drawn.finally(() => this.#options.onChange());
  }

  /** Ends the process, for instance before another model is opened. It comes back when it is needed. */
  async end(): Promise<void> {
    this.#sparing = false;
    await this.#process.stop('The process that draws was ended.');
  }

  close(): Promise<void> {
    return this.#process.close();
  }

  async #open(by: AskedBy): Promise<OpenPart> {
    const { state, reason } = this.#process.status();
    if (state === 'halted' && by === 'model') {
      throw new StudioError('worker-crashed', `${reason} Draw again to try once more.`);
    }
    const client = await this.#process.start();
    const { folder, provider } = this.#options.choice();
    const asked = { folder, provider, sparing: this.#sparing };
    const { sparing } = await client.request('drawing.open', asked);
    return { client, sparing };
  }

  /** What a person is told, and what the next try does otherwise. */
  async #explained(error: unknown, part: OpenPart | null): Promise<unknown> {
    if (isStudioError(error, 'out-of-memory')) {
      // What was tried may hold most of the memory still.
      await this.#process.stop('The process that draws ran out of memory.');
    } else if (!isStudioError(error, 'worker-crashed') || !this.#hasCrashed()) return error;
    const spared = this.#sparing || part?.sparing === true;
    this.#sparing = true;
    if (spared) return error;
    const message = `${error.message} Draw again: it will take less memory, and longer.`;
    return new StudioError(error.kind, message, { cause: error.cause });
  }

  /** Not where it was ended on purpose. */
  #hasCrashed(): boolean {
    const { state } = this.#process.status();
    return state === 'crashed' || state === 'halted';
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
