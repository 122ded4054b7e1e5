import { settingsSchema, type Settings, type SettingsPatch } from '../../shared/domain/settings.ts';
import type { Api } from '../api.ts';
import { sentenceOf } from '../texts.svelte.ts';

/** What the person has set. A change is shown at once, and taken back with a word if main refuses it. */
export class SettingsStore {
  value = $state.raw<Settings>(settingsSchema.parse({}));
  loaded = $state(false);
  error = $state<string | null>(null);
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
    api.on('settings.changed', (settings) => {
      this.value = settings;
    });
  }

  async load(): Promise<void> {
    try {
      this.value = await this.#api.request('settings.get', null);
      this.loaded = true;
    } catch (error) {
      this.error = sentenceOf(error);
    }
  }

  async set(patch: SettingsPatch): Promise<void> {
    const before = this.value;
    this.error = null;
    this.value = settingsSchema.parse({ ...before, ...patch });
    try {
      this.value = await this.#api.request('settings.set', patch);
    } catch (error) {
      this.value = before;
      this.error = sentenceOf(error);
    }
  }
}

/** Puts the theme on the page; `system` leaves it to the desktop. */
export function applyTheme(theme: Settings['theme'], root: HTMLElement): void {
  if (theme === 'system') delete root.dataset['theme'];
  else root.dataset['theme'] = theme;
}
