import type { WorkerReplyEvent } from '../../shared/contracts/reply-event.ts';
import type { PromptTurn, WorkerReplyBody } from '../../shared/contracts/worker-protocol.ts';
import {
  storedTurn,
  type ReplyBegun,
  type ReplyEnded,
  type ReplyEvent,
} from '../../shared/domain/reply.ts';
import type { EffectiveSettings } from '../../shared/domain/conversation-settings.ts';
import type { MessagePart, Turn } from '../../shared/domain/turn.ts';
import { addUsage } from '../../shared/domain/usage.ts';
import { isStudioError, toWireError, type WireError } from '../../shared/errors.ts';
import { LiveReply } from './live-reply.ts';
import type { ChatDependencies, LiveTask } from './live-task.ts';
import type { ReplyVersion } from './reply-version.ts';
import { told } from './prompt.ts';

export interface ReplyRequest {
  /** `reply`: the stored turn, status `streaming`; its last part may be a caption that is drawn first. */
  readonly begun: ReplyBegun;
  /** The parts as they are stored. */
  readonly stored: readonly MessagePart[];
  /** Number of `begun` among the turn's events. */
  readonly sequence: number;
  /** What the model is asked with, given the reply as it then is. */
  readonly prompt: (reply: Turn) => readonly PromptTurn[];
  readonly settings: EffectiveSettings;
  /** Set where the reply is written beside another. */
  readonly version: ReplyVersion | null;
  /** It said nothing and is not kept: the version before it is shown again. */
  readonly onDropped: () => void;
}

type Outcome = Omit<ReplyEnded, 'kind'>;

/** Writes one reply: asks the worker, and hands its events to the reply, which stores and tells them. */
export class ReplyTask implements LiveTask {
  readonly conversationId: string;
  readonly turnId: string;
  readonly #deps: ChatDependencies;
  readonly #request: ReplyRequest;
  readonly live: LiveReply;
  readonly #abort = new AbortController();
  /** Events one after another: a picture's bytes are stored before what follows it is applied. */
  #events: Promise<void> = Promise.resolve();
  #started = false;
  #asked = false;
  #settled = false;
  #storageError: WireError | null = null;

  constructor(deps: ChatDependencies, request: ReplyRequest) {
    this.#deps = deps;
    this.#request = request;
    const { begun, sequence, stored } = request;
    this.conversationId = begun.conversationId;
    this.turnId = begun.reply.id;
    const { clock, emit } = deps;
    this.live = new LiveReply({
      begun,
      sequence,
      stored,
      clock,
      emit,
      store: (turn, from) => this.#store(turn, from),
      onStoreFailed: (error) => this.#fail(error),
    });
  }

  stop(): void {
    this.#abort.abort();
    // Still waiting behind another reply: there is nothing to wait for.
    if (!this.#started) this.#settle(this.#brokenOff('stopped'));
  }

  interrupt(): void {
    this.#abort.abort();
    this.#settle(this.#brokenOff('interrupted'));
  }

  async run(): Promise<void> {
    if (this.#settled) return;
    this.#started = true;
    let outcome: Outcome;
    try {
      outcome = this.#outcomeOf(await this.#ask());
    } catch (error) {
      outcome = this.#outcomeOfError(error);
    }
    await this.#events;
    this.#settle(outcome);
  }

  async #ask(): Promise<WorkerReplyBody<'chat.reply'>> {
    const { engine } = this.#deps;
    const { prompt, settings } = this.#request;
    await engine.whenReady(this.#abort.signal);
    this.live.take({ kind: 'asked', model: engine.modelName() });
    this.#asked = true;
    await this.#finishDrawing();
    const { system, sampling, drawing } = settings;
    const { wish } = this.live.reply.recipe ?? {};
    return engine.request(
      'chat.reply',
      {
        turns: [...prompt(storedTurn(this.live.reply))],
        sampling,
        drawing,
        ...told(system),
        ...(wish === undefined ? {} : { wish }),
      },
      {
        signal: this.#abort.signal,
        onEvent: (event) => this.#take(event),
        about: { conversation: this.conversationId, turn: this.turnId },
      },
    );
  }

  /** Draws what the reply stopped before. A failure is told at its place, and the words go on. */
  async #finishDrawing(): Promise<void> {
    const unfinished = this.#request.begun.reply.parts.at(-1);
    if (unfinished?.kind !== 'drawing') return;
    const { caption } = unfinished;
    const { signal } = this.#abort;
    const { drawing } = this.#request.settings;
    const about = { conversation: this.conversationId, turn: this.turnId };
    const onEvent = (event: WorkerReplyEvent): void => this.#take(event);
    try {
      const options = { signal, onEvent, about };
      this.#take(await this.#deps.engine.request('draw', { caption, drawing }, options));
    } catch (error) {
      if (signal.aborted || isStudioError(error, 'worker-crashed')) throw error;
      this.#take({ kind: 'drawing-failed', caption, error: toWireError(error) });
    }
    await this.#events;
    signal.throwIfAborted();
  }

  #take(event: WorkerReplyEvent): void {
    this.#events = this.#events.then(() => this.#apply(event)).catch((error) => this.#fail(error));
  }

