import type { Picture } from '../../shared/domain/picture.ts';
import type { Api } from '../api.ts';
import type { ChatStore } from './chat.svelte.ts';

/** Where a picture stands in a conversation. */
export interface PicturePlace {
  readonly turnId: string;
  readonly partIndex: number;
}

/** A picture that can be looked at. */
export interface LightboxItem {
  readonly picture: Picture;
  /** Where it stands in the open conversation; null for one from elsewhere. */
  readonly place: PicturePlace | null;
}

/** The picture that is looked at large, and those before and behind it. */
export class LightboxStore {
  items = $state.raw<readonly LightboxItem[]>([]);
  /** Null: nothing is looked at. */
  index = $state<number | null>(null);
  /** Leads to where a picture of the gallery stands; null in a conversation. */
  goToPlace = $state.raw<((picture: Picture) => void) | null>(null);
  readonly #api: Api;
  readonly #chat: ChatStore;

  constructor(api: Api, chat: ChatStore) {
    this.#api = api;
    this.#chat = chat;
    api.on('pictures.changed', ({ picture }) => {
      this.items = this.items.map((item) =>
        item.picture.id === picture.id ? { ...item, picture } : item,
      );
    });
  }

  /** What is looked at, as it is now: another version may have become current under it. */
  get item(): LightboxItem | null {
    const item = this.index === null ? undefined : this.items[this.index];
    if (item === undefined) return null;
    const { place } = item;
    const turn = place && this.#chat.turns.find(({ id }) => id === place.turnId);
    const part = turn?.parts[place?.partIndex ?? -1];
    return part?.kind === 'picture' ? { ...item, picture: part.picture } : item;
  }

  get isOpen(): boolean {
    return this.item !== null;
  }

  /** Opens a picture of the open conversation, among all that it shows. */
  openInChat(place: PicturePlace): void {
    const items = this.#chat.turns.flatMap((turn) =>
      turn.parts.flatMap((part, partIndex): LightboxItem[] =>
        part.kind === 'picture'
          ? [{ picture: part.picture, place: { turnId: turn.id, partIndex } }]
          : [],
      ),
    );
    const index = items.findIndex(
      (item) => item.place?.turnId === place.turnId && item.place.partIndex === place.partIndex,
    );
    this.goToPlace = null;
    this.items = items;
    this.index = index < 0 ? null : index;
  }

  /** Opens one of pictures that stand elsewhere. */
  openAmong(
    pictures: readonly Picture[],
    index: number,
    goToPlace: ((picture: Picture) => void) | null,
  ): void {
    this.goToPlace = goToPlace;
    this.items = pictures.map((picture) => ({ picture, place: null }));
    this.index = index;
  }

  step(by: -1 | 1): void {
    const next = (this.index ?? 0) + by;
    if (next >= 0 && next < this.items.length) this.index = next;
  }

  close(): void {
    this.index = null;
  }

  /** The drawings at a place, oldest first; empty where it cannot be asked. */
  async versionsAt(place: PicturePlace): Promise<{
    readonly pictures: readonly (Picture | null)[];
    readonly current: number;
  }> {
    try {
      return await this.#api.request('versions.drawings', place);
    } catch {
      return { pictures: [], current: 0 };
    }
  }
}
