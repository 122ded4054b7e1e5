import { StudioError } from '../../shared/errors.ts';
import type { Timer } from '../../base/clock.ts';
import { withFields } from '../../base/log.ts';
import type { EngineClient } from './engine-client.ts';
import { Engine, type EngineOptions, type ModelChoice } from './engine.ts';

/** How long the process is kept after it was used, for the next time. Milliseconds. */
export const secondIdleMs = 120_000;

/**
 * An engine beside the chat's: another process of the same program, under a supervisor of its own, that opens another
 * model while somebody wants it answered by that one too. It is started when it is needed and ended a while after.
 * The two share what the system shares: files that both models link to are in memory once, as files; what is opened of
 * them is not.
 */
export class SecondEngine {
  readonly #options: Omit<EngineOptions, 'choice' | 'onStatus'>;
  readonly #engine: Engine;
  #choice: ModelChoice | null = null;
  #idle: Timer | null = null;
  #runs = false;

  constructor(options: Omit<EngineOptions, 'choice' | 'onStatus'>) {
    const log = withFields(options.log, { process: 'second' });
    this.#options = { ...options, log };
    this.#engine = new Engine({
      ...this.#options,
      choice: () => {
        if (this.#choice === null) throw new StudioError('internal', 'No model is wanted.');
        return this.#choice;
      },
      onStatus: () => undefined,
    });
  }

  /** The process id, while there is one. */
  pid(): number | undefined {
    return this.#engine.pid();
  }

  /**
   * Opens a model in it.
   * @throws StudioError `out-of-memory` where it does not fit beside what is open, `cancelled`, the model's own error
   */
  async open(choice: ModelChoice, signal: AbortSignal): Promise<EngineClient> {
    this.#idle?.cancel();
    const isOpen = this.#choice?.folder === choice.folder && this.#engine.modelName() !== null;
    if (!this.#runs || !isOpen) {
      this.#choice = choice;
      if (this.#runs) void this.#engine.openChosen();
      else this.#engine.start();
      this.#runs = true;
    }
    await this.#engine.whenReady(signal);
    return this.#engine;
  }

  /** It is not needed for now. */
  leave(): void {
    this.#idle?.cancel();
    this.#idle = this.#options.clock.after(secondIdleMs, () => {
      this.#options.log.info('ended, nothing to answer');
      void this.end();
    });
  }

  /** Ends the process; it comes back when it is needed. */
  async end(): Promise<void> {
    this.#idle?.cancel();
    this.#runs = false;
    this.#choice = null;
    await this.#engine.rest('It is not needed.');
  }

  async close(): Promise<void> {
    this.#idle?.cancel();
    await this.#engine.close();
  }
}
