import type { AppReplyBody } from '../../shared/contracts/app-ipc.ts';
import type { ModelSummary } from '../../shared/domain/model-manifest.ts';
import type { Api } from '../api.ts';
import { attempt } from './attempt.ts';

/** What a check of a model came to. */
export interface Verified {
  readonly folder: string;
  /** Sentences; none where all is right. Null while it is under way. */
  readonly faults: readonly string[] | null;
  readonly bytes: number;
}

/** A model that is to go to another drive, or is on its way. */
export interface Moving {
  readonly folder: string;
  /** Null: back to the app's own folders. */
  readonly target: string | null;
  readonly withShared: boolean;
  readonly offer: AppReplyBody<'models.movePlan'>;
  /** Bytes that are there and compared; null before it is said yes to. */
  readonly bytes: number | null;
}

/** The models on this machine. */
export class ModelsStore {
  items = $state.raw<readonly ModelSummary[]>([]);
  loading = $state(false);
  error = $state<string | null>(null);
  verified = $state.raw<Verified | null>(null);
  /** What deleting would take away, once it was asked for. */
  removal = $state.raw<(AppReplyBody<'models.removal'> & { readonly folder: string }) | null>(null);
  moving = $state.raw<Moving | null>(null);
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
    api.on('models.changed', ({ models }) => (this.items = models));
    api.on('models.moving', ({ folder, bytes }) => {
      const { moving } = this;
      if (moving?.folder === folder && moving.bytes !== null) this.moving = { ...moving, bytes };
    });
    api.on('models.verifying', ({ folder, bytes }) => {
      const { verified } = this;
      if (verified?.folder === folder && verified.faults === null) {
        this.verified = { ...verified, bytes };
      }
    });
  }

  async load(): Promise<void> {
    this.loading = true;
    await attempt(this, async () => {
      this.items = (await this.#api.request('models.list', null)).models;
    });
    this.loading = false;
  }

  /** @param chosen folder of the setting; null means the embedded model */
  isChosen(model: ModelSummary, chosen: string | null): boolean {
    return chosen === null ? model.embedded : model.folder === chosen;
  }

  async rename(folder: string, name: string): Promise<void> {
    await attempt(this, () => this.#api.request('models.rename', { folder, name }));
  }

  async askRemoval(folder: string): Promise<void> {
    await attempt(this, async () => {
      this.removal = { ...(await this.#api.request('models.removal', { folder })), folder };
    });
  }

  async remove(folder: string): Promise<void> {
    this.removal = null;
    await attempt(this, () => this.#api.request('models.remove', { folder }));
  }

  /** Asks for a folder, and what moving there would take. */
  async askMove(folder: string): Promise<void> {
    await attempt(this, async () => {
      const picked = await this.#api.request('models.pick', { what: 'folder' });
      if (picked !== null) await this.planMove(folder, picked.place, false);
    });
  }

  /** @param target null: back to the app's own folders */
  async planMove(folder: string, target: string | null, withShared: boolean): Promise<void> {
    await attempt(this, async () => {
      const wanted = { folder, target, withShared };
      const offer = await this.#api.request('models.movePlan', wanted);
      this.moving = { ...wanted, offer, bytes: null };
    });
  }

  async move(): Promise<void> {
    const { moving } = this;
    if (moving === null) return;
    this.moving = { ...moving, bytes: 0 };
    const { folder, target, withShared } = moving;
    await attempt(
      this,
      async () => void (await this.#api.request('models.move', { folder, target, withShared })),
    );
    this.moving = null;
  }

  async stopMoving(): Promise<void> {
    await this.#api.request('models.stopMoving', null).catch(() => undefined);
  }

  /** Reads all of a model again. */
  async verify(folder: string): Promise<void> {
    this.verified = { folder, faults: null, bytes: 0 };
    await attempt(this, async () => {
      const { faults } = await this.#api.request('models.verify', { folder });
      this.verified = { folder, faults, bytes: 0 };
    });
    if (this.error !== null) this.verified = null;
  }

  async stopVerifying(): Promise<void> {
    await this.#api.request('models.stopVerifying', null).catch(() => undefined);
  }
}
