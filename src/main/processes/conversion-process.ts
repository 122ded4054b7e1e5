import type {
  WorkerReplyBody,
  WorkerRequestBody,
  WorkerRequestName,
} from '../../shared/contracts/worker-protocol.ts';
import { StudioError } from '../../shared/errors.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { withFields, type Logger } from '../../base/log.ts';
import type { Spawn } from './child.ts';
import type { RequestOptions } from './engine-client.ts';
import { Supervisor } from './supervisor.ts';
import type { WorkerClient } from './worker-client.ts';

/** How long the process is kept after its last answer. Milliseconds. */
export const conversionIdleMs = 20_000;

/** What it is asked: of models on the disk, never to run one. */
export type ConversionRequest = Extract<WorkerRequestName, `models.${string}`>;

export interface ConversionProcessOptions {
  readonly spawn: Spawn;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The process in which models are recognised, imported and checked: the worker's program without a model, so that
 * copying for minutes keeps no reply waiting, and a broken file costs nothing but the answer.
 */
export class ConversionProcess {
  readonly #options: ConversionProcessOptions;
  readonly #supervisor: Supervisor;
  #client: Promise<WorkerClient> | null = null;
  #waiting: { resolve(client: WorkerClient): void; reject(error: Error): void } | null = null;
  #active = 0;
  #idle: Timer | null = null;

  constructor(options: ConversionProcessOptions) {
    const log = withFields(options.log, { process: 'conversion' });
    this.#options = { ...options, log };
    this.#supervisor = new Supervisor({
      ...this.#options,
      called: 'The process that reads models',
      restarts: false,
      onReady: (client) => this.#waiting?.resolve(client),
      onChange: () => this.#changed(),
    });
  }

  /** Rejects with what the process says, or `worker-crashed` where it died over it. */
  async ask<Name extends ConversionRequest>(
    name: Name,
    body: WorkerRequestBody<Name>,
    options: RequestOptions<Name> = {},
  ): Promise<WorkerReplyBody<Name>> {
    this.#idle?.cancel();
    this.#active += 1;
    try {
      this.#client ??= this.#start().catch((error: unknown) => {
        this.#client = null;
        throw error;
      });
      const client = await this.#client;
      return await client.request(name, body, options);
    } finally {
      this.#active -= 1;
      if (this.#active === 0) this.#endLater();
    }
  }

  /** Ends the process where nothing is asked of it: the next question starts it anew. */
  async end(): Promise<void> {
    if (this.#active > 0) return;
    this.#idle?.cancel();
    this.#client = null;
    await this.#supervisor.stop('Nothing was asked.');
  }

  async close(): Promise<void> {
    this.#idle?.cancel();
    await this.#supervisor.close();
  }

  #start(): Promise<WorkerClient> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      // A person asked: what crashed before is tried again.
      if (this.#supervisor.status().state === 'halted') void this.#supervisor.restart();
      else this.#supervisor.start();
    });
  }

  #changed(): void {
    const { state, reason } = this.#supervisor.status();
    if (state === 'running' || state === 'starting' || state === 'unresponsive') return;
    this.#client = null;
    this.#waiting?.reject(new StudioError('worker-crashed', reason ?? 'No model can be read.'));
    this.#waiting = null;
  }

  #endLater(): void {
    this.#idle?.cancel();
    this.#idle = this.#options.clock.after(conversionIdleMs, () => {
      this.#client = null;
      void this.#supervisor.stop('Nothing was asked.');
    });
  }
}
