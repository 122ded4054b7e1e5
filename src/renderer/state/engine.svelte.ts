import type { EngineStatus } from '../../shared/domain/engine-status.ts';
import type { Api } from '../api.ts';
import { sentenceOf, t } from '../texts.svelte.ts';

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
  if (lacksModel(status)) return { words: t.engine.noModel, tone: 'bad' };
  switch (status.state) {
    case 'starting':
      return { words: t.engine.engineStarting, tone: 'waiting' };
    case 'loading':
      return { words: t.engine.loadingModel, tone: 'waiting' };
    case 'ready':
      return { words: t.common.ready, tone: 'good' };
    case 'busy':
      return { words: t.engine.working, tone: 'calm' };
    case 'unresponsive':
      return { words: t.engine.notAnswering, tone: 'bad' };
    case 'crashed':
      return {
        words:
          restartInSeconds === null
            ? t.engine.stoppedUnexpectedly
            : t.engine.stoppedStartsAgainInS(restartInSeconds),
        tone: 'bad',
      };
    case 'halted':
      return { words: t.common.stopped, tone: 'bad' };
    case 'stopped':
      return { words: t.engine.off, tone: 'calm' };
    default:
      return status.state satisfies never;
  }
}

/** Why a message cannot be sent in this state of the engine; null when it can. */
export function whyNotSend(status: EngineStatus): string | null {
  if (lacksModel(status)) return t.engine.noModelIsOpenYour;
  const reasons: Readonly<Record<EngineStatus['state'], string | null>> = {
    ready: null,
    busy: null,
    starting: t.engine.engineIsStartingYouCan,
    loading: t.engine.modelIsLoadingYouCan,
    unresponsive: t.engine.engineIsNotAnsweringRestart,
    crashed: t.engine.engineStoppedAndIsAbout,
    halted: t.engine.engineIsStoppedStartIt,
    stopped: t.engine.engineIsOffStartIt,
  };
  return reasons[status.state];
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
