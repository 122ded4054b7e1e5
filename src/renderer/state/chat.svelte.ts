/* eslint-disable svelte/prefer-svelte-reactivity -- reactive maps are replaced whole, the others are no state of the page */
import type { DraftPart } from '../../shared/contracts/app-ipc.ts';
import type { Conversation, ConversationSummary } from '../../shared/domain/conversation.ts';
import {
  applyReplyEvent,
  type Reply,
  type ReplyBegun,
  type ReplyPart,
  type ReplyMessage,
  type ReplySnapshot,
} from '../../shared/domain/reply.ts';
import type { ConversationSettings } from '../../shared/domain/conversation-settings.ts';
import type { PictureWish, Rating, ReplySampling } from '../../shared/domain/turn.ts';
import type { Picture } from '../../shared/domain/picture.ts';
import { noVersions, type ConversationVersions } from '../../shared/domain/versions.ts';
import { isStudioError, StudioError } from '../../shared/errors.ts';
import type { Api } from '../api.ts';
import { sentenceOf, t } from '../texts.svelte.ts';

/** A turn that is being written, and the number of the event that made it what it is. */
interface LiveReply {
  readonly conversationId: string;
  readonly sequence: number;
  readonly reply: Reply;
}

/** How many turns' newest events are remembered. */
const mostHeard = 64;

interface StartedReply {
  readonly conversation: ConversationSummary;
  readonly turnId: string;
}

/**
 * The open conversation and every reply that is being written, in whatever conversation. A reply comes into being by
 * its first event, whoever asked for it; where an event was missed, main is asked for the turn, and what follows goes
 * on from there.
 */
export class ChatStore {
  /** Null: a conversation that does not exist yet. */
  summary = $state.raw<ConversationSummary | null>(null);
  turns = $state.raw<readonly Reply[]>([]);
  /** Where the open conversation has more than one version. */
  versions = $state.raw<ConversationVersions>(noVersions);
  /** What a new conversation is answered by. */
  beginsWith: ConversationSettings = {};
  /** Counts how often what is shown was replaced by something else: another conversation, or a new one. */
  epoch = $state(0);
  opening = $state(false);
  openError = $state<string | null>(null);
  /** A request that starts a reply is on its way. */
  starting = $state(false);
  /** Why the last send, regenerate, continue or redraw was refused. */
  actionError = $state<string | null>(null);
  #live = $state.raw<ReadonlyMap<string, LiveReply>>(new Map());
  /** The newest number heard of the last turns, so that a turn as it was before that is known to be old. */
  readonly #heard = new Map<string, number>();
  /** Turns that main was asked for. */
  readonly #asked = new Set<string>();
  /** Counts the begins and ends that were heard. */
  #edges = 0;
  readonly #api: Api;
  /** Counts what has been opened, so that an answer for what was left is dropped. */
  #visit = 0;

