import { StudioError } from '../shared/errors.ts';
import { ApiError } from './api-error.ts';

/** Requests that may wait; who comes after them is asked to come again. */
export const mostWaiting = 64;

export interface QueueState {
  /** One is being answered. */
  readonly active: boolean;
  readonly waiting: number;
}

interface Ticket {
  readonly client: string;
  begin(): void;
}

/**
 * A line for the one engine. Clients take turns: one that asks for twenty things waits behind another's first. Within a
 * client what came first goes first.
 */
export class FairQueue {
  readonly #onChange: (state: QueueState) => void;
  /** In the order of their next turns; a client stands here while it has something waiting. */
  readonly #lines = new Map<string, Ticket[]>();
  #active = false;

  constructor(onChange: (state: QueueState) => void = () => undefined) {
    this.#onChange = onChange;
  }

  get state(): QueueState {
    return { active: this.#active, waiting: this.#waiting };
  }

  get #waiting(): number {
    return [...this.#lines.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /**
   * Resolves when it is this one's turn, with what ends it.
   * @param onPlace told how many are before it, at first and each time that changes
   * @throws ApiError 429 where too many wait; the signal's StudioError `cancelled`
   */
  enter(
    client: string,
    signal: AbortSignal,
    onPlace: (before: number) => void = () => undefined,
  ): Promise<() => void> {
    if (signal.aborted) return Promise.reject(gone());
    if (this.#waiting >= mostWaiting) return Promise.reject(full());
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#remove(ticket);
        reject(gone());
        this.#changed();
      };
      const ticket: Ticket = {
        client,
        begin: () => {
          signal.removeEventListener('abort', onAbort);
          this.#places.delete(ticket);
          resolve(this.#turn());
        },
      };
      this.#places.set(ticket, onPlace);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#lines.set(client, [...(this.#lines.get(client) ?? []), ticket]);
      this.#next();
      this.#changed();
    });
  }

  readonly #places = new Map<Ticket, (before: number) => void>();

  #turn(): () => void {
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#active = false;
      this.#next();
      this.#changed();
    };
  }

  /** Begins the first of the client whose turn it is, and puts the client behind the others. */
  #next(): void {
    if (this.#active) return;
    const [first] = this.#lines;
    if (first === undefined) return;
    const [client, [ticket, ...rest]] = first;
    this.#lines.delete(client);
    if (rest.length > 0) this.#lines.set(client, rest);
    this.#active = true;
    ticket?.begin();
  }

  #remove(ticket: Ticket): void {
    this.#places.delete(ticket);
    const rest = (this.#lines.get(ticket.client) ?? []).filter((other) => other !== ticket);
    if (rest.length > 0) this.#lines.set(ticket.client, rest);
    else this.#lines.delete(ticket.client);
  }

  #changed(): void {
    for (const [index, ticket] of this.#inOrder().entries()) {
      this.#places.get(ticket)?.(index + (this.#active ? 1 : 0));
    }
    this.#onChange(this.state);
  }

  /** Those that wait in the order in which they will begin, if nobody else comes. */
  #inOrder(): Ticket[] {
    const lines = [...this.#lines.values()];
    const longest = Math.max(0, ...lines.map(({ length }) => length));
    return Array.from({ length: longest }, (_, round) => round).flatMap((round) =>
      lines.flatMap((line) => line[round] ?? []),
    );
  }
}

function gone(): StudioError {
  return new StudioError('cancelled', 'The client is gone.');
}

function full(): ApiError {
  const message = `${mostWaiting} requests wait already; try again in a moment.`;
  return new ApiError(429, message, { code: 'queue_full', headers: { 'Retry-After': '5' } });
}
