/* eslint-disable svelte/prefer-svelte-reactivity -- reactive maps are replaced whole, the others are no state of the page */
import type {
  ConversationFilter,
  ConversationMarks,
  ConversationSummary,
} from '../../shared/domain/conversation.ts';
import type { Api } from '../api.ts';
import { sentenceOf } from '../texts.svelte.ts';

const pageSize = 100;
const searchDelayMs = 150;
/** How long "Undo" is offered after a deletion. */
const undoMs = 10_000;

/** The list of conversations: newest first, or what a search found. */
export class ConversationsStore {
  items = $state.raw<readonly ConversationSummary[]>([]);
  total = $state(0);
  /** A search stopped at a full page: there are more than `total`. */
  isMore = $state(false);
  filter = $state.raw<ConversationFilter>({});
  /** What a filter may name. */
  filterWords = $state.raw<{
    readonly tags: readonly string[];
    readonly models: readonly string[];
  }>({
    tags: [],
    models: [],
  });
  query = $state('');
  loading = $state(false);
  loaded = $state(false);
  error = $state<string | null>(null);
  /** The conversation that was deleted last and can still be brought back. */
  undo = $state.raw<ConversationSummary | null>(null);
  readonly #api: Api;
  #asked = 0;
  #searchTimer: ReturnType<typeof setTimeout> | null = null;
  #undoTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(api: Api) {
    this.#api = api;
    api.on('conversations.changed', ({ conversation, removed }) =>
      this.#change(conversation, removed),
    );
  }

  get searching(): boolean {
    return this.query.trim() !== '';
  }

  /** Some conversations are left out. */
  get filtering(): boolean {
    return Object.keys(this.filter).length > 0;
  }

  get hasMore(): boolean {
    return this.items.length < this.total || this.isMore;
  }

  async loadFilterWords(): Promise<void> {
    try {
      this.filterWords = await this.#api.request('conversations.filters', null);
    } catch {
      // What is known stays: the list itself says what is wrong.
    }
  }

  /** Changes parts of the filter; undefined takes one away. */
  setFilter(change: {
    [Name in keyof ConversationFilter]: ConversationFilter[Name] | undefined;
  }): void {
    const entries = Object.entries({ ...this.filter, ...change });
    this.filter = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
    void this.load();
  }

  clearFilter(): void {
    this.filter = {};
    void this.load();
  }

  /** Pins, archives, tags; true where it worked. */
  async mark(conversationId: string, marks: ConversationMarks): Promise<boolean> {
    try {
      this.#change(await this.#api.request('conversations.mark', { conversationId, marks }), false);
      return true;
    } catch (error) {
      this.error = sentenceOf(error);
      return false;
    }
  }

  /** Loads the first page anew. */
  async load(): Promise<void> {
    await this.#page(0);
  }

  async loadMore(): Promise<void> {
    if (this.hasMore && !this.loading) await this.#page(this.items.length);
  }

  /** Searches once typing pauses. An empty query shows the plain list at once. */
  search(query: string): void {
    this.query = query;
    if (this.#searchTimer !== null) clearTimeout(this.#searchTimer);
    this.#searchTimer = setTimeout(() => void this.load(), this.searching ? searchDelayMs : 0);
  }

  /** Renames; null when it worked, else what went wrong. */
  async rename(conversationId: string, title: string): Promise<string | null> {
    try {
      const summary = await this.#api.request('conversations.rename', { conversationId, title });
      this.#change(summary, false);
      return null;
    } catch (error) {
      return sentenceOf(error);
    }
  }

  /** Deletes, and offers to undo it for a while. */
  async remove(summary: ConversationSummary): Promise<boolean> {
    try {
      await this.#api.request('conversations.delete', { conversationId: summary.id });
    } catch (error) {
      this.error = sentenceOf(error);
      return false;
    }
    this.#change(summary, true);
    this.#offerUndo(summary);
    return true;
  }

  /** Brings the last deleted conversation back. */
  async restore(): Promise<ConversationSummary | null> {
    const deleted = this.undo;
    this.dismissUndo();
    if (deleted === null) return null;
    try {
      const summary = await this.#api.request('conversations.restore', {
        conversationId: deleted.id,
      });
      this.#change(summary, false);
      return summary;
    } catch (error) {
      this.error = sentenceOf(error);
      return null;
    }
  }

  dismissUndo(): void {
    if (this.#undoTimer !== null) clearTimeout(this.#undoTimer);
    this.undo = null;
  }

  #offerUndo(summary: ConversationSummary): void {
    this.dismissUndo();
    this.undo = summary;
    this.#undoTimer = setTimeout(() => this.dismissUndo(), undoMs);
  }

  async #page(offset: number): Promise<void> {
    const asked = ++this.#asked;
    this.loading = true;
    this.error = null;
    try {
      const reply = await this.#api.request('conversations.list', {
        query: this.searching ? this.query.trim().slice(0, 500) : null,
        ...(this.filtering ? { filter: { ...this.filter } } : {}),
        limit: pageSize,
        offset,
      });
      if (asked !== this.#asked) return;
      const known = new Set(offset === 0 ? [] : this.items.map(({ id }) => id));
      const fresh = reply.conversations.filter(({ id }) => !known.has(id));
      this.items = offset === 0 ? reply.conversations : [...this.items, ...fresh];
      this.total = reply.total;
      this.isMore = reply.isMore;
      this.loaded = true;
    } catch (error) {
      if (asked === this.#asked) this.error = sentenceOf(error);
    } finally {
      if (asked === this.#asked) this.loading = false;
    }
  }

  #change(summary: ConversationSummary, removed: boolean): void {
    const before = this.items.find(({ id }) => id === summary.id);
    const others = this.items.filter(({ id }) => id !== summary.id);
    // Whether it belongs to what is filtered only main knows.
    const isElsewhere = !this.searching && summary.archived !== (this.filter.archived === true);
    if (removed || isElsewhere) {
      this.items = others;
      if (before !== undefined) this.total -= 1;
      return;
    }
    if (this.searching) {
      // Its order is by match, which only the search knows: what was found keeps its place.
      if (before === undefined) return;
      const shown = { ...summary, snippet: before.snippet };
      this.items = this.items.map((item) => (item.id === summary.id ? shown : item));
      return;
    }
    if (before === undefined) {
      // A new one that the filter leaves out comes with the next look.
      if (this.filtering) return;
      this.total += 1;
    }
    this.items = [...others, summary].toSorted(
      (a, b) => Number(b.pinned) - Number(a.pinned) || b.updatedAt - a.updatedAt,
    );
  }
}
