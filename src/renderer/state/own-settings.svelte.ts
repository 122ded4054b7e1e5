import {
  effectiveSettings,
  type ConversationSettings,
} from '../../shared/domain/conversation-settings.ts';
import { mostPresets, type Preset } from '../../shared/domain/settings.ts';
import type { Api } from '../api.ts';
import type { ChatStore } from './chat.svelte.ts';
import type { SettingsStore } from './settings.svelte.ts';
import { sentenceOf, t } from '../texts.svelte.ts';

/** Settings under a name that the app brings along: how freely words are chosen. */
export const builtInPresets = [
  { name: 'likeliest', sampling: { temperature: 0, topK: 0, topP: 1 } },
  { name: 'varied', sampling: { temperature: 0.7, topK: 0, topP: 0.95 } },
  { name: 'free', sampling: { temperature: 1, topK: 0, topP: 0.95 } },
] as const;

/** How long a person pauses before a system prompt that is being typed is stored. */
const pauseMs = 400;

/** What the open conversation is answered by, where that differs from everywhere; and presets. */
export class OwnSettingsStore {
  /** Of the open conversation; of a new one what it begins with. */
  value = $state.raw<ConversationSettings>({});
  error = $state<string | null>(null);
  readonly #api: Api;
  readonly #chat: ChatStore;
  readonly #settings: SettingsStore;
  #asked = 0;
  #shown: string | null = null;
  /** A system prompt that is being typed and is not stored yet, and whose it is. */
  #typed: { readonly conversationId: string | null; readonly value: ConversationSettings } | null =
    null;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(api: Api, chat: ChatStore, settings: SettingsStore) {
    this.#api = api;
    this.#chat = chat;
    this.#settings = settings;
  }

  /** What replies here are asked with. */
  get effective() {
    return effectiveSettings(this.#settings.value, this.value);
  }

  get isOwn(): boolean {
    return Object.values(this.value).some((group) => group !== undefined && group !== '');
  }

  /** Takes those of the conversation that is shown now. A new one that was sent keeps what it began with. */
  async follow(conversationId: string | null, cameIntoBeing: boolean): Promise<void> {
    if (conversationId === this.#shown) return;
    void this.endTyping();
    this.#shown = conversationId;
    const asked = (this.#asked += 1);
    if (!cameIntoBeing) this.value = {};
    this.#chat.beginsWith = {};
    if (conversationId === null) return;
    await this.#try(async () => {
      const value = await this.#api.request('conversations.settings', { conversationId });
      if (asked === this.#asked) this.value = value;
    });
  }

  async set(change: ConversationSettings): Promise<void> {
    await this.#keep({ ...this.value, ...change });
  }

  /** Takes a system prompt as it is typed: the field may not be left before another conversation is opened. */
  typeSystem(system: string): void {
    this.value = { ...this.value, system };
    this.#typed = { conversationId: this.#chat.conversationId, value: this.value };
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => void this.endTyping(), pauseMs);
  }

  /** Stores what was typed, where it was typed. */
  async endTyping(): Promise<void> {
    clearTimeout(this.#pause);
    const typed = this.#typed;
    this.#typed = null;
    if (typed !== null) await this.#store(typed.conversationId, typed.value);
  }

  /** As everywhere again. */
  async reset(): Promise<void> {
    await this.#keep({});
  }

  async takePreset({ system, sampling, drawing }: Preset): Promise<void> {
    await this.#keep({ system, sampling, drawing });
  }

  /** Keeps what holds here under a name; one of the same name is replaced. */
  async savePreset(name: string): Promise<void> {
    const { system, sampling, drawing } = this.effective;
    const others = this.#settings.value.presets.filter((preset) => preset.name !== name);
    const preset = { id: crypto.randomUUID(), name, system, sampling, drawing };
    if (others.length >= mostPresets) {
      this.error = t.composer.tooManyPresets(mostPresets);
      return;
    }
    await this.#settings.set({ presets: [...others, preset] });
  }

  async deletePreset(id: string): Promise<void> {
    const { presets } = this.#settings.value;
    await this.#settings.set({ presets: presets.filter((preset) => preset.id !== id) });
  }

  async #keep(value: ConversationSettings): Promise<void> {
    const before = this.value;
    this.value = value;
    this.#typed = null;
    await this.#store(this.#chat.conversationId, value, () => (this.value = before));
  }

  async #store(
    conversationId: string | null,
    settings: ConversationSettings,
    undo?: () => void,
  ): Promise<void> {
    if (conversationId === null) {
      this.#chat.beginsWith = settings;
      return;
    }
    await this.#try(async () => {
      await this.#api.request('conversations.setSettings', { conversationId, settings });
    }, undo);
  }

  async #try(action: () => Promise<void>, undo: () => void = () => undefined): Promise<void> {
    this.error = null;
    try {
      await action();
    } catch (error) {
      undo();
      this.error = sentenceOf(error);
    }
  }
}
