import type {
  WorkerReplyBody,
  WorkerRequestBody,
  WorkerRequestName,
} from '../../shared/contracts/worker-protocol.ts';
import type { EngineStatus, OpenModelReport } from '../../shared/domain/engine-status.ts';
import type { ProviderPreference } from '../../shared/domain/settings.ts';
import { isStudioError, StudioError, toWireError } from '../../shared/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Spawn } from './child.ts';
import { DrawingProcess } from './drawing-process.ts';
import type { Detours, EngineClient, RequestOptions } from './engine-client.ts';
import { Supervisor } from './supervisor.ts';
import type { WorkerClient } from './worker-client.ts';

/** Which model is to be open. */
export interface ModelChoice {
  readonly folder: string;
  readonly provider: ProviderPreference;
}

export interface EngineOptions {
  readonly spawn: Spawn;
  /** Starts the process for models that draw apart; without it no model does. */
  readonly spawnDrawing?: Spawn;
  readonly clock: Clock;
  readonly log: Logger;
  /** Asked for each time the worker is ready, so also after a crash. */
  readonly choice: () => ModelChoice;
  readonly onStatus: (status: EngineStatus) => void;
}

type Waiter = { resolve(): void; reject(error: Error): void };

/** The engine: the supervised worker with its model open in it. */
export class Engine implements EngineClient {
  readonly #options: EngineOptions;
  readonly #supervisor: Supervisor;
  readonly #drawing: DrawingProcess | null;
  readonly #waiters = new Set<Waiter>();
  #client: WorkerClient | null = null;
  #model: OpenModelReport | null = null;
  #modelError: StudioError | null = null;
  #opening: ModelChoice | null = null;
  /** Why it was ended until it is wanted again; null where it was not. */
  #restReason: string | null = null;
  #lastStatus = '';

  constructor(options: EngineOptions) {
    this.#options = options;
    const { spawnDrawing } = options;
    const drawing =
      spawnDrawing === undefined
        ? null
        : new DrawingProcess({ ...options, spawn: spawnDrawing, onChange: () => this.#changed() });
    this.#drawing = drawing;
    this.#supervisor = new Supervisor({
      ...options,
      onAsk: drawing === null ? undefined : (...asked) => drawing.draw(...asked, 'model'),
      onReady: (client) => void this.#opened(client),
      onChange: () => this.#changed(),
    });
  }

  start(): void {
    this.#restReason = null;
    this.#supervisor.start();
  }

  /** Starts the worker anew, whatever its state. */
  async restart(): Promise<void> {
    this.#options.log.info('worker restart asked for');
    this.#restReason = null;
    await this.#supervisor.restart();
  }

