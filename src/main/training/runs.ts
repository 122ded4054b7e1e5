import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { StudioError, toWireError } from '../../shared/errors.ts';
import type {
  RunChange,
  RunDetail,
  RunFile,
  RunHistory,
  RunReplies,
  RunSummary,
} from '../../shared/domain/training.ts';
import { Run } from './run.ts';
import { changedRunFile } from './run-file.ts';
import { RunFolder, type RunAbout } from './run-folder.ts';
import type { TrainerRuntime } from './trainer-process.ts';

const lookEveryMs = 1000;
/** How long a deleted run can be brought back. */
const keptMs = 30 * 24 * 60 * 60 * 1000;

export interface RunsOptions {
  /** Holds a folder a run, and `trash`. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Days since the epoch in milliseconds that never run ahead: for what is deleted for good. */
  readonly stamp: () => number;
  /** @throws StudioError `unsupported` where no environment is set up */
  readonly runtime: () => TrainerRuntime;
  readonly onChange: (run: RunSummary, removed: boolean) => void;
}

/** The runs of this data folder: what their folders say, looked at again and again while one is under way. */
export class Runs {
  readonly #options: RunsOptions;
  readonly #runs = new Map<string, Run>();
  readonly #told = new Map<string, string>();
  #timer: Timer | null = null;
  #closed = false;
  #found: Promise<void> | null = null;

  constructor(options: RunsOptions) {
    this.#options = options;
  }

  /** Finds the runs that are there, and what happened to them meanwhile. Once. */
  open(): Promise<void> {
    this.#found ??= this.#find();
    return this.#found;
  }

  async #find(): Promise<void> {
    this.#forgetOld();
    for (const id of namesIn(this.#options.folder)) {
      if (id !== trashName) await this.#take(id);
    }
    this.#lookOn();
  }

  async #take(id: string): Promise<void> {
    try {
      const run = new Run(this.#folderOf(id));
      await run.refresh();
      this.#runs.set(run.about.id, run);
    } catch (error) {
      this.#options.log.warn('a run cannot be read', { id, reason: toWireError(error).message });
    }
  }

