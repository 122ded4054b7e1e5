import type { ModelSummary } from '../../shared/domain/model-manifest.ts';
import { sentenceOf, type Api } from '../api.ts';

/** The models on this machine. */
export class ModelsStore {
  items = $state.raw<readonly ModelSummary[]>([]);
  loading = $state(false);
  error = $state<string | null>(null);
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async load(): Promise<void> {
    this.loading = true;
    this.error = null;
    try {
      this.items = (await this.#api.request('models.list', null)).models;
    } catch (error) {
      this.error = sentenceOf(error);
    } finally {
      this.loading = false;
    }
  }
}
