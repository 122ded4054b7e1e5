import type { DrawingProgress } from '../../shared/contracts/reply-event.ts';
import type { Drawing } from '../../shared/domain/settings.ts';
import type { MessagePart, Turn } from '../../shared/domain/turn.ts';
import { isStudioError, toWireError } from '../../shared/errors.ts';
import type { ChatDependencies, LiveTask } from './live-task.ts';

export interface RedrawRequest {
  readonly conversationId: string;
  /** The turn as it is stored; its status stays what it is, for its words are whole. */
  readonly turn: Turn;
  readonly partIndex: number;
  readonly caption: string;
  readonly drawing: Drawing;
}

/** Draws one place of a reply again. What stood there stays until the new picture is stored. */
export class RedrawTask implements LiveTask {
  readonly conversationId: string;
  readonly turnId: string;
  readonly #deps: ChatDependencies;
  readonly #request: RedrawRequest;
  readonly #abort = new AbortController();
  #part: MessagePart;
  #started = false;
  #settled = false;

  constructor(deps: ChatDependencies, request: RedrawRequest) {
    this.#deps = deps;
    this.#request = request;
    this.#part = request.turn.parts[request.partIndex]!;
    this.conversationId = request.conversationId;
    this.turnId = request.turn.id;
  }

  /** To the window the turn streams until the drawing ends; on the disk it never does. */
  turn(): Turn {
    const { turn, partIndex } = this.#request;
    const parts = turn.parts.with(partIndex, this.#part);
    return { ...turn, parts, status: this.#settled ? turn.status : 'streaming' };
  }

  stop(): void {
    this.#abort.abort();
    if (!this.#started) this.#settle();
  }

  interrupt(): void {
    this.#abort.abort();
    this.#settled = true;
  }

  async run(): Promise<void> {
    if (this.#settled) return;
    this.#started = true;
    const { emit } = this.#deps;
    const { conversationId, turnId } = this;
    const { partIndex } = this.#request;
    try {
      const part = await this.#draw();
      if (this.#settled) return;
      this.#store(part);
      emit('chat.part', { conversationId, turnId, partIndex, part });
    } catch (error) {
      if (this.#settled) return;
      this.#keepFailure(error);
    }
    this.#settle();
  }

  #settle(): void {
    this.#settled = true;
    const { conversationId, turnId } = this;
    this.#deps.log.info('redraw ended', { turn: turnId, part: this.#request.partIndex });
    this.#deps.emit('chat.turn', { conversationId, turn: this.turn() });
  }

  async #draw(): Promise<MessagePart> {
    const { engine, pictures } = this.#deps;
    const { caption, drawing } = this.#request;
    const signal = this.#abort.signal;
    await engine.whenReady(signal);
    const onEvent = (progress: DrawingProgress): void => this.#tellProgress(progress);
    const drawn = await engine.request('draw', { caption, drawing }, { signal, onEvent });
    const picture = await pictures.add(drawn.png, {
      name: 'The drawn picture',
      origin: 'drawn',
      caption: drawn.caption,
      recipe: drawn.recipe,
    });
    return { kind: 'picture', picture };
  }

  #tellProgress(progress: DrawingProgress): void {
    if (this.#settled) return;
    const { conversationId, turnId } = this;
    const { partIndex } = this.#request;
    this.#deps.emit('chat.drawing', { conversationId, turnId, partIndex, progress });
  }

  #store(part: MessagePart): void {
    this.#part = part;
    const { turn, partIndex } = this.#request;
    this.#deps.store.turns.saveParts(turn.id, turn.parts.with(partIndex, part), partIndex);
  }

  /** A picture that was there stays. A caption without one learns the new reason. */
  #keepFailure(error: unknown): void {
    if (isStudioError(error, 'cancelled')) return;
    const wire = toWireError(error);
    this.#deps.log.warn('redraw failed', { turn: this.turnId, kind: wire.kind });
    if (this.#part.kind === 'undrawn') {
      try {
        this.#store({ kind: 'undrawn', caption: this.#request.caption, error: wire });
        return;
      } catch (storageError) {
        this.#deps.log.error('redraw could not be stored', { reason: String(storageError) });
      }
    }
    this.#deps.emit('app.problem', { error: wire });
  }
}
