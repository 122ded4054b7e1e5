import { randomInt, randomUUID } from 'node:crypto';
import type {
  ComparedModel,
  ComparedSide,
  Comparison,
  ComparisonPrompt,
  Side,
  Tally,
  Verdict,
} from '../../shared/domain/comparison.ts';
import { applyReplyEvent, type ReplyEvent } from '../../shared/domain/reply.ts';
import { emptyTurn, type Turn } from '../../shared/domain/turn.ts';
import { isStudioError, StudioError, toWireError } from '../../shared/errors.ts';
import type { WorkerReplyEvent } from '../../shared/contracts/reply-event.ts';
import type { EngineClient } from '../processes/engine-client.ts';
import type { ChatService } from './chat-service.ts';
import type { ChatDependencies } from './live-task.ts';
import { toPrompt } from './prompt.ts';
import { recipeFor, samplingOf } from './sampling.ts';
import type { TallyBook } from './tally.ts';

/** Engines in which a model can be asked, beside the chat's queue. */
export interface ComparisonEngines {
  /** An engine with this model open in it: the chat's where it has it, else another process. */
  withModel(folder: string, signal: AbortSignal): Promise<EngineClient>;
  /** Makes the chat's model give up its memory; what undoes that. */
  makeRoom(): Promise<() => void>;
  /** What was opened for a comparison may go. */
  leave(): void;
}

export interface ComparisonParts extends Omit<ChatDependencies, 'engine'> {
  readonly engines: ComparisonEngines;
  readonly chat: Pick<ChatService, 'find' | 'isWriting'>;
  readonly tally: TallyBook;
}

export interface ComparisonRequest {
  readonly models: readonly [ComparedModel, ComparedModel];
  readonly blind: boolean;
  readonly prompt: ComparisonPrompt;
}

/** How often the window is told of words. Milliseconds. */
const tellEveryMs = 100;

interface Running {
  readonly id: string;
  readonly blind: boolean;
  readonly models: readonly [ComparedModel, ComparedModel];
  readonly turns: readonly Turn[];
  readonly abort: AbortController;
  sides: [ComparedSide, ComparedSide];
  verdict: Verdict | null;
  note: string | null;
}

/**
 * Asks two models the same, one after the other: on few cores two at once would take as long, and the second could not
 * be told how much memory is left. The chat's own model answers where it is one of them. One comparison at a time.
 */
export class ComparisonService {
  readonly #parts: ComparisonParts;
  #running: Running | null = null;
  #done: Promise<void> = Promise.resolve();
  #toldAt = 0;

  constructor(parts: ComparisonParts) {
    this.#parts = parts;
  }

  /** The one that stands there; null where none does. */
  current(): Comparison | null {
    return this.#running === null ? null : shown(this.#running);
  }

  tally(): Tally[] {
    return this.#parts.tally.read();
  }

  /** @throws StudioError `busy` while another is answered, `not-found` for a turn that is gone */
  start({ models, blind, prompt }: ComparisonRequest): Comparison {
    if (this.#running !== null && isAnswering(this.#running)) {
      throw new StudioError('busy', 'Another comparison is being answered. Stop it first.');
    }
    if (models[0].folder === models[1].folder) {
      throw new StudioError('bad-input', 'Choose two different models to compare.');
    }
    const turns = this.#turnsOf(prompt);
    const swapped = blind && randomInt(2) === 1;
    const order = swapped ? ([models[1], models[0]] as const) : models;
    const recipe = recipeFor(this.#parts.store.settings.get().sampling);
    const side = (name: Side, { name: model }: ComparedModel): ComparedSide => ({
      ...{ side: name, model: null, state: 'waiting', error: null, seconds: null },
      reply: { ...this.#emptyReply(), recipe, model: blind ? null : model },
    });
    const running: Running = {
      ...{ id: randomUUID(), blind, models: order, turns, abort: new AbortController() },
      ...{ sides: [side('A', order[0]), side('B', order[1])], verdict: null, note: null },
    };
    this.#running = running;
    this.#done = this.#run(running);
    return shown(running);
  }

  /** Stops what is being answered; what was said stands. */
  stop(): void {
    this.#running?.abort.abort();
  }

  /** Notes which answer was better, once; both models are told then. */
  judge(id: string, verdict: Verdict): Comparison {
    const running = this.#running;
    if (running?.id !== id) throw new StudioError('not-found', 'That comparison is gone.');
    if (running.verdict !== null) throw new StudioError('bad-input', 'It is judged already.');
    if (running.sides.some(({ state }) => state !== 'done')) {
      throw new StudioError('bad-input', 'Both models must have answered before one is better.');
    }
    const { models, blind } = running;
    this.#parts.tally.add({ at: this.#parts.clock.now(), models: [...models], blind, verdict });
    running.verdict = verdict;
    this.#tell(running);
    return shown(running);
  }

  /** Resolves when what was started has ended. */
  idle(): Promise<void> {
    return this.#done;
  }

  close(): void {
    this.stop();
    this.#running = null;
  }

  async #run(running: Running): Promise<void> {
    const back: (() => void)[] = [];
    for (const index of [0, 1] as const) await this.#answer(running, index, back);
    for (const undo of back) undo();
    this.#parts.engines.leave();
  }

  async #answer(running: Running, index: 0 | 1, back: (() => void)[]): Promise<void> {
    const { log, clock } = this.#parts;
    const { signal } = running.abort;
    try {
      this.#change(running, index, { state: 'opening' });
      const engine = await this.#engineFor(running, index, back);
      this.#change(running, index, { state: 'answering' });
      const startedAt = clock.monotonicMs();
      await this.#ask(running, index, engine);
      this.#change(running, index, { state: 'done', seconds: this.#since(startedAt) });
    } catch (error) {
      const wire = toWireError(error);
      log.warn('a compared model did not answer', { comparison: running.id, kind: wire.kind });
      const status = signal.aborted ? 'stopped' : 'failed';
      this.#take(running, index, { kind: 'ended', status, error: wire, usage: null });
      this.#change(running, index, { state: 'failed', error: wire });
    }
  }

