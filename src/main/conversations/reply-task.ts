import type { ReplyEvent } from '../../shared/contracts/reply-event.ts';
import type { PromptTurn, WorkerReplyBody } from '../../shared/contracts/worker-protocol.ts';
import type { Settings } from '../../shared/domain/settings.ts';
import type { Turn, TurnStatus } from '../../shared/domain/turn.ts';
import { isStudioError, toWireError, type WireError } from '../../shared/errors.ts';
import type { Timer } from '../../base/clock.ts';
import type { ChatDependencies, LiveTask } from './live-task.ts';
import { ReplyDraft, type AppliedEvent, type StoredReplyEvent } from './reply-draft.ts';
import { addUsage } from './usage.ts';

/** The longest that text stays unstored while it streams. Milliseconds; at least twice a second is promised. */
export const flushIntervalMs = 400;

export interface ReplyRequest {
  readonly conversationId: string;
  /** The stored turn, status `streaming`. */
  readonly turn: Turn;
  readonly prompt: readonly PromptTurn[];
  readonly settings: Pick<Settings, 'sampling' | 'drawing'>;
}

type Outcome = Pick<Turn, 'status' | 'error' | 'usage'>;

/** Writes one reply: asks the worker, applies its events to the stored turn, and tells the window. */
export class ReplyTask implements LiveTask {
  readonly conversationId: string;
  readonly turnId: string;
  readonly #deps: ChatDependencies;
  readonly #request: ReplyRequest;
  readonly #draft: ReplyDraft;
  readonly #abort = new AbortController();
  /** Events one after another: a picture's bytes are stored before what follows it is applied. */
  #events: Promise<void> = Promise.resolve();
  #timer: Timer | null = null;
  #turn: Turn;
  #started = false;
  #asked = false;
  #settled = false;
  #storageError: WireError | null = null;

  constructor(deps: ChatDependencies, request: ReplyRequest) {
    this.#deps = deps;
    this.#request = request;
    this.#turn = request.turn;
    this.#draft = new ReplyDraft(request.turn);
    this.conversationId = request.conversationId;
    this.turnId = request.turn.id;
  }

  turn(): Turn {
    return { ...this.#turn, parts: [...this.#draft.parts], notices: [...this.#draft.notices] };
  }

  stop(): void {
    this.#abort.abort();
    // Still waiting behind another reply: there is nothing to wait for.
    if (!this.#started) this.#settle({ status: 'stopped', error: null, usage: this.#turn.usage });
  }

  interrupt(): void {
    this.#abort.abort();
    this.#settle({ status: 'interrupted', error: null, usage: this.#turn.usage });
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
    await engine.whenReady(this.#abort.signal);
    this.#turn = { ...this.#turn, model: engine.modelName() };
    this.#asked = true;
    const { sampling, drawing } = this.#request.settings;
    return engine.request(
      'chat.reply',
      { turns: [...this.#request.prompt], sampling, drawing },
      { signal: this.#abort.signal, onEvent: (event) => this.#take(event) },
    );
  }

  #take(event: ReplyEvent): void {
    this.#events = this.#events.then(() => this.#apply(event)).catch((error) => this.#fail(error));
  }

  async #apply(event: ReplyEvent): Promise<void> {
    if (this.#settled) return;
    const stored = event.kind === 'picture' ? await this.#storePicture(event) : event;
    if (this.#settled) return;
    const applied = this.#draft.apply(stored);
    // Stored first: what the window shows as done must be there after a crash.
    if (applied.urgency === 'now') this.#flush();
    else if (applied.urgency === 'soon') this.#flushSoon();
    this.#tell(applied.change);
  }

  async #storePicture(event: Extract<ReplyEvent, { kind: 'picture' }>): Promise<StoredReplyEvent> {
    const picture = await this.#deps.pictures.add(event.png, {
      name: 'The drawn picture',
      origin: 'drawn',
      caption: event.caption,
      recipe: event.recipe,
    });
    return { kind: 'picture', picture };
  }

  #flushSoon(): void {
    this.#timer ??= this.#deps.clock.after(flushIntervalMs, () => {
      this.#timer = null;
      try {
        this.#flush();
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const { store } = this.#deps;
    const turn = this.turn();
    store.transaction(() => {
      store.turns.saveParts(this.turnId, turn.parts, this.#draft.unsavedFrom());
      store.turns.saveState(this.turnId, turn);
    });
    this.#draft.markSaved();
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
    return {
      status: statuses[reply.finish],
      error: null,
      usage: addUsage(this.#request.turn.usage, reply.usage),
    };
  }

  #outcomeOfError(error: unknown): Outcome {
    const usage = this.#turn.usage;
    if (isStudioError(error, 'cancelled') || this.#abort.signal.aborted) {
      return { status: 'stopped', error: null, usage };
    }
    const died = this.#asked && isStudioError(error, 'worker-crashed');
    const status: TurnStatus = died ? 'interrupted' : 'failed';
    return { status, error: toWireError(error), usage };
  }

  #settle(outcome: Outcome): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#draft.settle();
    const failed = this.#storageError;
    this.#turn = {
      ...this.#turn,
      ...(failed === null ? outcome : { ...outcome, status: 'failed', error: failed }),
    };
    const { log, emit, store, clock } = this.#deps;
    try {
      this.#flush();
      store.conversations.touch(this.conversationId, clock.now());
    } catch (error) {
      log.error('end of a reply could not be stored', { turn: this.turnId });
      emit('app.problem', { error: toWireError(error) });
    }
    const { status, parts, error } = this.turn();
    log.info('reply ended', {
      turn: this.turnId,
      status,
      parts: parts.length,
      error: error?.kind ?? null,
    });
    this.#tell({ name: 'chat.turn' });
  }

  #tell(change: AppliedEvent['change']): void {
    if (change === null) return;
    const { emit } = this.#deps;
    const ids = { conversationId: this.conversationId, turnId: this.turnId };
    switch (change.name) {
      case 'chat.text':
        return emit('chat.text', { ...ids, partIndex: change.partIndex, text: change.text });
      case 'chat.caption': {
        const { partIndex, caption, finished } = change;
        return emit('chat.caption', { ...ids, partIndex, caption, finished });
      }
      case 'chat.drawing':
        return emit('chat.drawing', {
          ...ids,
          partIndex: change.partIndex,
          progress: change.progress,
        });
      case 'chat.part':
        return emit('chat.part', { ...ids, partIndex: change.partIndex, part: change.part });
      case 'chat.notice':
        return emit('chat.notice', { ...ids, notice: change.notice });
      case 'chat.turn':
        return emit('chat.turn', { conversationId: this.conversationId, turn: this.turn() });
    }
  }
}