  /**
   * Ends the worker, so that its memory is free, until it is started again.
   * @param reason a sentence that the window says meanwhile
   */
  async rest(reason: string): Promise<void> {
    this.#options.log.info('worker rests');
    this.#restReason = reason;
    await Promise.all([this.#supervisor.stop(reason), this.#drawing?.end()]);
  }

  /** Starts the worker where it rests; nothing happens where it does not. */
  wake(): void {
    if (this.#restReason === null) return;
    this.#restReason = null;
    this.#supervisor.start();
  }

  get isResting(): boolean {
    return this.#restReason !== null;
  }

  async close(): Promise<void> {
    await Promise.all([this.#supervisor.close(), this.#drawing?.close()]);
  }

  /** The process id of the one that draws, while there is one. */
  drawingPid(): number | undefined {
    return this.#drawing?.pid();
  }

  /** The worker's process id, while there is one. */
  pid(): number | undefined {
    return this.#supervisor.pid();
  }

  /**
   * Opens the chosen model. One that is being opened is given up with its process, which may hang in it or load for
   * minutes without hearing anything; nothing is lost by that. Neither is by starting again after a model that the
   * engine died of.
   */
  async openChosen(): Promise<void> {
    if (this.#restReason !== null) {
      this.start();
      return;
    }
    if (this.#opening !== null || this.#supervisor.status().state === 'halted') {
      await this.restart();
      return;
    }
    if (this.#client === null) return;
    await this.#opened(this.#client);
  }

  modelName(): string | null {
    return this.#model?.name ?? null;
  }

  status(): EngineStatus {
    const { state, reason, restartInMs, crashes } = this.#supervisor.status();
    const runs = state === 'running';
    return {
      state: runs ? this.#runningState() : state,
      reason: runs ? (this.#modelError?.message ?? null) : (this.#restReason ?? reason),
      restartInMs,
      crashes,
      model: this.#model,
    };
  }

  whenReady(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(stopped());
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiters.delete(waiter);
        signal.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => waiter.reject(stopped());
      const waiter: Waiter = {
        resolve: () => (end(), resolve()),
        reject: (error) => (end(), reject(error)),
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', onAbort);
      this.#wake();
    });
  }

  request<Name extends WorkerRequestName>(
    name: Name,
    body: WorkerRequestBody<Name>,
    options?: RequestOptions<Name>,
  ): Promise<WorkerReplyBody<Name>> {
    if (this.#client === null) {
      return Promise.reject(new StudioError('worker-crashed', 'The engine does not run.'));
    }
    const detour = this.#detours()[name];
    return detour?.(body, options ?? {}) ?? this.#client.request(name, body, options);
  }

  /** Where pictures are drawn in a process of their own, it is asked. */
  #detours(): Detours {
    const drawing = this.#drawing;
    if (drawing === null || this.#model?.drawing?.apart !== true) return {};
    return { draw: (body, options) => drawing.draw(body, options, 'person') };
  }

  #runningState(): EngineStatus['state'] {
    if (this.#client === null || this.#opening !== null) return 'loading';
    const works = this.#supervisor.inFlight().some((name) => name !== 'memory');
    return works || this.#drawing?.isBusy === true ? 'busy' : 'ready';
  }

  async #opened(client: WorkerClient): Promise<void> {
    this.#client = client;
    this.#model = null;
    this.#modelError = null;
    let choice: ModelChoice | null = null;
    try {
      choice = this.#options.choice();
      this.#opening = choice;
      this.#changed();
      const { folder, provider } = choice;
      // Its memory is the new model's.
      await this.#drawing?.end();
      const drawsApart = this.#drawing !== null;
      const report = await client.request('model.open', { folder, provider, drawsApart });
      if (this.#opening === choice) this.#model = report;
    } catch (error) {
      this.#noteFailure(choice, client, error);
    }
    // A later choice may have overtaken this one; it reports for itself.
    if (this.#opening === choice) {
      this.#opening = null;
      this.#changed();
    }
  }

  #noteFailure(choice: ModelChoice | null, client: WorkerClient, error: unknown): void {
    if (this.#opening !== choice || this.#client !== client) return;
    if (isStudioError(error, 'worker-crashed')) return;
    const { kind, message } = toWireError(error);
    this.#options.log.error('model could not be opened', { folder: choice?.folder, kind, message });
    this.#modelError = isStudioError(error) ? error : new StudioError(kind, message);
  }

  #changed(): void {
    const { state } = this.#supervisor.status();
    if (state !== 'running' && state !== 'unresponsive') {
      this.#client = null;
      this.#model = null;
      this.#modelError = null;
      this.#opening = null;
    }
    this.#wake();
    const status = this.status();
    const text = JSON.stringify(status);
    if (text === this.#lastStatus) return;
    this.#lastStatus = text;
    this.#options.onStatus(status);
  }

  /** Lets those who wait go on, or tells them that there is nothing to wait for. */
  #wake(): void {
    const { state, reason } = this.#supervisor.status();
    for (const waiter of [...this.#waiters]) {
      if (this.#model !== null && this.#client !== null) waiter.resolve();
      else if (this.#modelError !== null && this.#opening === null) waiter.reject(this.#modelError);
      else if (state === 'halted')
        waiter.reject(new StudioError('worker-crashed', reason ?? 'The engine is halted.'));
    }
  }
}

function stopped(): StudioError {
  return new StudioError('cancelled', 'It was stopped.');
}
