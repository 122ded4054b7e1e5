import type { Logger } from '../base/log.ts';
import { createServedEngine } from '../server/served-engine.ts';
import { freshKey, startLocalServer, type LocalServer } from '../server/server.ts';
import {
  localServerSettingsSchema,
  type LocalServerPatch,
  type LocalServerSettings,
  type LocalServerStatus,
} from '../shared/domain/local-server.ts';
import type { EngineStatus } from '../shared/domain/engine-status.ts';
import type { Settings } from '../shared/domain/settings.ts';
import { toWireError } from '../shared/errors.ts';
import type { SettingsTable } from './database/settings.ts';
import { readPictureHeader } from './pictures/header.ts';
import type { EngineClient } from './processes/engine-client.ts';
import type { PictureDecoder } from './processes/picture-decoder.ts';
import type { SharedEngine } from './processes/shared-engine.ts';

export interface LocalServerServiceOptions {
  readonly state: Pick<SettingsTable, 'state' | 'keepState'>;
  readonly engine: Pick<EngineClient, 'whenReady'> & { status(): EngineStatus };
  readonly shared: SharedEngine;
  readonly decoder: Pick<PictureDecoder, 'check'>;
  /** For pictures of requests. */
  readonly folder: string;
  readonly defaults: () => Pick<Settings, 'sampling' | 'drawing'>;
  readonly log: Logger;
  readonly onStatus: (status: LocalServerStatus) => void;
}

const stateName = 'localServer';

/** The local server as a person switches it. Nothing listens until then. */
export class LocalServerService {
  readonly #options: LocalServerServiceOptions;
  #server: LocalServer | null = null;
  #error: string | null = null;
  #starting = false;
  /** One change after another. */
  #line: Promise<unknown> = Promise.resolve();

  constructor(options: LocalServerServiceOptions) {
    this.#options = options;
  }

  /** Listens where a person left it switched on. */
  start(): void {
    if (this.#settings().on) void this.#inLine(() => this.#open());
  }

  status(): LocalServerStatus {
    const { port, key, on } = this.#settings();
    const { active, waiting } = this.#server?.state ?? { active: false, waiting: 0 };
    return {
      state: this.#state(on),
      address: this.#server?.address ?? null,
      ...{ port, key, active, waiting },
      ownFirst: this.#options.shared.isOwnersTurn(),
      error: this.#error,
    };
  }

  set(patch: LocalServerPatch): Promise<LocalServerStatus> {
    return this.#inLine(async () => {
      const before = this.#settings();
      const { on = before.on, port = before.port } = patch;
      const key = before.key ?? (on ? freshKey() : null);
      this.#keep({ on, port, key });
      const isAsWished = on ? this.#server?.port === port : this.#server === null;
      if (isAsWished && this.#error === null) return;
      await this.#shut();
      if (on) await this.#open();
    });
  }

  renewKey(): Promise<LocalServerStatus> {
    return this.#inLine(async () => {
      this.#keep({ ...this.#settings(), key: freshKey() });
      if (this.#server === null) return;
      // Who is let in no more is not answered to the end either.
      await this.#shut();
      await this.#open();
    });
  }

  /** The engine's owner began or ended something. */
  turned(): void {
    if (this.#server !== null) this.#changed();
  }

  async close(): Promise<void> {
    await this.#inLine(() => this.#shut());
  }

  #state(on: boolean): LocalServerStatus['state'] {
    if (this.#server !== null) return 'on';
    if (this.#starting) return 'starting';
    return on && this.#error !== null ? 'failed' : 'off';
  }

  /** What another version kept and this one cannot read is as if nothing was. */
  #settings(): LocalServerSettings {
    const kept = localServerSettingsSchema.safeParse(this.#options.state.state(stateName) ?? {});
    return kept.data ?? localServerSettingsSchema.parse({});
  }

  #keep(settings: LocalServerSettings): void {
    this.#options.state.keepState(stateName, settings);
  }

  async #open(): Promise<void> {
    const { log, folder } = this.#options;
    const { port, key } = this.#settings();
    this.#error = null;
    this.#starting = true;
    this.#changed();
    try {
      this.#server = await startLocalServer({
        engine: this.#engine(),
        ...{ port, folder, log, key: key ?? freshKey() },
        onChange: () => this.#changed(),
      });
    } catch (error) {
      this.#error = toWireError(error).message;
      log.warn('server does not listen', { port });
    }
    this.#starting = false;
  }

  async #shut(): Promise<void> {
    this.#error = null;
    const server = this.#server;
    this.#server = null;
    await server?.close();
  }

  #engine() {
    const { engine, shared, decoder, defaults } = this.#options;
    return createServedEngine({
      ...{ engine, shared, defaults },
      async checkPicture(bytes, name, signal) {
        readPictureHeader(bytes, name);
        await decoder.check(bytes, name, signal);
      },
    });
  }

  async #inLine(work: () => Promise<void>): Promise<LocalServerStatus> {
    const done = this.#line.then(work);
    this.#line = done.catch(() => undefined);
    await done;
    this.#changed();
    return this.status();
  }

  #changed(): void {
    this.#options.onStatus(this.status());
  }
}
