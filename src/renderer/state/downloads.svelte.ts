import type { CataloguePart, CatalogueSystem } from '../../shared/domain/catalogue.ts';
import type {
  DownloadOffer,
  DownloadStatus,
  DownloadStorage,
  HubStatus,
} from '../../shared/domain/download.ts';
import type { CudaStatus } from '../../shared/domain/cuda.ts';
import type { PartUseView } from '../../shared/contracts/models-ipc.ts';
import type { Api } from '../api.ts';
import { attempt } from './attempt.ts';

/** What can be fetched, what the hub says of it, and what is being fetched. */
export class DownloadsStore {
  parts = $state.raw<readonly CataloguePart[]>([]);
  systems = $state.raw<readonly CatalogueSystem[]>([]);
  /** What is wrong with the person's own catalogue. */
  faults = $state.raw<readonly string[]>([]);
  /** Of this machine; null before it is known. */
  memoryBytes = $state<number | null>(null);
  items = $state.raw<readonly DownloadStatus[]>([]);
  hub = $state.raw<HubStatus>({ hasToken: false, tokenKept: 'session' });
  /** Parts that are on the disk. */
  here = $state.raw<readonly PartUseView[]>([]);
  /** CUDA for the engine; null before it is known. */
  cuda = $state.raw<CudaStatus | null>(null);
  /** Whom the hub is being asked about. */
  looking = $state<string | null>(null);
  offer = $state.raw<DownloadOffer | null>(null);
  /** What was said yes to just now: it is shown where it stands in the list. */
  begun: string | null = null;
  error = $state<string | null>(null);
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
    api.on('downloads.changed', ({ downloads }) => (this.items = downloads));
    api.on('models.changed', () => void this.#loadHere().then(() => this.loadCuda()));
  }

  async load(): Promise<void> {
    await attempt(this, async () => {
      const { parts, systems, faults, memoryBytes } = await this.#api.request(
        'downloads.catalogue',
        null,
      );
      this.parts = parts;
      this.systems = systems;
      this.faults = faults;
      this.memoryBytes = memoryBytes;
      const { downloads, hub } = await this.#api.request('downloads.list', null);
      this.items = downloads;
      this.hub = hub;
    });
    await this.#loadHere();
    await this.loadCuda();
  }

  /** Looks anew at what of CUDA is here. Where it cannot be asked, nothing is offered. */
  async loadCuda(): Promise<void> {
    this.cuda = await this.#api.request('models.cuda', null).catch(() => null);
  }

  /** Asks the hub for sizes and licences: the first thing that leaves this machine, on a press. */
  async look(entryId: string): Promise<void> {
    this.offer = null;
    this.looking = entryId;
    await attempt(this, async () => {
      this.offer = await this.#api.request('downloads.look', { entryId });
    });
    this.looking = null;
  }

  async stopLooking(): Promise<void> {
    await this.#api.request('downloads.stopLooking', null).catch(() => undefined);
  }

  /** @param storage what is made of a system's parts */
  async start(storage: DownloadStorage): Promise<void> {
    const { offer } = this;
    if (offer === null) return;
    await attempt(this, async () => {
      const { downloadId } = await this.#api.request('downloads.start', {
        offerId: offer.offerId,
        accepted: true,
        storage,
      });
      this.offer = null;
      this.begun = downloadId;
      await this.#list();
    });
  }

  forgetOffer(): void {
    this.offer = null;
    this.error = null;
  }

  async act(what: 'pause' | 'resume' | 'cancel', downloadId: string): Promise<void> {
    await attempt(this, async () => {
      await this.#api.request(`downloads.${what}`, { downloadId });
      await this.#list();
    });
  }

  async move(downloadId: string, by: -1 | 1): Promise<void> {
    await attempt(this, async () => {
      await this.#api.request('downloads.move', { downloadId, by });
      await this.#list();
    });
  }

  async setToken(token: string | null): Promise<void> {
    await attempt(this, async () => {
      this.hub = await this.#api.request('downloads.setToken', { token });
    });
  }

  async removePart(folder: string): Promise<void> {
    await attempt(this, () => this.#api.request('models.removePart', { folder }));
    await this.#loadHere();
  }

  async #list(): Promise<void> {
    this.items = (await this.#api.request('downloads.list', null)).downloads;
  }

  async #loadHere(): Promise<void> {
    await attempt(this, async () => {
      this.here = (await this.#api.request('models.parts', null)).parts;
    });
  }
}
