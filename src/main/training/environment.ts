/** The Python that trains: made here with its packages, or chosen; verified by one step of training. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../base/json-file.ts';
import type { Logger } from '../../base/log.ts';
import { writeJsonFileSync } from '../../base/whole-file.ts';
import { StudioError, toWireError } from '../../shared/errors.ts';
import { trainerStatusSchema, type TrainerStatus } from '../../shared/domain/training.ts';
import {
  askPython,
  findPythons,
  isNewEnough,
  leastPython,
  startsPip,
  whyNoEnvironment,
  whyPipFailed,
  wordsOfPip,
  type FoundPython,
} from './python.ts';
import { askTrainer } from './trainer-answer.ts';
import type { TrainerRuntime, TrainerTask } from './trainer-process.ts';

export interface EnvironmentOptions {
  /** Holds `python/`, our own environment, and `environment.json`. */
  readonly folder: string;
  /** requirements.txt of the trainer. */
  readonly requirements: string;
  /** The trainer's code for a new process. */
  readonly code: () => string;
  /** A small model to verify with. */
  readonly model: string;
  readonly log: Logger;
  readonly onChange: (status: TrainerStatus) => void;
}

type Found = NonNullable<TrainerStatus['found']>;

/** Which build of PyTorch: what the package index gives by itself, or the small one for processors. */
const torchBuilds = ['usual', 'cpu'] as const;
export type TorchBuild = (typeof torchBuilds)[number];

const storedSchema = z.object({
  python: z.string(),
  isOwn: z.boolean(),
  /** Of ours: what it was made with. */
  build: z.enum(torchBuilds).default('usual'),
  found: trainerStatusSchema.shape.found,
  message: z.string().nullable(),
});
type Stored = z.infer<typeof storedSchema>;

const verifiedSchema = trainerStatusSchema.shape.found.unwrap().extend({
  event: z.literal('verified'),
  time: z.number(),
});

/** PyTorch's own index; the usual one has it only in builds for GPUs, on Linux. */
const cpuIndex = 'https://download.pytorch.org/whl/cpu';

const isWindows = process.platform === 'win32';

export class TrainerEnvironment {
  readonly #options: EnvironmentOptions;
  #stored: Stored | null;
  #progress: TrainerStatus['progress'] = null;
  /** Why the last attempt without any result came to nothing. */
  #message: string | null = null;
  #candidates: readonly FoundPython[] = [];
  #child: ChildProcess | null = null;
  #task: TrainerTask | null = null;
  #cancelled = false;

  constructor(options: EnvironmentOptions) {
    this.#options = options;
    this.#stored = this.#read();
  }

  /** What a run is started with. @throws StudioError `unsupported` where none is ready */
  runtime(): TrainerRuntime {
    const stored = this.#stored;
    if (stored === null || stored.found === null) {
      throw new StudioError(
        'unsupported',
        'Training needs Python with PyTorch. Set it up under Training, Environment.',
      );
    }
    return { python: stored.python, code: this.#options.code() };
  }

  async status(): Promise<TrainerStatus> {
    if (this.#stored === null && this.#progress === null) this.#candidates = await findPythons();
    return this.#status();
  }

  #status(): TrainerStatus {
    const stored = this.#stored;
    const working = this.#progress !== null;
    const settled = stored === null ? 'missing' : stored.found === null ? 'broken' : 'ready';
    return {
      state: working ? 'working' : settled,
      python: stored?.python ?? null,
      isOwn: stored?.isOwn ?? false,
      found: stored?.found ?? null,
      message: working ? null : (stored?.message ?? this.#message),
      progress: this.#progress,
      candidates: [...this.#candidates],
    };
  }

  /** Takes a Python that is there. */
  choose(python: string): Promise<TrainerStatus> {
    return this.#work('Asking this Python', async () => {
      const found = await askPython(python);
      if (found === null)
        throw new StudioError('bad-input', `${python}: is no Python that starts.`);
      if (!isNewEnough(found.version)) {
        throw new StudioError(
          'bad-input',
          `${python}: is Python ${found.version}; ${leastPython.join('.')} or newer is needed.`,
        );
      }
      await this.#verify({ python, isOwn: false, build: 'usual' });
    });
  }

  /**
   * Makes our own environment anew and fetches its packages.
   * @param python the interpreter to make it with; null: the first that is found
   */
  install(python: string | null, build: TorchBuild): Promise<TrainerStatus> {
    return this.#work('Looking for Python', () => this.#make(python, build));
  }

  async #make(python: string | null, build: TorchBuild): Promise<void> {
    const base = python ?? (await findPythons())[0]?.python;
    if (base === undefined) throw new StudioError('not-found', noPython());
    this.#say('Making the environment');
    // What is half made, and was left so, is no environment.
    this.#forget();
    mkdirSync(this.#options.folder, { recursive: true });
    await this.#tool(base, ['-m', 'venv', this.#ownFolder()], whyNoEnvironment);
    await this.#complete(build);
  }

  async #complete(build: TorchBuild): Promise<Stored> {
    const python = this.#ownPython();
    await this.#fetchPackages(python, build);
    return this.#verify({ python, isOwn: true, build });
  }

