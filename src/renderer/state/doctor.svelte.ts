import type { DoctorReport } from '../../shared/domain/doctor.ts';
import type { Api } from '../api.ts';
import { sentenceOf } from '../texts.svelte.ts';

/** What was found when a person last asked. */
export class DoctorStore {
  report = $state.raw<DoctorReport | null>(null);
  looking = $state(false);
  error = $state<string | null>(null);
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async examine(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    this.error = null;
    try {
      this.report = await this.#api.request('doctor.examine', null);
    } catch (error) {
      this.error = sentenceOf(error);
    } finally {
      this.looking = false;
    }
  }
}
