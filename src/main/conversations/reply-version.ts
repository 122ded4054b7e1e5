import type { Turn } from '../../shared/domain/turn.ts';
import { saysSomething } from '../../shared/domain/unread.ts';
import type { Store } from '../database/store.ts';

/**
 * A reply that is being written beside another. It becomes current with its first word, in the transaction that stores
 * it; until then, and if it never comes, the one before stays current. So neither Stop nor a crash can take it away.
 */
export class ReplyVersion {
  readonly #store: Store;
  #state: 'silent' | 'current' | 'dropped' = 'silent';
  #before: 'silent' | 'current' | 'dropped' = 'silent';

  constructor(store: Store) {
    this.#store = store;
  }

  /** It has ended without a word and is gone. */
  get dropped(): boolean {
    return this.#state === 'dropped';
  }

  /** It has just been stored, inside a transaction. */
  storing({ id, parts, status }: Turn): void {
    this.#before = this.#state;
    if (this.#state !== 'silent') return;
    if (parts.some(saysSomething)) {
      this.#store.versions.choose(id);
      this.#state = 'current';
    } else if (status !== 'streaming' && this.#store.turns.dropEmpty(id)) this.#state = 'dropped';
  }

  /** It was not stored after all: it will be tried again. */
  failed(): void {
    this.#state = this.#before;
  }
}
