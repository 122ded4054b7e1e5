import { randomUUID } from 'node:crypto';
import type { AppReplyBody, AppRequestBody } from '../../shared/contracts/app-ipc.ts';
import type { Conversation } from '../../shared/domain/conversation.ts';
import {
  effectiveSettings,
  type ConversationSettings,
  type EffectiveSettings,
} from '../../shared/domain/conversation-settings.ts';
import {
  drawingOver,
  storedTurn,
  type ReplyBegun,
  type ReplySnapshot,
} from '../../shared/domain/reply.ts';
import {
  emptyTurn,
  type PictureWish,
  type Rating,
  type ReplySampling,
  type Turn,
  type TurnStatus,
} from '../../shared/domain/turn.ts';
import { saysSomething } from '../../shared/domain/unread.ts';
import { StudioError } from '../../shared/errors.ts';
import type { FoundTurn } from '../database/turns.ts';
import type { ChatDependencies, LiveTask } from './live-task.ts';
import { draftOf, readDraft, readParts } from './draft.ts';
import { measureMessage } from './measure.ts';
import { toPrompt } from './prompt.ts';
import { RedrawTask } from './redraw-task.ts';
import { ReplyTask } from './reply-task.ts';
import { ReplyVersion } from './reply-version.ts';
import { drawingOf, recipeAnew, recipeFor, samplingOf, wishing } from './sampling.ts';
import { shortenMessage } from './shorten.ts';
import { titleOf } from './title.ts';
import { captionToResume, shownThrough } from './turn-paths.ts';

type StartedReply = AppReplyBody<'chat.send'>;

/** A conversation, and its reply that is being written, if there is one: `turns` has that as it would be stored. */
export interface OpenConversation extends Conversation {
  readonly live: ReplySnapshot | null;
}

/** A reply that is to be written: stored, status `streaming`. */
interface ReplyToStart {
  readonly conversationId: string;
  /** Turns that are new before it. */
  readonly turns: Turn[];
  readonly reply: Turn;
  readonly replaces: string | null;
  readonly version?: ReplyVersion | null;
}

const continuable: readonly TurnStatus[] = ['stopped', 'interrupted', 'cut'];

/**
 * What a turn is: the person's words are stored, then the empty reply, then the worker is asked, and the reply is
 * stored while it comes. One task runs at a time, the others wait: the worker has one set of sessions.
 */