  constructor(api: Api) {
    this.#api = api;
    api.on('chat.reply', (message) => this.#receive(message));
    api.on('pictures.changed', ({ picture }) => this.#changePicture(picture));
    api.on('chat.path', (conversation) => this.#leavePath(conversation));
    api.on('chat.versions', ({ conversationId, versions }) => {
      if (this.conversationId === conversationId) this.versions = versions;
    });
  }

  get conversationId(): string | null {
    return this.summary?.id ?? null;
  }

  /** The reply of the open conversation that is being written. */
  get streamingTurn(): Reply | null {
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
    this.versions = noVersions;
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
    await this.#load(conversationId, visit);
    if (visit === this.#visit) this.opening = false;
  }

  /**
   * Asks the model. Resolves true when the turn is stored and the reply has begun.
   * @param wish null: the model decides whether it draws
   */
  send(parts: readonly DraftPart[], wish: PictureWish | null = null): Promise<boolean> {
    return this.#start(() =>
      this.#api.request('chat.send', {
        conversationId: this.conversationId,
        parts: [...parts],
        ...(wish === null ? {} : { wish }),
        ...(this.conversationId === null ? { settings: this.beginsWith } : {}),
      }),
    );
  }

  /** Asks the model with other words in a message's place: another version of it. */
  edit(turnId: string, parts: readonly DraftPart[]): Promise<boolean> {
    return this.#start(() => this.#api.request('chat.edit', { turnId, parts: [...parts] }));
  }

  /** Asks the model with a message's own words, shortened to fit. */
  shorten(turnId: string): Promise<boolean> {
    return this.#start(() => this.#api.request('chat.shorten', { turnId }));
  }

  /** Writes another version of a reply; `sampling`: its words chosen by that, this time. */
  regenerate(turnId: string, sampling?: ReplySampling): Promise<boolean> {
    return this.#start(() =>
      this.#api.request('chat.regenerate', {
        turnId,
        ...(sampling === undefined ? {} : { sampling }),
      }),
    );
  }

  continueReply(turnId: string): Promise<boolean> {
    return this.#start(() => this.#api.request('chat.continue', { turnId }));
  }

  /** Draws a caption at its place. Null: a fresh seed. */
  redraw(
    turnId: string,
    partIndex: number,
    caption: string,
    seed: number | null = null,
  ): Promise<boolean> {
    return this.#start(() =>
      this.#api.request('chat.redraw', { turnId, partIndex, caption, seed }),
    );
  }

  /** The same of the last reply, where it has ended; pressed again it is taken back. */
  async rateLast(rating: Rating): Promise<void> {
    const last = this.turns.at(-1);
    if (last?.role !== 'assistant' || last.status === 'streaming' || last.parts.length === 0)
      return;
    await this.rate(last.id, last.rating === rating ? null : rating);
  }

  /** Keeps what a person thinks of a reply; null takes it back. */
  async rate(turnId: string, rating: Rating | null): Promise<void> {
    try {
      await this.#api.request('chat.rate', { turnId, rating });
      this.turns = this.turns.map((turn) => (turn.id === turnId ? rated(turn, rating) : turn));
    } catch (error) {
      this.actionError = sentenceOf(error);
    }
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

  /** Takes over the open conversation as main says it now is; another one is left alone. */
  show(conversation: Conversation): void {
    if (this.conversationId !== conversation.summary.id) return;
    // A list that was asked for before is older than this.
    this.#edges += 1;
    this.#take(conversation);
  }

  /** Takes over a summary that main says has changed. */
  updateSummary(summary: ConversationSummary): void {
    if (this.summary?.id === summary.id) this.summary = summary;
  }

  async #load(conversationId: string, visit: number): Promise<void> {
    try {
      const edges = this.#edges;
      const opened = await this.#api.request('conversations.open', { conversationId });
      const { summary, live } = opened;
      if (visit !== this.#visit) return;
      // A reply began or ended meanwhile: the list may be that of before.
      if (edges !== this.#edges) return await this.#load(conversationId, visit);
      if (this.summary?.id !== summary.id) this.epoch += 1;
      this.#take(opened);
      if (live !== null) this.#catchUpWith(live);
    } catch (error) {
      if (visit === this.#visit) this.openError = sentenceOf(error);
    }
  }

  async #start(ask: () => Promise<StartedReply>): Promise<boolean> {
    if (this.starting) return false;
    const visit = this.#visit;
    this.starting = true;
    this.actionError = null;
    try {
      const { conversation } = await ask();
      if (this.conversationId === conversation.id) this.summary = conversation;
      // A new one: what has happened in it until now is main's to say.
      else if (visit === this.#visit) await this.#load(conversation.id, visit);
      return true;
    } catch (error) {
      if (visit === this.#visit) {
        const hint = error instanceof StudioError && error.kind === 'internal';
        this.actionError = hint ? t.chat.didNotWork(sentenceOf(error)) : sentenceOf(error);
      }
      return false;
    } finally {
      this.starting = false;
    }
  }

  #take({ summary, turns, versions }: Conversation): void {
    this.summary = summary;
    this.turns = turns.map((turn) => this.#live.get(turn.id)?.reply ?? turn);
    this.versions = versions;
  }

  /** A version that was being written has said nothing and is gone; the one before it is shown again. */
  #leavePath(conversation: Conversation): void {
    const { id } = conversation.summary;
    this.#live = new Map([...this.#live].filter(([, live]) => live.conversationId !== id));
    this.show(conversation);
  }

  #receive({ turnId, sequence, event }: ReplyMessage): void {
    this.#hear(turnId, sequence);
    if (event.kind === 'begun' || event.kind === 'ended') this.#edges += 1;
    if (event.kind === 'begun') {
      this.#begin(sequence, event);
      return;
    }
    const live = this.#live.get(turnId);
    if (live === undefined || sequence > live.sequence + 1) void this.#ask(turnId);
    else if (sequence === live.sequence + 1) {
      this.#put({ ...live, sequence, reply: applyReplyEvent(live.reply, event) });
    }
  }

  /** Only what is being asked of main must be known: a handful of turns. */
  #hear(turnId: string, sequence: number): void {
    this.#heard.delete(turnId);
    this.#heard.set(turnId, sequence);
    const oldest = this.#heard.keys().next().value;
    if (this.#heard.size > mostHeard && oldest !== undefined) this.#heard.delete(oldest);
  }

  #begin(sequence: number, { conversationId, turns, reply, replaces }: ReplyBegun): void {
    this.#put({ conversationId, sequence, reply });
    if (this.conversationId !== conversationId) return;
    const from = this.turns.findIndex(({ id }) => id === replaces);
    const fits = replaces === null ? turns.length > 0 || this.#shows(reply.id) : from >= 0;
    if (fits) {
      const kept = from < 0 ? this.turns : this.turns.slice(0, from);
      this.turns = [...turns, reply].reduce<readonly Reply[]>(upsert, kept);
    } else void this.#load(conversationId, this.#visit);
  }

  /** Asks main for a turn of which something was missed. */
  async #ask(turnId: string): Promise<void> {
    if (this.#asked.has(turnId)) return;
    this.#asked.add(turnId);
    let snapshot: ReplySnapshot | null = null;
    try {
      snapshot = await this.#api.request('chat.turn', { turnId });
    } catch (error) {
      // A turn that is gone is followed no more. Anything else: the next event asks again.
      if (isStudioError(error, 'not-found')) this.#forget(turnId);
    } finally {
      this.#asked.delete(turnId);
    }
    if (snapshot === null) return;
    this.#catchUpWith(snapshot);
    const { conversationId } = snapshot;
    if (this.conversationId === conversationId && !this.#shows(turnId)) {
      await this.#load(conversationId, this.#visit);
    }
  }

  /** Takes over a turn as main says that it is, unless more is known; what is older than what was heard is asked anew. */
  #catchUpWith(snapshot: ReplySnapshot): void {
    const { sequence, reply } = snapshot;
    const known = this.#live.get(reply.id)?.sequence ?? -1;
    if (sequence > known) this.#put(snapshot);
    if (Math.max(sequence, known) < (this.#heard.get(reply.id) ?? 0)) void this.#ask(reply.id);
  }

  /** Keeps a turn while it is being written, and shows it where its conversation is open. */
  #put(live: LiveReply): void {
    const { conversationId, reply } = live;
    if (reply.status === 'streaming') this.#live = new Map(this.#live).set(reply.id, live);
    else this.#forget(reply.id);
    if (this.conversationId === conversationId && this.#shows(reply.id)) {
      this.turns = upsert(this.turns, reply);
    }
  }

  #changePicture(picture: Picture): void {
    const changed = <Part extends ReplyPart>(part: Part): Part =>
      part.kind === 'picture' && part.picture.id === picture.id ? { ...part, picture } : part;
    const inReply = (reply: Reply): Reply => ({ ...reply, parts: reply.parts.map(changed) });
    this.turns = this.turns.map(inReply);
    this.#live = new Map(
      [...this.#live].map(([id, live]) => [id, { ...live, reply: inReply(live.reply) }]),
    );
  }

  #shows(turnId: string): boolean {
    return this.turns.some(({ id }) => id === turnId);
  }

  #forget(turnId: string): void {
    if (!this.#live.has(turnId)) return;
    const live = new Map(this.#live);
    live.delete(turnId);
    this.#live = live;
  }
}

function rated({ rating: _before, ...turn }: Reply, rating: Rating | null): Reply {
  return rating === null ? turn : { ...turn, rating };
}

function upsert(turns: readonly Reply[], turn: Reply): readonly Reply[] {
  const index = turns.findIndex(({ id }) => id === turn.id);
  return index < 0 ? [...turns, turn] : turns.with(index, turn);
}
