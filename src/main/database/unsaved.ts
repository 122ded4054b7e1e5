import type { Turn } from '../../shared/domain/turn.ts';
import { isStudioError, type StudioError } from '../../shared/errors.ts';
import type { TurnTable } from './turns.ts';

/** What is stored with a turn, in one transaction. */
export interface StoredWith {
  storing(turn: Turn): void;
  /** The transaction did not come about: as before `storing`. */
  failed(): void;
}

interface Waiting {
  readonly turn: Turn;
  /** The first part that is not stored. */
  readonly from: number;
  readonly beside: StoredWith | null;
}

/**
 * Turns that the disk refused: kept in memory, shown as if they were stored, and stored once that is possible. A reply
 * must not be lost because the disk was full, or the database locked, in the middle of it.
 */
export class UnsavedTurns {
  readonly #write: (turn: Turn, from: number, beside: StoredWith | null) => void;
  readonly #waiting = new Map<string, Waiting>();
  #error: StudioError | null = null;

  /** @param write stores a turn's state, and its parts from one on; throws `storage` where the disk refuses */
  constructor(write: (turn: Turn, from: number, beside: StoredWith | null) => void) {
    this.#write = write;
  }

  get count(): number {
    return this.#waiting.size;
  }

  /** Why the last attempt failed; null where nothing waits. */
  get error(): StudioError | null {
    return this.#error;
  }

  /** Stores it, or keeps it. While something waits no attempt is made: that is for `retry`, once in a while. */
  save(turn: Turn, from: number, beside: StoredWith | null): void {
    const before = this.#waiting.get(turn.id);
    const waiting = { turn, from: Math.min(from, before?.from ?? from), beside };
    if (before === undefined) this.#attempt(waiting);
    else this.#waiting.set(turn.id, waiting);
  }

  /** Tries once more; returns how many still wait. */
  retry(): number {
    for (const waiting of this.#waiting.values()) {
      this.#attempt(waiting);
      // What one met the others would meet, each after its own wait for a lock.
      if (this.#waiting.has(waiting.turn.id)) break;
    }
    return this.#waiting.size;
  }

  /** The same table, whose reads show what waits. */
  over(table: TurnTable): TurnTable {
    return {
      ...table,
      list: (conversationId) =>
        table.list(conversationId).map((turn) => this.#waiting.get(turn.id)?.turn ?? turn),
      find: (turnId) => {
        const found = table.find(turnId);
        const waiting = this.#waiting.get(turnId);
        return found === null || waiting === undefined ? found : { ...found, turn: waiting.turn };
      },
    };
  }

  #attempt(waiting: Waiting): void {
    const { turn, from, beside } = waiting;
    try {
      this.#write(turn, from, beside);
      this.#waiting.delete(turn.id);
      if (this.#waiting.size === 0) this.#error = null;
    } catch (error) {
      beside?.failed();
      if (!isStudioError(error, 'storage')) throw error;
      this.#error = error;
      this.#waiting.set(turn.id, waiting);
    }
  }
}
