/* eslint-disable svelte/prefer-svelte-reactivity -- reactive maps are replaced whole, the others are no state of the page */
import type { DraftPart } from '../../shared/contracts/app-ipc.ts';
import type { ConversationSummary } from '../../shared/domain/conversation.ts';
import type { Turn } from '../../shared/domain/turn.ts';
import { StudioError } from '../../shared/errors.ts';
import { sentenceOf, type Api } from '../api.ts';
import { applyTurnEvent, type TurnEvent, type TurnView } from './turn-view.ts';

interface LiveTurn {
  readonly conversationId: string;
  readonly turn: TurnView;
}

interface StartedReply {
  readonly conversation: ConversationSummary;
  readonly turns: readonly Turn[];
}

/** Events that came before the request that started their turn was answered, by turn. Bounded: see `remember`. */
const maxWaitingTurns = 8;
const maxWaitingEvents = 4000;

/**
 * The open conversation and every reply that streams, in whatever conversation. Replies that stream are kept here from
 * their first event, so that leaving a conversation and coming back shows them as they are, not as last stored.
 */
export class ChatStore {
  /** Null: a conversation that does not exist yet. */
  summary = $state.raw<ConversationSummary | null>(null);
  turns = $state.raw<readonly TurnView[]>([]);
  /** Counts how often what is shown was replaced by something else: another conversation, or a new one. */
  epoch = $state(0);
  opening = $state(false);
  openError = $state<string | null>(null);
  /** A request that starts a reply is on its way. */
  starting = $state(false);
  /** Why the last send, regenerate, continue or redraw was refused. */
  actionError = $state<string | null>(null);
  #live = $state.raw<ReadonlyMap<string, LiveTurn>>(new Map());
  readonly #waiting = new Map<string, TurnEvent[]>();
  /** Turns that ended before the request that started them was answered. */
  readonly #settledEarly = new Map<string, Turn>();
  readonly #api: Api;
  /** Counts what has been opened, so that an answer for what was left is dropped. */
  #visit = 0;