export class ChatService {
  readonly #deps: ChatDependencies;
  /** By conversation: at most one each. */
  readonly #live = new Map<string, LiveTask>();
  /** The number of the last event of each turn that was written in since the app started. */
  readonly #told = new Map<string, number>();
  #queue: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(deps: ChatDependencies) {
    this.#deps = deps;
  }

  /** Stores the person's turn and an empty reply in one transaction, then asks the model. */
  send(request: AppRequestBody<'chat.send'>): StartedReply {
    const { store, clock } = this.#deps;
    const parts = readDraft(store, request.parts);
    const at = clock.now();
    const conversationId = request.conversationId ?? randomUUID();
    const isNew = request.conversationId === null;
    if (!isNew) this.#conversation(conversationId);
    this.mustBeIdle(conversationId);
    const user: Turn = { ...newTurn('user', at), parts, status: 'complete' };
    const own = isNew ? (request.settings ?? {}) : store.conversations.settings(conversationId);
    const reply = this.#newReply(this.#effective(own), request.wish);
    store.transaction(() => {
      if (isNew) {
        store.conversations.create(conversationId, titleOf(parts), at);
        store.conversations.keepSettings(conversationId, own);
      }
      store.turns.append(conversationId, user);
      store.turns.append(conversationId, reply, { behind: user.id });
      store.conversations.touch(conversationId, at);
    });
    return this.#startReply({ conversationId, turns: [user], reply, replaces: null });
  }

  /** Puts another version beside a person's turn, with an empty reply, and asks the model. */
  edit({ turnId, parts: draft }: AppRequestBody<'chat.edit'>): StartedReply {
    const { conversationId, turn } = this.find(turnId);
    if (turn.role !== 'user') throw new StudioError('bad-input', 'A reply cannot be edited.');
    return this.#branch(conversationId, turnId, readDraft(this.#deps.store, draft));
  }

  /** As `edit`, with the turn's own words, shortened until the model can read them. */
  async shorten(turnId: string): Promise<StartedReply> {
    const { conversationId, turn } = this.find(turnId);
    if (turn.role !== 'user') throw new StudioError('bad-input', 'A reply cannot be shortened.');
    const settings = this.#settingsOf(conversationId);
    return this.#branch(conversationId, turnId, await shortenMessage(this.#deps, turn, settings));
  }

  /** How much of the model's context a message would take; null while no model is open. */
  async measure(request: AppRequestBody<'chat.measure'>): Promise<AppReplyBody<'chat.measure'>> {
    const parts = readParts(this.#deps.store, request.parts);
    const settings = this.#settingsFor(request);
    return measureMessage(this.#deps, { turns: this.#turnsBefore(request), parts, settings });
  }

  /** A message that is not sent yet, shortened until the model can read it. */
  async trim(request: AppRequestBody<'chat.trim'>): Promise<AppReplyBody<'chat.trim'>> {
    const message: Turn = {
      ...newTurn('user', 0),
      parts: readDraft(this.#deps.store, request.parts),
    };
    return {
      parts: draftOf(await shortenMessage(this.#deps, message, this.#settingsFor(request))),
    };
  }

  /** What stands before a message that is written at the end, or edited. */
  #turnsBefore({ conversationId, turnId }: AppRequestBody<'chat.measure'>): Turn[] {
    if (conversationId === null) return [];
    const { turns } = this.open(conversationId);
    const edited = turns.findIndex(({ id }) => id === turnId);
    return edited < 0 ? turns : turns.slice(0, edited);
  }

  #settingsFor({ conversationId, settings }: AppRequestBody<'chat.measure'>): EffectiveSettings {
    if (conversationId !== null) return this.#settingsOf(conversationId);
    return this.#effective(settings ?? {});
  }

  #settingsOf(conversationId: string): EffectiveSettings {
    return this.#effective(this.#deps.store.conversations.settings(conversationId));
  }

  #effective(own: ConversationSettings): EffectiveSettings {
    return effectiveSettings(this.#deps.store.settings.get(), own);
  }

  #branch(conversationId: string, turnId: string, parts: Turn['parts']): StartedReply {
    const { store, clock } = this.#deps;
    this.mustBeIdle(conversationId);
    const user: Turn = { ...newTurn('user', clock.now()), parts, status: 'complete' };
    const settings = this.#settingsOf(conversationId);
    const reply = this.#newReply(settings, this.#wishOf(conversationId, turnId));
    store.transaction(() => {
      store.turns.append(conversationId, user, { beside: turnId, current: true });
      store.turns.append(conversationId, reply, { behind: user.id });
      store.conversations.touch(conversationId, user.createdAt);
    });
    return this.#startReply({ conversationId, turns: [user], reply, replaces: turnId });
  }

  /**
   * Writes another version of a reply. One that says nothing is not kept as a version.
   * @param chosen what its words are chosen by; left out: as the conversation's are, but never greedily
   */
  regenerate(turnId: string, chosen?: ReplySampling): StartedReply {
    const { store } = this.#deps;
    const { conversationId, turn } = this.find(turnId);
    this.mustBeIdle(conversationId);
    if (turn.role !== 'assistant') {
      throw new StudioError('bad-input', 'Only a reply can be written anew.');
    }
    const says = turn.parts.some(saysSomething);
    const settings = this.#settingsOf(conversationId);
    const version = store.versions.count(turnId) + 1;
    const reply =
      chosen === undefined
        ? this.#newReply(settings, turn.recipe?.wish, version)
        : this.#newReply(
            { ...settings, sampling: { ...settings.sampling, ...chosen } },
            turn.recipe?.wish,
          );
    store.transaction(() => {
      store.turns.append(conversationId, reply, { beside: turnId, current: !says });
      if (!says) store.turns.dropEmpty(turnId);
      store.conversations.touch(conversationId, reply.createdAt);
    });
    const beside = says ? new ReplyVersion(store) : null;
    return this.#startReply({
      conversationId,
      turns: [],
      reply,
      replaces: turnId,
      version: beside,
    });
  }

  /** Goes on with a last reply that did not reach its end. */
  continue(turnId: string): StartedReply {
    const { store } = this.#deps;
    const { conversationId, turn } = this.find(turnId);
    this.mustBeIdle(conversationId);
    const isLast = store.turns.list(conversationId).at(-1)?.id === turnId;
    if (turn.role !== 'assistant' || !isLast || !continuable.includes(turn.status)) {
      throw new StudioError(
        'bad-input',
        `This reply is ${turn.status}; there is nothing to go on with.`,
      );
    }
    const reply: Turn = { ...turn, status: 'streaming', error: null };
    store.turns.saveState(turnId, reply);
    return this.#startReply({ conversationId, turns: [], reply, replaces: null });
  }

  /** Draws another version at a place of a reply. */
  redraw(request: AppRequestBody<'chat.redraw'>): StartedReply {
    const { conversationId, turn } = this.find(request.turnId);
    this.mustBeIdle(conversationId);
    const status = settledStatus(turn);
    const part = turn.parts[request.partIndex];
    const drawable =
      part?.kind === 'undrawn' || (part?.kind === 'picture' && part.picture.origin === 'drawn');
    if (turn.role !== 'assistant' || !drawable) {
      throw new StudioError(
        'bad-input',
        `Part ${request.partIndex} of this turn is not a drawing.`,
      );
    }
    const { caption, partIndex, seed } = request;
    const drawing = { ...this.#settingsOf(conversationId).drawing, seed };
    const sequence = this.#nextSequence(turn.id);
    const place = { conversationId, turn: { ...turn, status }, partIndex };
    this.#start(new RedrawTask(this.#deps, { ...place, sequence, caption, drawing }));
    return { conversation: this.#conversation(conversationId), turnId: turn.id };
  }

  /** Keeps what a person thinks of a reply; null takes it back. */
  rate(turnId: string, rating: Rating | null): void {
    const { turn } = this.find(turnId);
    if (turn.role !== 'assistant') {
      throw new StudioError('bad-input', 'Only a reply can be rated.');
    }
    settledStatus(turn);
    this.#deps.store.turns.rate(turnId, rating);
  }

  /** Stops what is being written there; nothing happens where nothing is. */
  stop(conversationId: string): void {
    const task = this.#live.get(conversationId);
    task?.stop();
    if (task !== undefined && task.live.snapshot().reply.status !== 'streaming') this.#end(task);
  }

  /** A conversation on its current path, and the turn that is being written as it is at this moment. */
  open(conversationId: string): OpenConversation {
    const { store } = this.#deps;
    const summary = this.#conversation(conversationId);
    const live = this.#live.get(conversationId)?.live.snapshot() ?? null;
    const stored = store.turns.list(conversationId);
    const turns = live === null ? stored : this.#withLive(stored, storedTurn(live.reply));
    return { summary, turns, versions: store.versions.of(conversationId), live };
  }

  #withLive(turns: readonly Turn[], live: Turn): Turn[] {
    if (turns.some(({ id }) => id === live.id)) {
      return turns.map((turn) => (turn.id === live.id ? live : turn));
    }
    // A version that has not said anything yet stands in the place of the one that is still current.
    const parentId = this.#deps.store.turns.find(live.id)?.parentId ?? null;
    return [...shownThrough(turns, parentId), live];
  }

  /** A turn as it is at this moment, for a window that missed how it came to be so. */
  snapshot(turnId: string): ReplySnapshot {
    for (const task of this.#live.values()) {
      if (task.turnId === turnId) return task.live.snapshot();
    }
    const { conversationId, turn } = this.find(turnId);
    return { conversationId, sequence: this.#told.get(turnId) ?? 0, reply: turn };
  }

  /** A reply or a drawing is being made, or waits for its turn. */
  get isWriting(): boolean {
    return this.#live.size > 0;
  }

  /** Resolves when everything asked for until now has ended. */
  async idle(): Promise<void> {
    await this.#queue;
  }

  /** The app ends: every reply is stored as it stands, marked interrupted. */
  close(): void {
    this.#closed = true;
    for (const task of this.#live.values()) task.interrupt();
  }

  #startReply({ version = null, ...begin }: ReplyToStart): StartedReply {
    const { store, pictures, emit } = this.#deps;
    const { conversationId, reply } = begin;
    const settings = this.#settingsOf(conversationId);
    const drawing = drawingOf(reply, settings.drawing);
    const caption = drawing.enabled ? captionToResume(reply) : null;
    const parentId = store.turns.find(reply.id)?.parentId ?? null;
    const before = shownThrough(store.turns.list(conversationId), parentId);
    const task = new ReplyTask(this.#deps, {
      begun: { kind: 'begun', ...begin, reply: resuming(reply, caption) },
      stored: reply.parts,
      sequence: this.#nextSequence(reply.id),
      prompt: (now) => toPrompt([...before, now], (hash) => pictures.fileOf(hash)),
      settings: {
        system: settings.system,
        sampling: samplingOf(reply, settings.sampling),
        drawing,
      },
      version,
      onDropped: () => this.#tellPath(conversationId),
    });
    this.#start(task);
    const conversation = this.#conversation(conversationId);
    if (begin.replaces !== null) {
      emit('chat.versions', { conversationId, versions: store.versions.of(conversationId) });
    }
    emit('conversations.changed', { conversation, removed: false });
    return { conversation, turnId: reply.id };
  }

  /** What the window shows of it is no longer so. */
  #tellPath(conversationId: string): void {
    if (this.#closed) return;
    this.#live.delete(conversationId);
    const { summary, turns, versions } = this.open(conversationId);
    this.#deps.emit('chat.path', { summary, turns, versions });
  }

  /** What was wished of the reply to a message. */
  #wishOf(conversationId: string, messageId: string): PictureWish | undefined {
    const turns = this.#deps.store.turns.list(conversationId);
    return turns[turns.findIndex(({ id }) => id === messageId) + 1]?.recipe?.wish;
  }

  /** A reply to come; the `version`-th of its place. */
  #newReply({ sampling }: EffectiveSettings, wish: PictureWish | undefined, version = 1): Turn {
    const { clock } = this.#deps;
    const recipe = version > 1 ? recipeAnew(sampling, version) : recipeFor(sampling);
    return { ...newTurn('assistant', clock.now()), recipe: wishing(recipe, wish) };
  }

  #start(task: LiveTask): void {
    if (this.#closed) throw new StudioError('cancelled', 'The app is closing.');
    const { log } = this.#deps;
    this.#live.set(task.conversationId, task);
    log.info('reply queued', { conversation: task.conversationId, turn: task.turnId });
    task.live.begin();
    // Whatever befalls one reply, the next one must get its turn.
    this.#queue = this.#queue
      .then(() => task.run())
      .then(() => this.#end(task))
      .catch((error: unknown) => log.error('reply left in disorder', { reason: String(error) }));
  }

  #end(task: LiveTask): void {
    if (this.#live.get(task.conversationId) === task) this.#live.delete(task.conversationId);
    this.#told.set(task.turnId, task.live.snapshot().sequence);
    if (this.#closed) return;
    const { store, emit } = this.#deps;
    const conversation = store.conversations.summary(task.conversationId);
    if (conversation !== null) emit('conversations.changed', { conversation, removed: false });
  }

  #nextSequence(turnId: string): number {
    return (this.#told.get(turnId) ?? -1) + 1;
  }

  /** Throws `busy` while a reply or a drawing comes there. */
  mustBeIdle(conversationId: string): void {
    if (!this.#live.has(conversationId)) return;
    throw new StudioError('busy', 'A reply is being written in this conversation.');
  }

  #conversation(id: string): Conversation['summary'] {
    const summary = this.#deps.store.conversations.summary(id);
    if (summary === null) throw new StudioError('not-found', `There is no conversation ${id}.`);
    return summary;
  }

  /** Any version of a turn; throws `not-found`. */
  find(turnId: string): FoundTurn {
    const found = this.#deps.store.turns.find(turnId);
    if (found === null) throw new StudioError('not-found', `There is no turn ${turnId}.`);
    return found;
  }
}

/** A reply that goes on; what it ends with is being drawn, where it ends with a caption to resume. */
function resuming(reply: Turn, caption: string | null): ReplyBegun['reply'] {
  if (caption === null) return reply;
  return {
    ...reply,
    parts: [...reply.parts.slice(0, -1), drawingOver(caption, reply.parts.at(-1) ?? null)],
  };
}

function settledStatus({ status }: Turn): Exclude<TurnStatus, 'streaming'> {
  if (status !== 'streaming') return status;
  throw new StudioError('busy', 'This reply is being written.');
}

function newTurn(role: Turn['role'], createdAt: number): Turn {
  return emptyTurn({ id: randomUUID(), role, createdAt });
}
