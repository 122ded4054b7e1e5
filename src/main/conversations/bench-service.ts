import { randomUUID } from 'node:crypto';
import type { BenchDrawing, DrawingPlan } from '../../shared/domain/bench.ts';
import type { Conversation } from '../../shared/domain/conversation.ts';
import { isStudioError, StudioError, toWireError } from '../../shared/errors.ts';
import type { ChatService } from './chat-service.ts';
import type { ChatDependencies } from './live-task.ts';

/** Drawings that are kept in memory; the oldest that are done give way. */
const mostDrawings = 200;

export interface BenchRequest {
  readonly bench: string;
  readonly caption: string;
  readonly plans: readonly DrawingPlan[];
}

interface Queued {
  drawing: BenchDrawing;
  readonly abort: AbortController;
}

/**
 * Draws several pictures of one caption beside all replies. They are asked for one after the other, so that a reply
 * waits for one of them at most. A drawing that nobody takes is a picture without a place, and goes with those.
 */
export class BenchService {
  readonly #deps: ChatDependencies;
  readonly #chat: Pick<ChatService, 'find' | 'mustBeIdle' | 'open'>;
  readonly #drawings = new Map<string, Queued>();
  #queue: Promise<void> = Promise.resolve();

  constructor(deps: ChatDependencies, chat: Pick<ChatService, 'find' | 'mustBeIdle' | 'open'>) {
    this.#deps = deps;
    this.#chat = chat;
  }

  /** Queues a drawing for each plan. */
  draw({ bench, caption, plans }: BenchRequest): BenchDrawing[] {
    const queued = plans.map((plan): Queued => {
      const about = { id: randomUUID(), bench, caption, plan, state: 'queued' as const };
      const progress = { step: 0, steps: plan.steps, secondsLeft: null, preview: null };
      const drawing = { ...about, ...progress, picture: null, error: null };
      return { drawing, abort: new AbortController() };
    });
    this.#forgetOldest(queued.length);
    for (const each of queued) {
      this.#drawings.set(each.drawing.id, each);
      this.#queue = this.#queue.then(() => this.#run(each));
    }
    return queued.map(({ drawing }) => drawing);
  }

  /** What stands on a bench, oldest first. */
  list(bench: string): BenchDrawing[] {
    return [...this.#drawings.values()]
      .map(({ drawing }) => drawing)
      .filter((drawing) => drawing.bench === bench);
  }

  /** Takes drawings out of the queue, or stops one that is being drawn. */
  cancel(ids: readonly string[]): void {
    for (const id of ids) {
      const queued = this.#drawings.get(id);
      if (queued === undefined || isOver(queued.drawing)) continue;
      queued.abort.abort();
      this.#change(queued, { state: 'cancelled', secondsLeft: null });
    }
  }

  /** Puts a drawing at its place of a reply as another version, and makes it current if it is to be. */
  place(
    pictureId: string,
    place: { turnId: string; partIndex: number },
    current: boolean,
  ): Conversation {
    const { store, emit } = this.#deps;
    const { turnId, partIndex } = place;
    const { conversationId, turn } = this.#chat.find(turnId);
    this.#chat.mustBeIdle(conversationId);
    const picture = store.pictures.find(pictureId);
    const part = turn.parts[partIndex];
    const isDrawing =
      part?.kind === 'undrawn' || (part?.kind === 'picture' && part.picture.origin === 'drawn');
    if (picture?.origin !== 'drawn' || turn.role !== 'assistant' || !isDrawing) {
      throw new StudioError('bad-input', `Part ${partIndex} of this turn is not a drawing.`);
    }
    store.versions.placeDrawing(turnId, partIndex, picture, current);
    emit('chat.versions', { conversationId, versions: store.versions.of(conversationId) });
    const { summary, turns, versions } = this.#chat.open(conversationId);
    return { summary, turns, versions };
  }

  /** Resolves when everything queued until now is over. */
  async idle(): Promise<void> {
    await this.#queue;
  }

  close(): void {
    for (const { abort } of this.#drawings.values()) abort.abort();
  }

  async #run(queued: Queued): Promise<void> {
    const { drawing, abort } = queued;
    if (abort.signal.aborted) return;
    const { engine, pictures, log } = this.#deps;
    const { caption, plan } = drawing;
    const { size, ...settings } = plan;
    try {
      await engine.whenReady(abort.signal);
      this.#change(queued, { state: 'drawing' });
      const drawn = await engine.request(
        'draw',
        { caption, drawing: { ...settings, enabled: true }, ...(size === null ? {} : { size }) },
        {
          signal: abort.signal,
          about: { bench: drawing.id },
          onEvent: ({ step, steps, secondsLeft, preview }) => {
            const shown = preview ?? queued.drawing.preview;
            this.#change(queued, { step, steps, secondsLeft, preview: shown });
          },
        },
      );
      if (abort.signal.aborted) return;
      const about = { name: 'The drawn picture', origin: 'drawn', caption } as const;
      const picture = await pictures.add(drawn.png, { ...about, recipe: drawn.recipe });
      this.#change(queued, { state: 'done', picture, secondsLeft: null, preview: null });
    } catch (error) {
      if (abort.signal.aborted || isStudioError(error, 'cancelled')) {
        return this.#change(queued, { state: 'cancelled', secondsLeft: null });
      }
      const wire = toWireError(error);
      log.warn('bench drawing failed', { bench: drawing.id, kind: wire.kind });
      this.#change(queued, { state: 'failed', error: wire, secondsLeft: null });
    }
  }

  /** What is over stays as it is. */
  #change(queued: Queued, change: Partial<BenchDrawing>): void {
    if (isOver(queued.drawing)) return;
    queued.drawing = { ...queued.drawing, ...change };
    this.#deps.emit('bench.drawing', { drawing: queued.drawing });
  }

  #forgetOldest(coming: number): void {
    const over = [...this.#drawings.values()].filter(({ drawing }) => isOver(drawing));
    const many = this.#drawings.size + coming - mostDrawings;
    for (const { drawing } of over.slice(0, Math.max(0, many))) this.#drawings.delete(drawing.id);
  }
}

function isOver({ state }: BenchDrawing): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled';
}
