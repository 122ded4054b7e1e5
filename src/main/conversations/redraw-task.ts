import { drawingOver, type ReplyPart } from '../../shared/domain/reply.ts';
import type { DrawingSettings } from '../../shared/domain/settings.ts';
import type { MessagePart, Turn, TurnStatus } from '../../shared/domain/turn.ts';
import type { Picture } from '../../shared/domain/picture.ts';
import { isStudioError, toWireError, type WireError } from '../../shared/errors.ts';
import { LiveReply } from './live-reply.ts';
import type { ChatDependencies, LiveTask } from './live-task.ts';

export interface RedrawRequest {
  readonly conversationId: string;
  /** The turn as it is stored, which does not stream; its status stays what it is, for its words are whole. */
  readonly turn: Turn & { readonly status: Exclude<TurnStatus, 'streaming'> };
  /** Number of its begin among the turn's events. */
  readonly sequence: number;
  readonly partIndex: number;
  readonly caption: string;
  readonly drawing: DrawingSettings;
}

/** Draws another version at one place of a reply. What stood there stays, and is current until the new one is stored. */
export class RedrawTask implements LiveTask {
  readonly conversationId: string;
  readonly turnId: string;
  readonly #deps: ChatDependencies;
  readonly #request: RedrawRequest;
  /** To the window the turn streams until the drawing ends; on the disk it never does. */
  readonly live: LiveReply;
  readonly #abort = new AbortController();
  /** What is current at the place, as it is stored. */
  #current: MessagePart | undefined;
  #started = false;
  #settled = false;

  constructor(deps: ChatDependencies, request: RedrawRequest) {
    this.#deps = deps;
    this.#request = request;
    const { conversationId, turn, sequence, partIndex, caption } = request;
    this.conversationId = conversationId;
    this.turnId = turn.id;
    this.#current = turn.parts[partIndex];
    const parts: ReplyPart[] = [...turn.parts];
    parts[partIndex] = drawingOver(caption, turn.parts[partIndex] ?? null);
    const reply = { ...turn, status: 'streaming' as const, parts };
    const { clock, emit } = deps;
    this.live = new LiveReply({
      begun: { kind: 'begun', conversationId, turns: [], reply, replaces: null },
      sequence,
      stored: turn.parts,
      clock,
      emit,
      store: (stored) => this.#store(stored),
      onStoreFailed: (error) => this.#logUnstored(error),
    });
  }

  #store({ parts }: Turn): void {
    const { conversationId, turnId } = this;
    const { partIndex } = this.#request;
    const { store, emit } = this.#deps;
    const [before, part] = [this.#current, parts[partIndex]];
    if (part === undefined || part === before) return;
    // A caption that was not drawn, drawn as it stands: nothing of it would be left for another version to show.
    const inPlace = before?.kind === 'undrawn' && before.caption === captionOf(part);
    if (inPlace) store.turns.saveParts(turnId, parts, partIndex);
    else store.versions.addDrawing(turnId, partIndex, part);
    this.#current = part;
    emit('chat.versions', { conversationId, versions: store.versions.of(conversationId) });
  }

  stop(): void {
    this.#abort.abort();
    if (!this.#started) this.#settle();
  }

  interrupt(): void {
    this.#abort.abort();
    this.#settle();
  }

  async run(): Promise<void> {
    if (this.#settled) return;
    this.#started = true;
    try {
      const picture = await this.#draw();
      if (!this.#settled) this.live.take({ kind: 'picture', picture });
    } catch (error) {
      if (!this.#settled) this.#keepFailure(error);
    }
    this.#settle();
  }

  async #draw(): Promise<Picture> {
    const { engine, pictures } = this.#deps;
    const { caption, drawing } = this.#request;
    const signal = this.#abort.signal;
    await engine.whenReady(signal);
    const drawn = await engine.request(
      'draw',
      { caption, drawing },
      {
        signal,
        onEvent: (progress) => this.#settled || this.live.take(progress),
        about: { conversation: this.conversationId, turn: this.turnId },
      },
    );
    return pictures.add(drawn.png, {
      name: 'The drawn picture',
      origin: 'drawn',
      caption: drawn.caption,
      recipe: drawn.recipe,
    });
  }

  #keepFailure(error: unknown): void {
    if (isStudioError(error, 'cancelled')) return;
    const wire = toWireError(error);
    this.#deps.log.warn('redraw failed', { turn: this.turnId, kind: wire.kind });
    if (!this.#stands(wire)) this.#deps.emit('app.problem', { error: wire });
  }

  /** Whether the reason stands in the turn now: in the place of a caption, not in that of a picture. */
  #stands(error: WireError): boolean {
    const { turn, partIndex, caption } = this.#request;
    try {
      this.live.take({ kind: 'drawing-failed', caption, error });
    } catch (storageError) {
      this.#logUnstored(storageError);
      return false;
    }
    return turn.parts[partIndex]?.kind === 'undrawn';
  }

  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    const { status, error, usage } = this.#request.turn;
    try {
      this.live.end({ kind: 'ended', status, error, usage });
    } catch (storageError) {
      this.#logUnstored(storageError);
    }
    this.#deps.log.info('redraw ended', { turn: this.turnId, part: this.#request.partIndex });
  }

  #logUnstored(error: unknown): void {
    this.#deps.log.error('redraw could not be stored', { reason: String(error) });
  }
}

function captionOf(part: MessagePart): string | null {
  if (part.kind === 'text') return null;
  return part.kind === 'undrawn' ? part.caption : part.picture.caption;
}
