import type { Turn } from '../../shared/domain/turn.ts';
import { saysSomething } from '../../shared/domain/unread.ts';
import type { Store } from '../database/store.ts';

/**
 * A reply that is being written beside another. It becomes current with its first word, in the transaction that stores
 * it; until then, and if it never comes, the one before stays current. So neither Stop nor a crash can take it away.
 */
export class ReplyVersion {
  readonly #store: Store;
  #dropped = false;

  constructor(store: Store) {
    this.#store = store;
  }

  /** It has ended without a word and is gone. */
  get dropped(): boolean {
    return this.#dropped;
  }

  /** It has just been stored, inside a transaction, which may be run twice: nothing is remembered of the first. */
  storing({ id, parts, status }: Turn): void {
    if (parts.some(saysSomething)) this.#store.versions.choose(id);
    else if (status !== 'streaming') this.#dropped = this.#store.turns.dropEmpty(id);
  }

  /** It was not stored after all: it will be tried again. */
  failed(): void {
    this.#dropped = false;
  }
}
