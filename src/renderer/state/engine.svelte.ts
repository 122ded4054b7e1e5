import type { EngineStatus } from '../../shared/domain/engine-status.ts';
import { sentenceOf, type Api } from '../api.ts';

const unknownStatus: EngineStatus = {
  state: 'starting',
  reason: null,
  restartInMs: null,
  crashes: 0,
  model: null,
};

/** The engine (the worker process) as the supervisor knows it. */
export class EngineStore {
  status = $state.raw<EngineStatus>(unknownStatus);
  error = $state<string | null>(null);
  /** Whole seconds until the planned start; null when none is planned. */
  restartInSeconds = $state<number | null>(null);
  readonly #api: Api;
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(api: Api) {
    this.#api = api;
    api.on('engine.status', (status) => this.#set(status));
  }

  async load(): Promise<void> {
    try {
      this.#set(await this.#api.request('engine.status', null));
    } catch (error) {
      this.error = sentenceOf(error);
    }
  }

  /** Starts the engine again, at once. */
  async restart(): Promise<void> {
    this.error = null;
    try {
      await this.#api.request('engine.restart', null);
    } catch (error) {
      this.error = sentenceOf(error);
    }
  }

  #set(status: EngineStatus): void {
    this.status = status;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    if (status.restartInMs === null) {
      this.restartInSeconds = null;
      return;
    }
    const startsAt = Date.now() + status.restartInMs;
    const tick = (): void => {
      this.restartInSeconds = Math.max(0, Math.ceil((startsAt - Date.now()) / 1000));
    };
    tick();
    this.#timer = setInterval(tick, 500);
  }
}

/** The engine's state in a person's words. `tone` goes with the words, never instead of them. */
export function describeEngine(
  status: EngineStatus,
  restartInSeconds: number | null,
): { readonly words: string; readonly tone: 'calm' | 'good' | 'waiting' | 'bad' } {
  if (lacksModel(status)) return { words: 'No model', tone: 'bad' };
  switch (status.state) {
    case 'starting':
      return { words: 'Engine starting', tone: 'waiting' };
    case 'loading':
      return { words: 'Loading the model', tone: 'waiting' };
    case 'ready':
      return { words: 'Ready', tone: 'good' };
    case 'busy':
      return { words: 'Working', tone: 'calm' };
    case 'unresponsive':
      return { words: 'Not answering', tone: 'bad' };
    case 'crashed':
      return {
        words:
          restartInSeconds === null
            ? 'Stopped unexpectedly'
            : `Stopped; starts again in ${restartInSeconds} s`,
        tone: 'bad',
      };
    case 'halted':
      return { words: 'Stopped', tone: 'bad' };
    case 'stopped':
      return { words: 'Off', tone: 'calm' };
    default:
      return status.state satisfies never;
  }
}

/** Why a message cannot be sent in this state of the engine; null when it can. */
export function whyNotSend(status: EngineStatus): string | null {
  if (lacksModel(status)) return 'No model is open. Your draft is kept.';
  switch (status.state) {
    case 'ready':
    case 'busy':
      return null;
    case 'starting':
      return 'The engine is starting. You can write meanwhile.';
    case 'loading':
      return 'The model is loading. You can write meanwhile.';
    case 'unresponsive':
      return 'The engine is not answering. Restart it to go on; your draft is kept.';
    case 'crashed':
      return 'The engine stopped and is about to start again. Your draft is kept.';
    case 'halted':
      return 'The engine is stopped. Start it again to send; your draft is kept.';
    case 'stopped':
      return 'The engine is off. Start it to send; your draft is kept.';
    default:
      return status.state satisfies never;
  }
}

/** True where the engine runs but the chosen model could not be opened; `reason` says why. */
export function lacksModel(status: EngineStatus): boolean {
  return status.state === 'ready' && status.model === null;
}

/** True where the engine does not work and something can be done about it. */
export function inTrouble(status: EngineStatus): boolean {
  return (
    lacksModel(status) || ['crashed', 'halted', 'unresponsive', 'stopped'].includes(status.state)
  );
}
