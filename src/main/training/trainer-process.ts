/** Processes of the trainer: a short one that answers by lines, and a run that goes on without us. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { StudioError } from '../../shared/errors.ts';
import { appendLauncherEvent } from './event-log.ts';
import { identify } from './process-identity.ts';
import type { RunFolder } from './run-folder.ts';

/** What a process of the trainer runs on. */
export interface TrainerRuntime {
  /** The interpreter. */
  readonly python: string;
  /** The folder that holds the package `textbind_trainer`. */
  readonly code: string;
}

/** How a trainer's process ended. */
export interface TrainerExit {
  readonly code: number;
  /** What ended it; null where it ended by itself. */
  readonly signal: string | null;
  /** The end of what it said on standard error, for a message. */
  readonly errorText: string;
}

/** A process of the trainer that we wait for. */
export interface TrainerTask {
  readonly done: Promise<TrainerExit>;
  /** Asks it to leave; asked again, ends it. */
  stop(): void;
}

const isWindows = process.platform === 'win32';

/** Our environment with the trainer on Python's path. Nothing is looked for on the network. */
export function trainerEnvironment(
  { code }: TrainerRuntime,
  more: Readonly<Record<string, string>> = {},
): NodeJS.ProcessEnv {
  const search = [code, process.env['PYTHONPATH']].filter((each) => (each ?? '') !== '');
  return {
    ...process.env,
    ...more,
    PYTHONPATH: search.join(path.delimiter),
    PYTHONUNBUFFERED: '1',
    PYTHONUTF8: '1',
    HF_HUB_OFFLINE: '1',
    HF_HUB_DISABLE_TELEMETRY: '1',
  };
}

/**
 * Starts a module of the trainer (`python -m textbind_trainer.NAME`) and gives its lines as they come.
 * `done` rejects with StudioError `unsupported` where Python cannot be started.
 */
export function startTrainerTask(
  runtime: TrainerRuntime,
  module: string,
  args: readonly string[],
  onLine: (line: string) => void,
  env: Readonly<Record<string, string>> = {},
): TrainerTask {
  const child = spawn(runtime.python, ['-m', `textbind_trainer.${module}`, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: a terminal's Ctrl-C reaches it once, from us, and not beside us as well.
    detached: !isWindows,
    windowsHide: true,
    env: trainerEnvironment(runtime, env),
  });
  let asked = false;
  const done = new Promise<TrainerExit>((resolve, reject) => {
    let errorText = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errorText = (errorText + text).slice(-4000);
    });
    const rest = eachLine(child.stdout, onLine);
    child.on('error', (cause) => {
      reject(new StudioError('unsupported', `${runtime.python} cannot be started`, { cause }));
    });
    child.on('close', (code, signal) => {
      rest();
      resolve({ code: code ?? (signal === null ? 1 : 137), signal, errorText: errorText.trim() });
    });
  });
  return {
    done,
    stop() {
      child.kill(asked ? 'SIGKILL' : 'SIGTERM');
      asked = true;
    },
  };
}

/** The last line of what a process said on standard error: of a Python traceback, what was wrong. */
export function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** Gives whole lines to `onLine`; the function returned gives what is left at the end. */
function eachLine(stream: NodeJS.ReadableStream, onLine: (line: string) => void): () => void {
  let held = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (held + text).split('\n');
    held = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  return () => {
    if (held !== '') onLine(held);
  };
}

/** What to start a run with. */
export interface LaunchOptions {
  readonly folder: RunFolder;
  /** Processes that train together. */
  readonly processes: number;
  /** Goes on although the run file differs from the checkpoint's. */
  readonly acceptChanges: boolean;
  /** Seconds since the epoch. */
  readonly time: number;
}

/**
 * Starts a run as a process of its own, in a session of its own: it writes into its folder and outlives us.
 * @returns the process, for who is there when it ends
 */
export function launchRun(runtime: TrainerRuntime, options: LaunchOptions): ChildProcess {
  const { folder, acceptChanges, time } = options;
  appendLauncherEvent(folder.path('events'), { event: 'launched', time });
  const events = openSync(folder.path('events'), 'a');
  const log = openSync(folder.path('log'), 'a');
  try {
    const flags = acceptChanges ? ['--accept-changes'] : [];
    const child = spawn(
      runtime.python,
      [...trainCommand(options.processes), '--config', folder.path('file'), ...flags],
      {
        cwd: folder.folder,
        detached: true,
        windowsHide: true,
        stdio: ['ignore', events, log],
        env: trainerEnvironment(runtime),
      },
    );
    // Without a number it could not be started; its `error` event says why.
    if (child.pid !== undefined) folder.writeProcess(identify(child.pid));
    child.unref();
    return child;
  } finally {
    closeSync(events);
    closeSync(log);
  }
}

function trainCommand(processes: number): readonly string[] {
  const train = ['-m', 'textbind_trainer.train'];
  if (processes === 1) return train;
  const torchrun = ['-m', 'torch.distributed.run', '--standalone'];
  return [...torchrun, '--nproc-per-node', String(processes), ...train];
}
