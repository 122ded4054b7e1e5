import type { FitEstimate } from '../../shared/domain/fit.ts';
import type { Api } from '../api.ts';
import { decimal, inUnit } from '../numbers.ts';
import { sentenceOf, t } from '../texts.svelte.ts';

/** What models are expected to do on this machine. */
export class FitStore {
  estimates = $state.raw<readonly FitEstimate[]>([]);
  /** Folder of the model that is being measured. */
  measuring = $state<string | null>(null);
  error = $state<{ readonly folder: string; readonly message: string } | null>(null);
  readonly #api: Api;
  #loading: Promise<void> | null = null;

  constructor(api: Api) {
    this.#api = api;
  }

  of(folder: string): FitEstimate | null {
    return this.estimates.find((each) => each.folder === folder) ?? null;
  }

  /** Once, however many cards ask for it. */
  load(): Promise<void> {
    this.#loading ??= this.#api
      .request('fit.list', null)
      .then(
        ({ estimates }) => void (this.estimates = estimates),
        // Cards without a line say nothing wrong; the doctor says why.
        () => undefined,
      )
      .finally(() => (this.#loading = null));
    return this.#loading;
  }

  async measure(folder: string): Promise<void> {
    if (this.measuring !== null) return;
    this.measuring = folder;
    this.error = null;
    try {
      this.estimates = (await this.#api.request('fit.measure', { folder })).estimates;
    } catch (error) {
      this.error = { folder, message: sentenceOf(error) };
    } finally {
      this.measuring = null;
    }
  }
}

/** What is expected, as a line. */
export function fitWords(fit: FitEstimate): string {
  const words = [
    fit.tokensPerSecond === null ? null : t.models.tokensPerSecond(rounded(fit.tokensPerSecond)),
    fit.secondsPerPicture === null
      ? null
      : t.models.secondsAPicture(rounded(fit.secondsPerPicture), fit.steps),
    ...fit.memory.map(({ part, bytes }) =>
      t.models.partMemory[part](inUnit(bytes / 1e9, 'gigabyte', 1)),
    ),
  ].filter((each) => each !== null);
  const line = words.join(' · ');
  return fit.basis === 'scaled' ? t.models.roughly(line) : line;
}

function rounded(value: number): string {
  return decimal(value, value < 10 ? 1 : 0);
}
