import type { UpdateStatus } from '../../shared/domain/update-status.ts';
import { isStudioError, StudioError, toWireError, reasonOf } from '../../shared/errors.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Updater } from './updater.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** After the start, so that looking stands in nobody's way; then daily. Milliseconds. */
export const lookTimes = { first: 60_000, again: dayMs } as const;

export interface UpdateServiceOptions {
  /** What finds and fetches, or a sentence that says why nothing can be updated here. Asked for at the first use. */
  readonly updater: string | (() => Promise<Updater>);
  /** Whether the person has allowed looking without being asked each time. Off until they do. */
  readonly mayLook: () => boolean;
  /** A sentence on what must not be interrupted (a reply; a training run outlives the app); null where there is nothing. */
  readonly busyWith: () => string | null;
  readonly onStatus: (status: UpdateStatus) => void;
  /** Starts the app anew, in its new version. */
  readonly restart: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Newer versions of the app: nothing is looked for, fetched or installed unless a person said so. */
export class UpdateService {
  readonly #options: UpdateServiceOptions;
  #status: UpdateStatus;
  #updater: Promise<Updater> | null = null;
  #work: AbortController | null = null;
  #timer: Timer | null = null;

  constructor(options: UpdateServiceOptions) {
    this.#options = options;
    const { updater } = options;
    this.#status =
      typeof updater === 'string'
        ? { state: 'unavailable', reason: updater }
        : { state: 'idle', lookedAt: null };
  }

  status(): UpdateStatus {
    return this.#status;
  }

  /** Begins to look now and then, for as long as that is allowed. */
  start(): void {
    this.#again(lookTimes.first);
  }

  close(): void {
    this.#timer?.cancel();
    this.#work?.abort();
  }

  /** Asks the server. */
  async look(): Promise<UpdateStatus> {
    return this.#run({ state: 'looking' }, async (updater, signal) => {
      const newer = await updater.look(signal);
      return newer === null
        ? { state: 'idle', lookedAt: this.#options.clock.now() }
        : { state: 'available', ...newer };
    });
  }

  /** Fetches what was found; `stop` ends it, and the next time goes on from there. */
  async download(): Promise<UpdateStatus> {
    const found = this.#status;
    if (found.state !== 'available')
      throw new StudioError('bad-input', 'Look for a version first.');
    const { version, bytes } = found;
    const begun: UpdateStatus = { state: 'downloading', version, received: 0, bytes };
    return this.#run(begun, async (updater, signal) => {
      try {
        await updater.download(signal, (received) => this.#tell({ ...begun, received }));
      } catch (error) {
        if (signal.aborted) return found;
        throw error;
      }
      return { state: 'ready', version };
    });
  }

  stop(): void {
    this.#work?.abort();
  }

  /**
   * Installs what was fetched, and starts anew.
   * @throws {StudioError} `busy`: a reply is being written
   */
  async install(): Promise<UpdateStatus> {
    const ready = this.#status;
    if (ready.state !== 'ready') throw new StudioError('bad-input', 'Download the update first.');
    const busy = this.#options.busyWith();
    if (busy !== null) throw new StudioError('busy', `${busy} Install the update after it.`);
    const { version } = ready;
    let startsAnew = false;
    const after = await this.#run({ state: 'installing', version }, async (updater) => {
      startsAnew = await updater.install();
      return { state: 'installing', version };
    });
    if (startsAnew) this.#options.restart();
    return after;
  }

  #again(delayMs: number): void {
    this.#timer = this.#options.clock.after(delayMs, () => {
      this.#again(lookTimes.again);
      const { state } = this.#status;
      const isQuiet = state === 'idle' || state === 'failed';
      if (!isQuiet || !this.#options.mayLook() || this.#options.busyWith() !== null) return;
      void this.look();
    });
  }

  async #run(
    begun: UpdateStatus,
    work: (updater: Updater, signal: AbortSignal) => Promise<UpdateStatus>,
  ): Promise<UpdateStatus> {
    const { updater, log } = this.#options;
    if (typeof updater === 'string') throw new StudioError('unsupported', updater);
    if (this.#work !== null) throw new StudioError('busy', 'An update is being worked on already.');
    const control = new AbortController();
    this.#work = control;
    this.#tell(begun);
    try {
      this.#updater ??= updater();
      this.#tell(await work(await this.#updater, control.signal));
    } catch (error) {
      log.warn('update failed', {
        state: begun.state,
        reason: toWireError(error).detail ?? String(error),
      });
      this.#tell({ state: 'failed', message: sentenceOf(error) });
    } finally {
      this.#work = null;
    }
    return this.#status;
  }

  #tell(status: UpdateStatus): void {
    this.#status = status;
    this.#options.onStatus(status);
  }
}

/** What we said ourselves is a sentence; what a socket says is not. */
function sentenceOf(error: unknown): string {
  if (isStudioError(error)) return error.message;
  const reason = reasonOf(error);
  return `The update server could not be reached, or the connection broke (${reason}). What was downloaded is kept: try again.`;
}
