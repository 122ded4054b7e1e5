import type {
  ComparedModel,
  Comparison,
  ComparisonPrompt,
  Tally,
  Verdict,
} from '../../shared/domain/comparison.ts';
import type { Api } from '../api.ts';
import { attempt } from './attempt.ts';

/** Two models side by side: the comparison that stands there, and who was better how often. */
export class ComparisonStore {
  current = $state.raw<Comparison | null>(null);
  tallies = $state.raw<readonly Tally[]>([]);
  error = $state<string | null>(null);
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
    api.on('comparison.changed', ({ comparison }) => (this.current = comparison));
  }

  get isAnswering(): boolean {
    const sides = this.current?.sides ?? [];
    return sides.some(({ state }) => state !== 'done' && state !== 'failed');
  }

  get canJudge(): boolean {
    const { current } = this;
    return current?.verdict === null && current.sides.every(({ state }) => state === 'done');
  }

  async load(): Promise<void> {
    await attempt(this, async () => {
      const { comparison, tallies } = await this.#api.request('comparison.current', null);
      this.current = comparison;
      this.tallies = tallies;
    });
  }

  async start(
    models: readonly [ComparedModel, ComparedModel],
    blind: boolean,
    prompt: ComparisonPrompt,
  ): Promise<void> {
    await attempt(this, async () => {
      const asked = { blind, prompt };
      const started = await this.#api.request('comparison.start', {
        models: [...models],
        ...asked,
      });
      // What was told since then is newer.
      if (this.current?.id !== started.id) this.current = started;
    });
  }

  async stop(): Promise<void> {
    await attempt(this, () => this.#api.request('comparison.stop', null));
  }

  async judge(verdict: Verdict): Promise<void> {
    const { current } = this;
    if (current === null || !this.canJudge) return;
    await attempt(this, async () => {
      const request = { id: current.id, verdict };
      const { comparison, tallies } = await this.#api.request('comparison.judge', request);
      this.current = comparison;
      this.tallies = tallies;
    });
  }
}