  constructor(api: Api) {
    this.#api = api;
    for (const name of [
      'chat.text',
      'chat.caption',
      'chat.drawing',
      'chat.part',
      'chat.notice',
    ] as const) {
      // The union of name and body is what `on` delivers for each name; the loop hides it from the checker.
      api.on(name, (body) => this.#receive({ name, body } as TurnEvent));
    }
    api.on('chat.turn', ({ conversationId, turn }) => this.#settle(conversationId, turn));
  }

  get conversationId(): string | null {
    return this.summary?.id ?? null;
  }

  /** The reply of the open conversation that is being written. */
  get streamingTurn(): TurnView | null {
    const last = this.turns.at(-1);
    const streaming = last?.status === 'streaming' ? last : null;
    return streaming ?? this.turns.find((turn) => turn.status === 'streaming') ?? null;
  }

  /** A conversation other than the open one in which the model is answering. */
  get busyElsewhere(): string | null {
    for (const { conversationId } of this.#live.values()) {
      if (conversationId !== this.conversationId) return conversationId;
    }
    return null;
  }

  isStreaming(conversationId: string): boolean {
    for (const live of this.#live.values()) {
      if (live.conversationId === conversationId) return true;
    }
    return false;
  }

  /** Leaves whatever is open for a new, empty conversation. Nothing is stored until something is sent. */
  startNew(): void {
    this.#visit += 1;
    this.epoch += 1;
    this.summary = null;
    this.turns = [];
    this.opening = false;
    this.openError = null;
    this.actionError = null;
  }

  /** Opens a stored conversation. A failure is shown in its place. */
  async open(conversationId: string): Promise<void> {
    const visit = ++this.#visit;
    this.opening = true;
    this.openError = null;
    this.actionError = null;
    try {
      const conversation = await this.#api.request('conversations.open', { conversationId });
      if (visit !== this.#visit) return;
      this.epoch += 1;
      this.summary = conversation.summary;
      this.turns = conversation.turns.map((turn) => this.#live.get(turn.id)?.turn ?? turn);
      for (const turn of conversation.turns) this.#adopt(conversationId, turn);
    } catch (error) {
      if (visit === this.#visit) this.openError = sentenceOf(error);
    } finally {
      if (visit === this.#visit) this.opening = false;
    }
  }

  /** Asks the model. Resolves true when the turn is stored and the reply has begun. */
  send(parts: readonly DraftPart[]): Promise<boolean> {
    return this.#start(() =>
      this.#api.request('chat.send', { conversationId: this.conversationId, parts: [...parts] }),
    );
  }

  regenerate(turnId: string): Promise<boolean> {
    return this.#start(() => this.#api.request('chat.regenerate', { turnId }), turnId);
  }

  continueReply(turnId: string): Promise<boolean> {
    return this.#start(() => this.#api.request('chat.continue', { turnId }));
  }

  /** Draws a caption at its place. The place shows it at once: main reports only what it draws, not what it will. */
  async redraw(
    turnId: string,
    partIndex: number,
    caption: string,
    seed: number | null = null,
  ): Promise<boolean> {
    const started = await this.#start(() =>
      this.#api.request('chat.redraw', { turnId, partIndex, caption, seed }),
    );
    const live = this.#live.get(turnId);
    if (live !== undefined) {
      const { conversationId } = live;
      const body = { conversationId, turnId, partIndex, caption, finished: true };
      this.#receive({ name: 'chat.caption', body });
    }
    return started;
  }

  /** Stops the reply being written here; what it has said is kept. */
  async stop(): Promise<void> {
    const { conversationId } = this;
    if (conversationId === null) return;
    try {
      await this.#api.request('chat.stop', { conversationId });
    } catch (error) {
      this.actionError = sentenceOf(error);
    }
  }

  /** Takes over a summary that main says has changed. */
  updateSummary(summary: ConversationSummary): void {
    if (this.summary?.id === summary.id) this.summary = summary;
  }

  async #start(ask: () => Promise<StartedReply>, replaces?: string): Promise<boolean> {
    if (this.starting) return false;
    const visit = this.#visit;
    this.starting = true;
    this.actionError = null;
    try {
      const started = await ask();
      this.#begin(started, visit, replaces);
      return true;
    } catch (error) {
      if (visit === this.#visit) {
        const hint = error instanceof StudioError && error.kind === 'internal';
        this.actionError = hint ? `This did not work: ${sentenceOf(error)}` : sentenceOf(error);
      }
      return false;
    } finally {
      this.starting = false;
      this.#settledEarly.clear();
    }
  }

  #begin(started: StartedReply, visit: number, replaces: string | undefined): void {
    const { conversation, turns } = started;
    if (visit === this.#visit || this.conversationId === conversation.id) {
      this.summary = conversation;
      let merged: readonly TurnView[] = this.turns.filter(
        (turn) => turn.id !== replaces || turns.some(({ id }) => id === turn.id),
      );
      for (const turn of turns) merged = upsert(merged, this.#newest(turn));
      this.turns = merged;
    }
    for (const turn of turns) this.#adopt(conversation.id, turn);
  }

  /** What is known of a turn beyond what the answer to its request says of it. */
  #newest(turn: Turn): TurnView {
    return this.#settledEarly.get(turn.id) ?? this.#live.get(turn.id)?.turn ?? turn;
  }

  /** Makes a streaming turn live, and plays what came for it too early. */
  #adopt(conversationId: string, turn: TurnView): void {
    if (turn.status !== 'streaming' || this.#live.has(turn.id)) return;
    if (this.#settledEarly.has(turn.id)) return;
    let view = turn;
    for (const event of this.#waiting.get(turn.id) ?? []) view = applyTurnEvent(view, event);
    this.#waiting.delete(turn.id);
    this.#setLive(turn.id, { conversationId, turn: view });
    this.#show(conversationId, view);
  }

  #receive(event: TurnEvent): void {
    const { conversationId, turnId } = event.body;
    const live = this.#live.get(turnId);
    if (live === undefined) {
      const settled = this.turns.some((turn) => turn.id === turnId);
      // A turn that goes on (Continue, Draw again) is known and settled until its request is answered.
      if (!settled || this.starting) this.#remember(turnId, event);
      return;
    }
    const turn = applyTurnEvent(live.turn, event);
    if (turn === live.turn) return;
    this.#setLive(turnId, { conversationId, turn });
    this.#show(conversationId, turn);
  }

  #settle(conversationId: string, turn: Turn): void {
    this.#waiting.delete(turn.id);
    if (turn.status === 'streaming') {
      this.#setLive(turn.id, { conversationId, turn });
    } else if (this.#live.has(turn.id)) {
      const live = new Map(this.#live);
      live.delete(turn.id);
      this.#live = live;
    } else if (this.starting) {
      this.#settledEarly.set(turn.id, turn);
    }
    if (this.conversationId === conversationId) this.turns = upsert(this.turns, turn);
  }

  #show(conversationId: string, turn: TurnView): void {
    if (this.conversationId !== conversationId) return;
    if (this.turns.some(({ id }) => id === turn.id)) this.turns = upsert(this.turns, turn);
  }

  #setLive(turnId: string, live: LiveTurn): void {
    this.#live = new Map(this.#live).set(turnId, live);
  }

  #remember(turnId: string, event: TurnEvent): void {
    const events = this.#waiting.get(turnId) ?? [];
    if (events.length < maxWaitingEvents) events.push(event);
    this.#waiting.set(turnId, events);
    if (this.#waiting.size <= maxWaitingTurns) return;
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined) this.#waiting.delete(oldest);
  }
}

function upsert(turns: readonly TurnView[], turn: TurnView): readonly TurnView[] {
  const index = turns.findIndex(({ id }) => id === turn.id);
  return index < 0 ? [...turns, turn] : turns.with(index, turn);
}