  /** Looks again in a while, as long as a run is under way. */
  #lookOn(): void {
    if (this.#timer !== null || this.#closed) return;
    if (![...this.#runs.values()].some((run) => run.isLive())) return;
    this.#timer = this.#options.clock.after(lookEveryMs, () => {
      this.#timer = null;
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    for (const run of this.#runs.values()) {
      if (this.#closed) return;
      if (run.isLive()) await this.#refresh(run);
    }
    this.#lookOn();
  }

  async #refresh(run: Run): Promise<void> {
    try {
      await run.refresh();
    } catch (error) {
      const reason = toWireError(error).message;
      this.#options.log.warn('a run cannot be read', { id: run.about.id, reason });
    }
    this.#tell(run);
  }

  #tell(run: Run): void {
    const summary = run.summary();
    const said = JSON.stringify(summary);
    if (this.#told.get(summary.id) === said) return;
    this.#told.set(summary.id, said);
    this.#options.onChange(summary, false);
  }

  /** Newest first. */
  async list(): Promise<RunSummary[]> {
    await this.open();
    const all = [...this.#runs.values()].map((run) => run.summary());
    return all.sort((a, b) => b.createdAt - a.createdAt);
  }

  /** @throws StudioError `not-found` */
  async find(id: string): Promise<Run> {
    await this.open();
    const run = this.#runs.get(id);
    if (run === undefined) throw new StudioError('not-found', `There is no run ${id}.`);
    return run;
  }

  async detail(id: string): Promise<RunDetail> {
    return (await this.find(id)).detail();
  }

  async history(id: string, points: number): Promise<RunHistory> {
    const run = await this.find(id);
    return run.history(points);
  }

  async replies(id: string, times: number): Promise<RunReplies> {
    return (await this.find(id)).replies(times);
  }

  /** Writes a run's folder. */
  async create(
    name: string,
    file: RunFile,
    { processes, restsEngine = false }: Pick<RunAbout, 'processes'> & Partial<RunAbout>,
  ): Promise<RunSummary> {
    await this.open();
    const id = randomUUID();
    const folder = this.#folderOf(id);
    mkdirSync(folder.folder, { recursive: true });
    folder.writeFile({ ...file, output: '.' });
    // Last: without it the folder is no run.
    folder.writeAbout({
      ...{ format: 1, id, name, processes, restsEngine, published: [], deletedAt: null },
      createdAt: this.#options.clock.now(),
    });
    const run = new Run(folder);
    this.#runs.set(id, run);
    this.#tell(run);
    return run.summary();
  }

  /** @throws StudioError `busy` while it is under way, `unsupported` without an environment */
  async start(id: string, acceptChanges: boolean): Promise<RunSummary> {
    const run = await this.find(id);
    await run.refresh();
    const runtime = this.#options.runtime();
    run.start(runtime, {
      acceptChanges,
      now: this.#options.clock.now(),
      onEnd: () => void this.#ended(run),
    });
    this.#options.log.info('run started', { id, acceptChanges });
    await this.#refresh(run);
    this.#lookOn();
    return run.summary();
  }

  async #ended(run: Run): Promise<void> {
    if (this.#closed) return;
    await this.#refresh(run);
    const summary = run.summary();
    this.#options.log.info('run ended', { id: summary.id, state: summary.state });
  }

  async stop(id: string): Promise<RunSummary> {
    const run = await this.find(id);
    await run.refresh();
    run.stop();
    this.#tell(run);
    return run.summary();
  }

  async kill(id: string): Promise<RunSummary> {
    const run = await this.find(id);
    run.kill();
    await this.#refresh(run);
    return run.summary();
  }

  /** Changes settings before the run goes on; what that means for its checkpoint the trainer asks. */
  async change(id: string, change: RunChange): Promise<RunDetail> {
    const run = await this.#resting(id, 'changed');
    run.folder.writeFile(changedRunFile(run.folder.readFile(), change));
    return run.detail();
  }

  async rename(id: string, name: string): Promise<RunSummary> {
    const run = await this.find(id);
    run.setAbout({ name });
    this.#tell(run);
    return run.summary();
  }

  /** Whether the chat's model gives up its memory while it is under way: from now on, and the next times. */
  async setRestsEngine(id: string, restsEngine: boolean): Promise<RunSummary> {
    const run = await this.find(id);
    run.setAbout({ restsEngine });
    this.#tell(run);
    return run.summary();
  }

  async duplicate(id: string): Promise<RunSummary> {
    const run = await this.find(id);
    const { name, processes, restsEngine } = run.about;
    return this.create(`${name} (copy)`, run.folder.readFile(), { processes, restsEngine });
  }

  /** Puts it aside. @throws StudioError `busy` while it is under way */
  async delete(id: string): Promise<void> {
    const run = await this.#resting(id, 'deleted');
    const summary = run.summary();
    run.setAbout({ deletedAt: this.#options.stamp() });
    mkdirSync(this.#trash(), { recursive: true });
    renameSync(run.folder.folder, path.join(this.#trash(), id));
    this.#runs.delete(id);
    this.#told.delete(id);
    this.#options.onChange(summary, true);
  }

  async restore(id: string): Promise<RunSummary> {
    const aside = path.join(this.#trash(), id);
    if (!existsSync(aside))
      throw new StudioError('not-found', `There is no run ${id} in the trash.`);
    renameSync(aside, this.#folderOf(id).folder);
    await this.adopt(id);
    const run = await this.find(id);
    run.setAbout({ deletedAt: null });
    return run.summary();
  }

  /** Takes in a run whose folder has come here. @throws StudioError `not-found` where it cannot be read as one */
  async adopt(id: string): Promise<RunSummary> {
    await this.open();
    await this.#take(id);
    const run = await this.find(id);
    this.#tell(run);
    return run.summary();
  }

  /** The name of a run; null where there is none of this id. */
  nameOf(id: string): string | null {
    return this.#runs.get(id)?.about.name ?? null;
  }

  /** Lets go; runs that are under way go on by themselves. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  async #resting(id: string, done: string): Promise<Run> {
    const run = await this.find(id);
    await run.refresh();
    if (!run.isLive()) return run;
    throw new StudioError(
      'busy',
      `The run "${run.about.name}" is under way; it cannot be ${done} before it has stopped.`,
    );
  }

  #folderOf(id: string): RunFolder {
    return new RunFolder(path.join(this.#options.folder, id));
  }

  #trash(): string {
    return path.join(this.#options.folder, trashName);
  }

  /** What was put aside long ago goes for good. */
  #forgetOld(): void {
    for (const id of namesIn(this.#trash())) {
      const deletedAt = deletedAtOf(new RunFolder(path.join(this.#trash(), id)));
      if (deletedAt === null || this.#options.stamp() - deletedAt < keptMs) continue;
      rmSync(path.join(this.#trash(), id), { recursive: true, force: true });
      this.#options.log.info('a deleted run was removed', { id });
    }
  }
}

const trashName = 'trash';

function deletedAtOf(folder: RunFolder): RunAbout['deletedAt'] {
  try {
    return folder.readAbout().deletedAt;
  } catch {
    return null;
  }
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