  /**
   * Puts ours right: packages that it lacks are fetched; where it still does not train, it is made anew.
   * @throws StudioError `bad-input` where it is not ours
   */
  repair(): Promise<TrainerStatus> {
    const stored = this.#stored;
    if (stored?.isOwn !== true) {
      throw new StudioError('bad-input', 'Only what the app made itself can be repaired.');
    }
    return this.#work('Starting Python', async () => {
      if (await startsPip(stored.python)) {
        const { found } = await this.#complete(stored.build);
        if (found?.lacks.length === 0) return;
      }
      await this.#make(null, stored.build);
    });
  }

  async #fetchPackages(own: string, build: TorchBuild): Promise<void> {
    const pip = ['-m', 'pip', 'install', '--no-input', '--disable-pip-version-check'];
    const bars = ['--progress-bar', 'raw'];
    // The pip that comes with Python may be too old to tell how far it is.
    this.#say('Looking for pip');
    await this.#tool(own, [...pip, '--upgrade', 'pip'], whyPipFailed);
    const { requirements } = this.#options;
    if (build === 'cpu') {
      const torch = ['--index-url', cpuIndex, '--constraint', requirements, 'torch'];
      await this.#tool(own, [...pip, ...bars, ...torch], whyPipFailed);
    }
    await this.#tool(own, [...pip, ...bars, '--requirement', requirements], whyPipFailed);
  }

  verify(): Promise<TrainerStatus> {
    const stored = this.#stored;
    if (stored === null) throw new StudioError('not-found', 'No Python is set up yet.');
    return this.#work('Starting Python', async () => void (await this.#verify(stored)));
  }

  /** Deletes what is ours, forgets what is not. */
  async remove(): Promise<TrainerStatus> {
    this.#free();
    this.#forget();
    this.#message = null;
    this.#options.onChange(this.#status());
    return this.status();
  }

  /** Gives up what is being done. */
  cancel(): void {
    this.#cancelled = true;
    this.#child?.kill('SIGKILL');
    this.#task?.stop();
    this.#task?.stop();
  }

  #forget(): void {
    rmSync(this.#file(), { force: true });
    rmSync(this.#ownFolder(), { recursive: true, force: true });
    this.#stored = null;
  }

  async #verify({ python, isOwn, build }: Omit<Stored, 'found' | 'message'>): Promise<Stored> {
    this.#say('Training one step, to see that it works');
    const runtime = { python, code: this.#options.code() };
    let found: Found | null = null;
    let message: string | null = null;
    try {
      const { model, requirements } = this.#options;
      const args = ['--model', model, '--requirements', requirements];
      const task = askTrainer(runtime, 'selfcheck', args, verifiedSchema);
      this.#task = task;
      const { event: _event, time: _time, ...rest } = await task.answer;
      found = rest;
    } catch (error) {
      this.#refuseCancelled();
      message = describeFailure(toWireError(error).message, isOwn);
    } finally {
      this.#task = null;
    }
    const stored = { python, isOwn, build, found, message };
    this.#keep(stored);
    return stored;
  }

  /** One thing at a time; what goes wrong is part of the status. */
  async #work(words: string, work: () => Promise<void>): Promise<TrainerStatus> {
    this.#free();
    this.#cancelled = false;
    this.#message = null;
    this.#say(words);
    try {
      await work();
    } catch (error) {
      const { message, kind } = toWireError(error);
      this.#options.log.warn('the environment', { kind, message });
      this.#message = this.#cancelled ? null : message;
    } finally {
      this.#progress = null;
    }
    const status = await this.status();
    const said = this.#message === null ? status : { ...status, message: this.#message };
    this.#options.onChange(said);
    return said;
  }

  #free(): void {
    if (this.#progress !== null) {
      throw new StudioError('busy', 'The environment is being worked on already.');
    }
  }

  #say(words: string, fraction: number | null = null): void {
    this.#progress = { words, fraction };
    this.#options.onChange(this.#status());
  }

  #refuseCancelled(): void {
    if (this.#cancelled) throw new StudioError('cancelled', 'Given up.');
  }

  /** Runs a program and shows what it says of its progress. */
  #tool(program: string, args: readonly string[], why: (text: string) => string): Promise<void> {
    this.#refuseCancelled();
    return new Promise((resolve, reject) => {
      const child = spawn(program, [...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
        windowsHide: true,
      });
      this.#child = child;
      let text = '';
      const hear = (piece: string): void => {
        text = (text + piece).slice(-20_000);
        for (const line of piece.split(/[\r\n]+/)) {
          const said = wordsOfPip(line, this.#progress?.words ?? '');
          if (said !== null) this.#say(said.words, said.fraction);
        }
      };
      child.stdout.setEncoding('utf8').on('data', hear);
      child.stderr.setEncoding('utf8').on('data', hear);
      child.once('error', reject);
      child.once('close', (code) => {
        this.#child = null;
        if (this.#cancelled) reject(new StudioError('cancelled', 'Given up.'));
        else if (code === 0) resolve();
        else reject(new StudioError('unsupported', why(text)));
      });
    });
  }

  #ownFolder(): string {
    return path.join(this.#options.folder, 'python');
  }

  #ownPython(): string {
    const place = isWindows ? ['Scripts', 'python.exe'] : ['bin', 'python'];
    return path.join(this.#ownFolder(), ...place);
  }

  #file(): string {
    return path.join(this.#options.folder, 'environment.json');
  }

  #keep(stored: Stored): void {
    mkdirSync(this.#options.folder, { recursive: true });
    writeJsonFileSync(this.#file(), stored);
    this.#stored = stored;
  }

  #read(): Stored | null {
    try {
      if (!existsSync(this.#file())) return null;
      const stored = readJsonFile(this.#file(), storedSchema, 'bad-input');
      if (existsSync(stored.python)) return stored;
      return { ...stored, found: null, message: `${stored.python} is not there any more.` };
    } catch (error) {
      this.#options.log.warn('environment.json', { reason: toWireError(error).message });
      return null;
    }
  }
}

function noPython(): string {
  const how = isWindows
    ? 'Install it from python.org'
    : process.platform === 'darwin'
      ? 'Install it from python.org or with Homebrew'
      : 'Install it with the package manager of this system (python3 and python3-venv)';
  return `No Python ${leastPython.join('.')} or newer was found. ${how}, then look again.`;
}

/** A missing package is what most often is wrong. */
function describeFailure(message: string, isOwn: boolean): string {
  const missing = /ModuleNotFoundError: No module named '([^']+)'/.exec(message);
  if (missing === null) return `This Python does not train: ${message}`;
  return isOwn
    ? `It lacks the package ${missing[1]}.`
    : `This Python lacks the package ${missing[1]}. Install the packages of the trainer's requirements.txt into it, or let the app make an environment of its own.`;
}
