import {
  defaultServerPort,
  type LocalServerPatch,
  type LocalServerStatus,
} from '../../shared/domain/local-server.ts';
import type { Api } from '../api.ts';
import { sentenceOf, t } from '../texts.svelte.ts';

const off: LocalServerStatus = {
  state: 'off',
  address: null,
  port: defaultServerPort,
  key: null,
  active: false,
  waiting: 0,
  ownFirst: false,
  error: null,
};

/** The local server as main has it. */
export class ServerStore {
  status = $state.raw<LocalServerStatus>(off);
  /** A request of ours failed. */
  error = $state<string | null>(null);
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
    api.on('server.status', (status) => (this.status = status));
  }

  load(): Promise<void> {
    return this.#take(() => this.#api.request('server.status', null));
  }

  set(patch: LocalServerPatch): Promise<void> {
    return this.#take(() => this.#api.request('server.set', patch));
  }

  renewKey(): Promise<void> {
    return this.#take(() => this.#api.request('server.renewKey', null));
  }

  async #take(ask: () => Promise<LocalServerStatus>): Promise<void> {
    this.error = null;
    try {
      this.status = await ask();
    } catch (error) {
      this.error = sentenceOf(error);
    }
  }
}

/** What the server does at this moment, in a person's words. */
export function describeServer(status: LocalServerStatus): string {
  const { state, active, waiting, ownFirst } = status;
  if (state === 'starting') return t.settings.starting;
  if (state === 'failed') return t.settings.notListening;
  if (state === 'off') return t.settings.offNothingListens;
  const line = waiting === 0 ? '' : t.settings.waiting(waiting);
  if (!active) return t.common.ready;
  return ownFirst
    ? t.settings.yourConversationGoesFirstClient(line)
    : t.settings.answeringClient(line);
}
