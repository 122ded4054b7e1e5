import { SvelteMap } from 'svelte/reactivity';
import type { ChatStore } from './chat.svelte.ts';
import type { PicturePlace } from './lightbox.svelte.ts';

const keyOf = ({ turnId, partIndex }: PicturePlace): string => `${turnId} ${partIndex}`;

/** Captions that are being edited, until they are drawn or given up: an editor that is made anew goes on where it was. */
export class CaptionsStore {
  readonly #chat: ChatStore;
  readonly #words = new SvelteMap<string, string>();
  /** The editor that a person has just opened, and none that is made anew, takes the focus. */
  #opened: string | null = null;

  constructor(chat: ChatStore) {
    this.#chat = chat;
  }

  /** What stands in the editor at a place; null where none is open. */
  edited(place: PicturePlace): string | null {
    return this.#words.get(keyOf(place)) ?? null;
  }

  /** Opens an editor; one that is open already stays as it is. */
  edit(place: PicturePlace, caption: string): void {
    if (this.#words.has(keyOf(place))) return;
    this.#opened = keyOf(place);
    this.#words.set(keyOf(place), caption);
  }

  keep(place: PicturePlace, words: string): void {
    this.#words.set(keyOf(place), words);
  }

  /** Closes the editor, and forgets what stood in it. */
  stopEditing(place: PicturePlace): void {
    this.#words.delete(keyOf(place));
  }

  /** True once for each editor that a person opens. */
  takesFocus(place: PicturePlace): boolean {
    const takes = this.#opened === keyOf(place);
    if (takes) this.#opened = null;
    return takes;
  }

  /** Draws these words at their place; what is being edited stays where that is refused. */
  async draw(place: PicturePlace, words: string): Promise<void> {
    const { turnId, partIndex } = place;
    if (await this.#chat.redraw(turnId, partIndex, words)) this.stopEditing(place);
  }
}
