import {
  existsSync,
  openSync,
  readSync,
  closeSync,
  fstatSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { StudioError } from '../../shared/errors.ts';
import {
  isLive,
  type RunDetail,
  type RunHistory,
  type RunReplies,
  type RunState,
  type RunSummary,
} from '../../shared/domain/training.ts';
import { appendLauncherEvent, EventLog, type RunEvent } from './event-log.ts';
import { History } from './history.ts';
import { isRunning, type ProcessIdentity } from './process-identity.ts';
import { fold, noProgress, stateOf, summaryFields, troubleIn } from './progress.ts';
import type { RunAbout, RunFolder } from './run-folder.ts';
import { lastLine, launchRun, type TrainerRuntime } from './trainer-process.ts';

const logBytes = 16_384;

/** A run as its folder tells it. What this app did not see of it, it reads there. */
export class Run {
  readonly folder: RunFolder;
  #about: RunAbout;
  readonly #stage: RunSummary['stage'];
  readonly #log: EventLog;
  readonly #history = new History();
  #progress = noProgress;
  /** The process that was started last, while it may be there. */
  #process: ProcessIdentity | null;
  #alive = false;
  #reading: Promise<void> | null = null;

  /** @throws StudioError `bad-input` where the folder is no run's */
  constructor(folder: RunFolder) {
    this.folder = folder;
    this.#about = folder.readAbout();
    this.#stage = folder.readFile().stage;
    this.#log = new EventLog(folder.path('events'));
    this.#process = folder.readProcess();
  }

  get about(): RunAbout {
    return this.#about;
  }

  setAbout(change: Partial<RunAbout>): void {
    const about = { ...this.#about, ...change };
    this.folder.writeAbout(about);
    this.#about = about;
  }

  /** Looks whether its process is there, and reads what was written since the last time. */
  refresh(): Promise<void> {
    // Two at once would read the same lines.
    this.#reading ??= this.#readOn().finally(() => (this.#reading = null));
    return this.#reading;
  }

  async #readOn(): Promise<void> {
    // First who is there, then what was written: a process writes its last word before it goes.
    const alive = this.#process !== null && isRunning(this.#process);
    await this.#log.readOn((event: RunEvent) => {
      this.#history.add(event);
      this.#progress = fold(this.#progress, event);
    });
    this.#alive = alive;
    if (!alive) this.#process = null;
  }

  state(): RunState {
    return stateOf(this.#progress, this.#alive, existsSync(this.folder.path('stop')));
  }

  isLive(): boolean {
    return isLive(this.state());
  }

  summary(): RunSummary {
    const { id, name, createdAt, restsEngine } = this.#about;
    const state = this.state();
    return {
      ...{ id, name, createdAt, state, restsEngine },
      stage: this.#stage,
      ...summaryFields(this.#progress),
      validationLoss: this.#history.lastValidation(),
      trouble: troubleIn(this.#progress, state, () => lastLine(this.logEnd())),
    };
  }

  detail(): RunDetail {
    return {
      summary: this.summary(),
      file: this.folder.readFile(),
      checkpoints: this.folder.checkpoints(),
      log: this.logEnd(),
      folder: this.folder.folder,
      published: this.#about.published,
    };
  }

  replies(times: number): RunReplies {
    return this.#history.replies(times);
  }

  history(points: number): RunHistory {
    return this.#history.columns(points);
  }

  /**
   * Starts its process, or goes on from its last checkpoint.
   * @param onEnd called when a process that we started has ended
   * @throws StudioError `busy` where one is there already
   */
  start(
    runtime: TrainerRuntime,
    options: { readonly acceptChanges: boolean; readonly now: number; readonly onEnd: () => void },
  ): void {
    if (this.isLive()) throw new StudioError('busy', `The run "${this.#about.name}" is under way.`);
    rmSync(this.folder.path('stop'), { force: true });
    const { acceptChanges, now, onEnd } = options;
    const child = launchRun(runtime, {
      folder: this.folder,
      processes: this.#about.processes,
      acceptChanges,
      time: now / 1000,
    });
    this.#process = this.folder.readProcess();
    this.#alive = child.pid !== undefined;
    this.#watch(child, onEnd);
  }

  #watch(child: ChildProcess, onEnd: () => void): void {
    const end = (code: number | null, signal: string | null): void => {
      const ended = { event: 'ended', time: Date.now() / 1000, code, signal } as const;
      try {
        appendLauncherEvent(this.folder.path('events'), ended);
      } catch {
        // The folder may be gone, or the disk full: that the process is gone is seen anyway.
      }
      onEnd();
    };
    child.once('exit', end);
    child.once('error', () => end(1, null));
  }

  /**
   * Asks it to save and leave. Before its first step there is nothing to save, and it is ended.
   * @throws StudioError `bad-input` where it is not under way
   */
  stop(): void {
    const state = this.state();
    if (!isLive(state)) {
      throw new StudioError('bad-input', `The run "${this.#about.name}" is not under way.`);
    }
    writeFileSync(this.folder.path('stop'), '');
    // Its loop looks for the file; until it is there a signal ends it.
    if (this.#progress.phase !== 'running') this.#signal('SIGTERM');
  }

  /** Ends it at once. */
  kill(): void {
    this.#signal('SIGKILL');
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#process === null || !isRunning(this.#process)) return;
    const { pid } = this.#process;
    try {
      // It leads a group of its own, with all that train beside it.
      process.kill(process.platform === 'win32' ? pid : -pid, signal);
    } catch {
      // It went by itself just now.
    }
  }

  /** The end of its log. */
  logEnd(): string {
    const file = this.folder.path('log');
    if (!existsSync(file)) return '';
    const descriptor = openSync(file, 'r');
    try {
      const { size } = fstatSync(descriptor);
      const wanted = Math.min(size, logBytes);
      const end = Buffer.alloc(wanted);
      readSync(descriptor, end, 0, wanted, size - wanted);
      return withoutRedrawn(end.toString('utf8'));
    } finally {
      closeSync(descriptor);
    }
  }
}

/** Progress bars write a line over and over: its last form is kept. */
function withoutRedrawn(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd().split('\r').at(-1) ?? '')
    .join('\n');
}
