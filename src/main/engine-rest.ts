/** The chat's engine gives up its memory while a run needs it, where a person chose that for the run. */
import { isLive, type RunSummary } from '../shared/domain/training.ts';
import type { Logger } from '../base/log.ts';

export interface RestingEngine {
  readonly isResting: boolean;
  rest(reason: string): Promise<void>;
  wake(): void;
}

export interface EngineRestParts {
  readonly engine: RestingEngine;
  /** Resolves when no reply is being written. */
  readonly idle: () => Promise<void>;
  readonly log: Logger;
}

/** Follows what runs do. Ends the engine with the first run that wants its memory, and starts it after the last. */
export class EngineRest {
  readonly #parts: EngineRestParts;
  /** Runs under way that want the memory, by id, with their names. */
  readonly #wanting = new Map<string, string>();
  #work: Promise<void> = Promise.resolve();

  constructor(parts: EngineRestParts) {
    this.#parts = parts;
  }

  /** A run as it is now. A person who starts the engine meanwhile is not overruled: only a run's begin ends it. */
  follow(run: RunSummary, removed = false): void {
    const before = this.#wanting.size;
    if (!removed && run.restsEngine && isLive(run.state)) this.#wanting.set(run.id, run.name);
    else this.#wanting.delete(run.id);
    if (before === 0 && this.#wanting.size > 0) this.#then(() => this.#rest());
    if (before > 0 && this.#wanting.size === 0) this.#then(() => this.#wake());
  }

  /** Resolves when what was followed until now is done. */
  settled(): Promise<void> {
    return this.#work;
  }

  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((error: unknown) => {
      this.#parts.log.error('engine left in disorder', { reason: String(error) });
    });
  }

  async #rest(): Promise<void> {
    const { engine, idle } = this.#parts;
    // What is being said is said to its end first.
    await idle();
    const [name] = this.#wanting.values();
    if (name === undefined) return;
    await engine.rest(
      `“${name}” is training and has the memory; the model comes back when it ends.`,
    );
  }

  async #wake(): Promise<void> {
    if (this.#wanting.size === 0) this.#parts.engine.wake();
  }
}
