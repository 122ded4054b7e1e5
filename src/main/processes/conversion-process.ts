import type {
  WorkerReplyBody,
  WorkerRequestBody,
  WorkerRequestName,
} from '../../shared/contracts/worker-protocol.ts';
import type { Clock } from '../../base/clock.ts';
import { withFields, type Logger } from '../../base/log.ts';
import type { Spawn } from './child.ts';
import type { RequestOptions } from './engine-client.ts';
import { OnDemandProcess } from './on-demand-process.ts';
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
  readonly #process: OnDemandProcess<WorkerClient>;

  constructor({ spawn, clock, log }: ConversionProcessOptions) {
    this.#process = new OnDemandProcess({
      ...{ spawn, clock, log: withFields(log, { process: 'conversion' }) },
      called: 'The process that reads models',
      missing: 'No model can be read.',
      idleMs: conversionIdleMs,
      onIdle: () => void this.#process.stop('Nothing was asked.'),
    });
  }

  /** Rejects with what the process says, or `worker-crashed` where it died over it. */
  ask<Name extends ConversionRequest>(
    name: Name,
    body: WorkerRequestBody<Name>,
    options: RequestOptions<Name> = {},
  ): Promise<WorkerReplyBody<Name>> {
    return this.#process.during(async () => {
      // A person asked: what crashed before is tried again.
      const client = await this.#process.opened(() => this.#process.start());
      return client.request(name, body, options);
    });
  }

  /** Ends the process where nothing is asked of it: the next question starts it anew. */
  async end(): Promise<void> {
    if (!this.#process.isBusy) await this.#process.stop('Nothing was asked.');
  }

  close(): Promise<void> {
    return this.#process.close();
  }
}
