import { StudioError } from '../../shared/errors.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Spawn } from './child.ts';
import { Supervisor, type SupervisorStatus } from './supervisor.ts';
import type { WorkerClient } from './worker-client.ts';

export interface OnDemandOptions {
  readonly spawn: Spawn;
  readonly clock: Clock;
  readonly log: Logger;
  /** What sentences about it begin with. */
  readonly called: string;
  /** What cannot be done without it, where it does not say why it is gone. */
  readonly missing: string;
  /** How long it is kept after its last answer. Milliseconds. */
  readonly idleMs: number;
  /** Nothing was asked of it for so long. */
  readonly onIdle: () => void;
}

/**
 * A worker's process that is started when something is asked of it, ended when nothing was for a while, and not started
 * again by itself where it dies. `Open` is what is asked once it is up.
 */
export class OnDemandProcess<Open> {
  readonly #options: OnDemandOptions;
  readonly #supervisor: Supervisor;
  #opened: Promise<Open> | null = null;
  /** Who waits for the process to be up. */
  #waiting: { resolve(client: WorkerClient): void; reject(error: Error): void } | null = null;
  #active = 0;
  #idle: Timer | null = null;
  /** Until what ran before is gone. */
  #ending: Promise<void> = Promise.resolve();

  constructor(options: OnDemandOptions) {
    this.#options = options;
    this.#supervisor = new Supervisor({
      ...options,
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

  status(): SupervisorStatus {
    return this.#supervisor.status();
  }

  /** It is not idle while this goes on. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#idle?.cancel();
    this.#active += 1;
    try {
      return await work();
    } finally {
      this.#active -= 1;
      if (this.#active === 0) this.#endLater();
    }
  }

  /**
   * What is open in it; opened where nothing is.
   * @param open begins when what ran before is gone
   */
  opened(open: () => Promise<Open>): Promise<Open> {
    this.#opened ??= this.#ending.then(open).catch((error: unknown) => {
      this.#opened = null;
      throw error;
    });
    return this.#opened;
  }

  /** Starts it, also where it crashed so often that it was given up, and waits until it is up. */
  async start(): Promise<WorkerClient> {
    const client = await new Promise<WorkerClient>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.status().state === 'halted') void this.#supervisor.restart();
      else this.#supervisor.start();
    });
    this.#waiting = null;
    return client;
  }

  /** Ends it: the next question starts it anew. */
  stop(reason: string): Promise<void> {
    this.#idle?.cancel();
    this.#opened = null;
    this.#ending = this.#supervisor.stop(reason);
    return this.#ending;
  }

  async close(): Promise<void> {
    this.#idle?.cancel();
    await this.#supervisor.close();
  }

  #changed(): void {
    const { state, reason } = this.status();
    if (state === 'running' || state === 'starting' || state === 'unresponsive') return;
    // `stop` gave up what was open: what is here now was asked for since, and begins when this one is gone.
    if (state !== 'stopped') this.#opened = null;
    this.#waiting?.reject(new StudioError('worker-crashed', reason ?? this.#options.missing));
    this.#waiting = null;
  }

  #endLater(): void {
    this.#idle?.cancel();
    this.#idle = this.#options.clock.after(this.#options.idleMs, this.#options.onIdle);
  }
}
