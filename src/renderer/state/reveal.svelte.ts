import type { FoundPlace } from '../../shared/domain/found-place.ts';
import { searchWords } from '../../shared/domain/fold.ts';
import type { Api } from '../api.ts';
import { sentenceOf } from '../texts.svelte.ts';
import type { ChatStore } from './chat.svelte.ts';

/** A place of the open conversation that is to be scrolled to. */
export interface RevealedPlace {
  readonly conversationId: string;
  readonly turnId: string;
  /** Null: the turn as a whole. */
  readonly partIndex: number | null;
  /** Words that are marked there. */
  readonly words: readonly string[];
}

/** Leads to a place of a conversation, from a search or from anywhere else: opens it, scrolls there, marks the words. */
export class RevealStore {
  /** A new object each time, so that the same place can be gone to again. */
  place = $state.raw<RevealedPlace | null>(null);
  readonly #api: Api;
  readonly #chat: ChatStore;
  #asked = 0;

  constructor(api: Api, chat: ChatStore) {
    this.#api = api;
    this.#chat = chat;
  }

  /** Nothing is marked any more. */
  clear(): void {
    this.#asked += 1;
    this.place = null;
  }

  /**
   * Opens a conversation that a search found, at the place that was found. Where the words stand in a version that is
   * not current, that version becomes current. Resolves true where it did.
   */
  async found(conversationId: string, query: string): Promise<boolean> {
    this.clear();
    const asked = this.#asked;
    try {
      const [place] = await Promise.all([
        this.#api.request('conversations.findPlace', { conversationId, query }),
        this.#openIfClosed(conversationId),
      ]);
      if (place === null || asked !== this.#asked) return false;
      const changed = await this.#chooseVersion(place);
      if (asked !== this.#asked) return changed;
      const { turnId, partIndex } = place;
      const words = searchWords(query);
      this.place = { conversationId, turnId, partIndex, words };
      return changed;
    } catch (error) {
      if (asked === this.#asked) this.#chat.actionError = sentenceOf(error);
      return false;
    }
  }

  /** Opens a conversation at a turn of its current path, and marks words there. */
  async show(place: Omit<RevealedPlace, 'words'>, words: readonly string[] = []): Promise<void> {
    this.clear();
    const asked = this.#asked;
    await this.#openIfClosed(place.conversationId);
    if (asked === this.#asked) this.place = { ...place, words };
  }

  /** Opens a conversation at a place of any version: that version becomes current. True when it is shown. */
  async at(conversationId: string, place: FoundPlace): Promise<boolean> {
    this.clear();
    const asked = this.#asked;
    try {
      await this.#openIfClosed(conversationId);
      await this.#chooseVersion(place);
      const { turnId, partIndex } = place;
      if (asked === this.#asked) this.place = { conversationId, turnId, partIndex, words: [] };
      return true;
    } catch (error) {
      if (asked === this.#asked) this.#chat.actionError = sentenceOf(error);
      return false;
    }
  }

  async #openIfClosed(conversationId: string): Promise<void> {
    if (this.#chat.conversationId !== conversationId) await this.#chat.open(conversationId);
  }

  async #chooseVersion({ turnId, partIndex, isOnPath, drawing }: FoundPlace): Promise<boolean> {
    if (!isOnPath) this.#chat.show(await this.#api.request('versions.choose', { turnId }));
    if (drawing !== null) {
      const place = { turnId, partIndex, index: drawing };
      this.#chat.show(await this.#api.request('versions.chooseDrawing', place));
    }
    return !isOnPath || drawing !== null;
  }
}