  /** An engine for one side. Where there is no room beside the chat's model, that one goes for the time. */
  async #engineFor(running: Running, index: 0 | 1, back: (() => void)[]): Promise<EngineClient> {
    const { engines, chat } = this.#parts;
    const { folder } = running.models[index];
    const { signal } = running.abort;
    try {
      return await engines.withModel(folder, signal);
    } catch (error) {
      if (!isStudioError(error, 'out-of-memory') || back.length > 0 || chat.isWriting) throw error;
      running.note =
        'There was not enough memory for both, so the model of the chat was closed meanwhile.';
      back.push(await engines.makeRoom());
      return engines.withModel(folder, signal);
    }
  }

  async #ask(running: Running, index: 0 | 1, engine: EngineClient): Promise<void> {
    const { store, pictures } = this.#parts;
    const settings = store.settings.get();
    const { reply } = running.sides[index];
    // In order: a picture's bytes are stored before what follows it is shown.
    let events: Promise<void> = Promise.resolve();
    const take = (event: WorkerReplyEvent): void => {
      events = events.then(async () => this.#take(running, index, await this.#kept(event)));
    };
    const sampling = samplingOf({ ...reply, parts: [] }, settings.sampling);
    const answered = await engine.request(
      'chat.reply',
      {
        turns: [...toPrompt(running.turns, (hash) => pictures.fileOf(hash))],
        sampling,
        drawing: settings.drawing,
      },
      {
        signal: running.abort.signal,
        onEvent: take,
        about: { comparison: running.id, side: running.sides[index].side },
      },
    );
    await events;
    const status = { end: 'complete', length: 'cut', cancelled: 'stopped' } as const;
    const { finish, usage } = answered;
    this.#take(running, index, { kind: 'ended', status: status[finish], error: null, usage });
    if (finish === 'cancelled') throw new StudioError('cancelled', 'It was stopped.');
  }

  /** A drawing with its picture stored: a row without a place, that goes as those do. */
  async #kept(event: WorkerReplyEvent): Promise<ReplyEvent> {
    if (event.kind !== 'picture') return event;
    const { png, caption, recipe } = event;
    const about = { name: 'The drawn picture', origin: 'drawn', caption, recipe } as const;
    return { kind: 'picture', picture: await this.#parts.pictures.add(png, about) };
  }

  #turnsOf(prompt: ComparisonPrompt): readonly Turn[] {
    if (prompt.kind === 'text') {
      const { text } = prompt;
      const message = emptyTurn({ id: randomUUID(), role: 'user', createdAt: this.#now() });
      return [{ ...message, status: 'complete', parts: [{ kind: 'text', text }] }];
    }
    return this.#turnsBefore(prompt.turnId);
  }

  /** What a reply was asked, whatever is current: the way to it without it. */
  #turnsBefore(turnId: string): readonly Turn[] {
    const { chat, store } = this.#parts;
    const { turn, parentId } = chat.find(turnId);
    if (turn.role !== 'assistant') {
      throw new StudioError('bad-input', 'Choose a reply: its message is asked again.');
    }
    const turns: Turn[] = [];
    for (let id = parentId; id !== null;) {
      const found = store.turns.find(id);
      if (found === null) break;
      turns.unshift(found.turn);
      id = found.parentId;
    }
    if (turns.length === 0) throw new StudioError('not-found', 'Its message is deleted.');
    return turns;
  }

  #take(running: Running, index: 0 | 1, event: ReplyEvent): void {
    const { reply } = running.sides[index];
    const next = applyReplyEvent(reply, event);
    this.#change(running, index, { reply: { ...next, parts: [...next.parts] } });
  }

  #change(running: Running, index: 0 | 1, change: Partial<ComparedSide>): void {
    const [first, second] = running.sides;
    const changed = { ...running.sides[index], ...change };
    running.sides = index === 0 ? [changed, second] : [first, changed];
    const isWords = change.reply?.status === 'streaming';
    if (isWords && this.#now() - this.#toldAt < tellEveryMs) return;
    this.#tell(running);
  }

  #tell(running: Running): void {
    if (this.#running !== running) return;
    this.#toldAt = this.#now();
    this.#parts.emit('comparison.changed', { comparison: shown(running) });
  }

  #emptyReply(): Turn {
    return emptyTurn({ id: randomUUID(), role: 'assistant', createdAt: this.#now() });
  }

  #since(startedAt: number): number {
    return (this.#parts.clock.monotonicMs() - startedAt) / 1000;
  }

  #now(): number {
    return this.#parts.clock.now();
  }
}

function isAnswering({ sides }: Running): boolean {
  return sides.some(({ state }) => state !== 'done' && state !== 'failed');
}

/** As the window may see it: which model is which only where it may know. */
function shown(running: Running): Comparison {
  const { id, blind, models, turns, sides, verdict, note } = running;
  const mayKnow = !blind || verdict !== null;
  const [first, second] = sides;
  const named = (side: ComparedSide, index: 0 | 1): ComparedSide => ({
    ...side,
    model: mayKnow ? models[index] : null,
    // The one that had to be opened first may be the slower.
    seconds: mayKnow ? side.seconds : null,
  });
  const message = [...(turns.at(-1)?.parts ?? [])];
  return { id, blind, message, sides: [named(first, 0), named(second, 1)], verdict, note };
}
