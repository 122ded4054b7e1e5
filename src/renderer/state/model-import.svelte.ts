import type { AppReplyBody } from '../../shared/contracts/app-ipc.ts';
import type {
  FoundPart,
  ImportOutcome,
  ImportProgress,
  ModelImport,
} from '../../shared/domain/model-import.ts';
import type { Api } from '../api.ts';
import { assemble, suggestedName, type Assembly } from './model-assembly.ts';
import { sentenceOf, t } from '../texts.svelte.ts';

type Cost = AppReplyBody<'models.cost'>;

/** Adding a model of what a person brings: what it is, what is missing, what it costs, how far it is. */
export class ModelImportStore {
  found = $state.raw<readonly FoundPart[]>([]);
  storage = $state<ModelImport['storage']>('refer');
  name = $state('');
  looking = $state(false);
  cost = $state.raw<Cost | null>(null);
  progress = $state.raw<ImportProgress | null>(null);
  adding = $state(false);
  /** By the person. */
  wasStopped = $state(false);
  outcome = $state.raw<ImportOutcome | null>(null);
  error = $state<string | null>(null);
  readonly assembly: Assembly = $derived(assemble(this.found));
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
    api.on('models.importing', (progress) => (this.progress = progress));
  }

  /** Asks for a file or a folder by the desktop's dialog. */
  async pick(what: 'file' | 'folder'): Promise<void> {
    try {
      const picked = await this.#api.request('models.pick', { what });
      if (picked !== null) await this.bring([picked.place]);
    } catch (error) {
      this.error = sentenceOf(error);
    }
  }

  /** Adds to what was brought; absolute places. */
  async bring(places: readonly string[]): Promise<void> {
    const fresh = places.filter((place) => place !== '');
    if (fresh.length === 0) return;
    this.looking = true;
    this.wasStopped = false;
    this.error = null;
    this.outcome = null;
    try {
      const { found } = await this.#api.request('models.recognise', { places: [...fresh] });
      const known = found.map(({ place }) => place);
      this.found = [...this.found.filter(({ place }) => !known.includes(place)), ...found];
      this.name = suggestedName(this.found);
      await this.#loadCost();
    } catch (error) {
      this.error = sentenceOf(error);
    } finally {
      this.looking = false;
    }
  }

  async leaveOut(place: string): Promise<void> {
    this.found = this.found.filter((each) => each.place !== place);
    await this.#loadCost();
  }

  async store(storage: ModelImport['storage']): Promise<void> {
    this.storage = storage;
    await this.#loadCost();
  }

  /** @returns the model's folder; null where it did not come to be */
  async add(): Promise<string | null> {
    const { sources, sizes, guidance, licence } = this.assembly;
    if (sources === null || sizes === null) return null;
    const { storage } = this;
    const name = this.name.trim() === '' ? t.models.myModel : this.name.trim();
    this.adding = true;
    this.wasStopped = false;
    this.error = null;
    this.outcome = null;
    try {
      const request = { sources, storage, name, sizes, guidance };
      const terms = licence ?? t.models.seeLicencesOfParts;
      this.outcome = await this.#api.request('models.import', { ...request, licence: terms });
      // It was done before it heard of it.
      this.wasStopped = false;
      if (!this.outcome.ok) return null;
      this.found = [];
      return this.outcome.folder;
    } catch (error) {
      if (!this.wasStopped) this.error = sentenceOf(error);
      return null;
    } finally {
      this.adding = false;
      this.progress = null;
    }
  }

  async stop(): Promise<void> {
    this.wasStopped = true;
    await this.#api.request('models.stopImport', null).catch(() => undefined);
  }

  clear(): void {
    this.found = [];
    this.outcome = null;
    this.wasStopped = false;
    this.error = null;
    this.cost = null;
  }

  async #loadCost(): Promise<void> {
    this.cost = null;
    const { sources } = this.assembly;
    if (sources === null) return;
    const { storage } = this;
    try {
      this.cost = await this.#api.request('models.cost', { sources, storage });
    } catch (error) {
      this.error = sentenceOf(error);
    }
  }
}
