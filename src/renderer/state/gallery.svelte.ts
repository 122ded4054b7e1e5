/* eslint-disable svelte/prefer-svelte-reactivity -- the map is replaced whole, the set is no state of the page */
import type { GalleryFilter, GalleryItem } from '../../shared/domain/gallery.ts';
import type { Picture } from '../../shared/domain/picture.ts';
import { isStudioError } from '../../shared/errors.ts';
import type { Api } from '../api.ts';
import { sentenceOf } from '../texts.svelte.ts';
import type { RevealStore } from './reveal.svelte.ts';
import type { ShellStore } from './shell.svelte.ts';

/** Items that are asked for at once. */
const pageSize = 60;
const searchDelayMs = 150;

/** The pictures of all conversations: a list of known length, of which only what is looked at is loaded. */
export class GalleryStore {
  filter = $state<GalleryFilter>('all');
  query = $state('');
  total = $state(0);
  loaded = $state(false);
  error = $state<string | null>(null);
  /** By number in the list; null for one that is gone. What is missing was not looked at yet. */
  items = $state.raw<ReadonlyMap<number, GalleryItem | null>>(new Map());
  readonly #api: Api;
  readonly #shell: ShellStore;
  readonly #reveal: RevealStore;
  #listId: string | null = null;
  readonly #askedPages = new Set<number>();
  #asked = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(api: Api, shell: ShellStore, reveal: RevealStore) {
    this.#api = api;
    this.#shell = shell;
    this.#reveal = reveal;
    api.on('pictures.changed', ({ picture }) => this.#change(picture));
  }

  get isNarrowed(): boolean {
    return this.filter !== 'all' || this.query.trim() !== '';
  }

  /** Makes the list anew. */
  async open(): Promise<void> {
    const asked = ++this.#asked;
    this.error = null;
    try {
      const query = this.query.trim();
      const { listId, total } = await this.#api.request('gallery.open', {
        filter: this.filter,
        query: query === '' ? null : query.slice(0, 500),
      });
      if (asked !== this.#asked) return;
      this.#listId = listId;
      this.#askedPages.clear();
      this.items = new Map();
      this.total = total;
      this.loaded = true;
      await this.need(0, pageSize);
    } catch (error) {
      if (asked === this.#asked) this.error = sentenceOf(error);
    }
  }

  show(filter: GalleryFilter): void {
    this.filter = filter;
    void this.open();
  }

  /** Searches once typing pauses. */
  search(query: string): void {
    this.query = query;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.open(), searchDelayMs);
  }

  /** Loads what is missing of these numbers, the last excluded. */
  async need(from: number, to: number): Promise<void> {
    const last = Math.min(to, this.total);
    const pages: number[] = [];
    for (let page = Math.floor(from / pageSize); page * pageSize < last; page += 1) {
      if (!this.#askedPages.has(page)) pages.push(page);
    }
    await Promise.all(pages.map((page) => this.#load(page)));
  }

  /** Leads to where a picture stands, in the version that has it. */
  async goTo(picture: Picture): Promise<void> {
    try {
      const { conversationId, ...place } = await this.#api.request('gallery.place', {
        pictureId: picture.id,
      });
      this.#shell.go('chat');
      await this.#reveal.at(conversationId, place);
    } catch (error) {
      this.#shell.problem = sentenceOf(error);
    }
  }

  async #load(page: number): Promise<void> {
    const listId = this.#listId;
    if (listId === null) return;
    this.#askedPages.add(page);
    const offset = page * pageSize;
    try {
      const { items } = await this.#api.request('gallery.page', {
        listId,
        offset,
        limit: pageSize,
      });
      if (listId !== this.#listId) return;
      const known = new Map(this.items);
      for (const [index, item] of items.entries()) known.set(offset + index, item);
      this.items = known;
    } catch (error) {
      this.#askedPages.delete(page);
      if (listId !== this.#listId) return;
      // Main has forgotten the list, as after it was started anew.
      if (isStudioError(error, 'not-found')) void this.open();
      else this.error = sentenceOf(error);
    }
  }

  #change(picture: Picture): void {
    for (const [index, item] of this.items) {
      if (item?.picture.id !== picture.id) continue;
      this.items = new Map(this.items).set(index, { ...item, picture });
    }
  }
}