  async #apply(event: WorkerReplyEvent): Promise<void> {
    if (this.#settled) return;
    const applied = event.kind === 'picture' ? await this.#keepPicture(event) : event;
    if (!this.#settled) this.live.take(applied);
  }

  async #keepPicture(
    event: Extract<WorkerReplyEvent, { kind: 'picture' }>,
  ): Promise<Extract<ReplyEvent, { kind: 'picture' | 'drawing-failed' }>> {
    const { png, caption, recipe } = event;
    const about = { name: 'The drawn picture', origin: 'drawn', caption, recipe } as const;
    try {
      return { kind: 'picture', picture: await this.#deps.pictures.add(png, about) };
    } catch (error) {
      // The disk refused the picture: its caption stays, and can be drawn again when there is room.
      if (!isStudioError(error, 'storage')) throw error;
      return { kind: 'drawing-failed', caption, error: toWireError(error) };
    }
  }

  #store(turn: Turn, from: number): void {
    this.#deps.store.saveReply(turn, from, this.#request.version ?? null);
  }

  /** The disk refused: the reply is stopped, for what follows would be lost unseen. */
  #fail(error: unknown): void {
    this.#storageError ??= toWireError(error);
    this.#deps.log.error('reply could not be stored', {
      turn: this.turnId,
      reason: this.#storageError.message,
    });
    this.#abort.abort();
  }

  #outcomeOf(reply: WorkerReplyBody<'chat.reply'>): Outcome {
    const statuses = { end: 'complete', length: 'cut', cancelled: 'stopped' } as const;
    const usage = addUsage(this.#request.begun.reply.usage, reply.usage);
    return { status: statuses[reply.finish], error: null, usage };
  }

  #outcomeOfError(error: unknown): Outcome {
    if (isStudioError(error, 'cancelled') || this.#abort.signal.aborted) {
      return this.#brokenOff('stopped');
    }
    const died = this.#asked && isStudioError(error, 'worker-crashed');
    return { ...this.#brokenOff(died ? 'interrupted' : 'failed'), error: toWireError(error) };
  }

  /** An end that brings no figures: those of an earlier go stay. */
  #brokenOff(status: Outcome['status']): Outcome {
    return { status, error: null, usage: this.#request.begun.reply.usage };
  }

  #settle(outcome: Outcome): void {
    if (this.#settled) return;
    this.#settled = true;
    const failed = this.#storageError;
    const { log, emit, store, clock } = this.#deps;
    try {
      this.live.end({
        kind: 'ended',
        ...(failed === null ? outcome : { ...outcome, status: 'failed', error: failed }),
      });
      store.conversations.touch(this.conversationId, clock.now());
    } catch (error) {
      log.error('end of a reply could not be stored', { turn: this.turnId });
      emit('app.problem', { error: toWireError(error) });
    }
    const { status, parts, error } = this.live.reply;
    log.info('reply ended', {
      turn: this.turnId,
      status,
      parts: parts.length,
      error: error?.kind ?? null,
    });
    if (this.#request.version?.dropped !== true) return;
    if (error !== null) emit('app.problem', { error });
    this.#request.onDropped();
  }
}
