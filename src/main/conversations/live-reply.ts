import {
  applyReplyEvent,
  storedPart,
  storedTurn,
  type Reply,
  type ReplyBegun,
  type ReplyEnded,
  type ReplyEvent,
  type ReplySnapshot,
} from '../../shared/domain/reply.ts';
import type { MessagePart, Turn } from '../../shared/domain/turn.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Emit } from '../emit.ts';

/** The longest that text stays unstored while it streams. Milliseconds; at least twice a second is promised. */
export const flushIntervalMs = 400;

export interface LiveReplyOptions {
  readonly begun: ReplyBegun;
  /** Number of its first event, `begun`. */
  readonly sequence: number;
  /** The parts as they are stored when it begins. */
  readonly stored: readonly MessagePart[];
  readonly clock: Clock;
  readonly emit: Emit;
  /** Writes the turn, whose parts before `from` are stored already. Throws where the disk refuses. */
  readonly store: (turn: Turn, from: number) => void;
  /** Text could not be stored within its time. */
  readonly onStoreFailed: (error: unknown) => void;
}

/**
 * A reply while it is written, as main holds it: each event is applied, stored, and then told to the window under its
 * number. An event that could not be stored has not happened, to the window neither; text may be told up to
 * `flushIntervalMs` before.
 */
export class LiveReply {
  readonly #options: LiveReplyOptions;
  #reply: Reply;
  #stored: readonly MessagePart[];
  /** Number of the event that is told next. */
  #sequence: number;
  #timer: Timer | null = null;

  constructor(options: LiveReplyOptions) {
    this.#options = options;
    this.#reply = options.begun.reply;
    this.#stored = options.stored;
    this.#sequence = options.sequence;
  }

  get turnId(): string {
    return this.#reply.id;
  }

  get conversationId(): string {
    return this.#options.begun.conversationId;
  }

  get reply(): Reply {
    return this.#reply;
  }

  snapshot(): ReplySnapshot {
    const { conversationId } = this;
    const reply = { ...this.#reply, parts: [...this.#reply.parts] };
    return { conversationId, sequence: this.#sequence - 1, reply };
  }

  /** Tells the window that there is such a reply; what it begins with is stored. */
  begin(): void {
    this.#tell(this.#options.begun);
  }

  /** One thing that happened. Throws where it had to be stored at once and could not be. */
  take(event: Exclude<ReplyEvent, ReplyBegun | ReplyEnded>): void {
    const next = applyReplyEvent(this.#reply, event);
    const urgency = urgencyOf(event);
    // Stored first: what the window shows as done must be there after a crash.
    if (urgency === 'now') this.#store(next);
    else if (urgency === 'soon') this.#storeSoon();
    this.#reply = next;
    this.#tell(event);
  }

  /** The last thing that happens. The window hears of it even where it cannot be stored, which then throws. */
  end(event: ReplyEnded): void {
    this.#reply = applyReplyEvent(this.#reply, event);
    try {
      this.#store(this.#reply);
    } finally {
      this.#tell(event);
    }
  }

  #store(reply: Reply): void {
    this.#timer?.cancel();
    this.#timer = null;
    const turn = storedTurn(reply);
    this.#options.store(turn, this.#firstUnstored(reply));
    this.#stored = turn.parts;
  }

  /** Parts that no event touched are the same objects that were stored. */
  #firstUnstored(reply: Reply): number {
    const index = reply.parts.findIndex((part, at) => storedPart(part) !== this.#stored[at]);
    return index < 0 ? reply.parts.length : index;
  }

  #storeSoon(): void {
    this.#timer ??= this.#options.clock.after(flushIntervalMs, () => {
      this.#timer = null;
      try {
        this.#store(this.#reply);
      } catch (error) {
        this.#options.onStoreFailed(error);
      }
    });
  }

  #tell(event: ReplyEvent): void {
    const sequence = this.#sequence;
    this.#sequence += 1;
    this.#options.emit('chat.reply', { turnId: this.turnId, sequence, event });
  }
}

/** How soon an event must reach the disk: captions, pictures and notices at once, text within the flush interval. */
function urgencyOf(event: ReplyEvent): 'none' | 'soon' | 'now' {
  switch (event.kind) {
    case 'drawing-step':
      return 'none';
    case 'asked':
    case 'text':
    case 'caption-text':
      return 'soon';
    default:
      return 'now';
  }
}
