import type { DeletedConversation } from '../../shared/domain/conversation.ts';
import type { Api } from '../api.ts';
import { attempt } from './attempt.ts';

const pageSize = 100;

/** Deleted conversations, the last deleted first. */
export class TrashStore {
  items = $state.raw<readonly DeletedConversation[]>([]);
  total = $state(0);
  loaded = $state(false);
  error = $state<string | null>(null);
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  get hasMore(): boolean {
    return this.items.length < this.total;
  }

  /** Loads the first page anew. */
  async load(): Promise<void> {
    await this.#page(0);
  }

  async loadMore(): Promise<void> {
    if (this.hasMore) await this.#page(this.items.length);
  }

  /** Puts one back into the list; true when it worked. */
  restore(conversationId: string): Promise<boolean> {
    return this.#try(async () => {
      await this.#api.request('conversations.restore', { conversationId });
      this.#drop(conversationId);
    });
  }

  /** Deletes one for good. */
  erase(conversationId: string): Promise<boolean> {
    return this.#try(async () => {
      await this.#api.request('trash.delete', { conversationId });
      this.#drop(conversationId);
    });
  }

  /** Deletes all of them for good. */
  empty(): Promise<boolean> {
    return this.#try(async () => {
      await this.#api.request('trash.empty', null);
      await this.#page(0);
    });
  }

  async #page(offset: number): Promise<void> {
    await this.#try(async () => {
      const page = await this.#api.request('trash.list', { limit: pageSize, offset });
      this.items = offset === 0 ? page.conversations : [...this.items, ...page.conversations];
      this.total = page.total;
      this.loaded = true;
    });
  }

  #drop(conversationId: string): void {
    this.items = this.items.filter(({ id }) => id !== conversationId);
    this.total -= 1;
  }

  #try(action: () => Promise<unknown>): Promise<boolean> {
    return attempt(this, action);
  }
}
