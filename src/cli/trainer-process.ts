import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { StudioError } from '../shared/errors.ts';

const root = path.join(import.meta.dirname, '..', '..');
const isWindows = process.platform === 'win32';

/** How a trainer's process ended. */
export interface TrainerExit {
  readonly code: number;
  /** The end of what it said on standard error, for a message. */
  readonly errorText: string;
}

export interface TrainerOptions {
  /** Each line of standard output as it comes. */
  readonly onLine: (line: string) => void;
  /** Environment variables beside our own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The Python to train with: TEXTBIND_PYTHON, else the environment that the set-up made in .venv. */
export function trainerPython(): string {
  const chosen = process.env['TEXTBIND_PYTHON'];
  if (chosen !== undefined && chosen !== '') return chosen;
  const own = path.join(
    root,
    '.venv',
    ...(isWindows ? ['Scripts', 'python.exe'] : ['bin', 'python']),
  );
  if (existsSync(own)) return own;
  throw new StudioError(
    'unsupported',
    'the trainer needs Python with the packages of resources/trainer/requirements.txt: there is no .venv here; set TEXTBIND_PYTHON to an interpreter that has them',
  );
}

/**
 * Runs a module of the trainer (`python -m textbind_trainer.NAME`). SIGINT and SIGTERM that reach us are passed on, so
 * that a run saves before it leaves; a second one ends it at once.
 * @throws StudioError `unsupported` where there is no Python
 */
export function runTrainer(
  module: string,
  args: readonly string[],
  { onLine, env = {} }: TrainerOptions,
): Promise<TrainerExit> {
  const search = [path.join(root, 'resources', 'trainer'), process.env['PYTHONPATH']]
    .filter((folder) => folder !== undefined && folder !== '')
    .join(path.delimiter);
  const child = spawn(trainerPython(), ['-m', `textbind_trainer.${module}`, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: the terminal's Ctrl-C reaches it once, from us, and not beside us as well.
    detached: !isWindows,
    env: { ...process.env, ...env, PYTHONPATH: search, PYTHONUNBUFFERED: '1', PYTHONUTF8: '1' },
  });
  return new Promise((resolve, reject) => {
    let errorText = '';
    let asked = false;
    const stop = (): void => {
      child.kill(asked ? 'SIGKILL' : 'SIGTERM');
      asked = true;
    };
    const signals = ['SIGINT', 'SIGTERM'] as const;
    for (const signal of signals) process.on(signal, stop);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errorText = (errorText + text).slice(-4000);
    });
    const rest = eachLine(child.stdout, onLine);
    child.on('error', (cause) => {
      reject(new StudioError('unsupported', `${trainerPython()} cannot be started`, { cause }));
    });
    child.on('close', (code, signal) => {
      for (const each of signals) process.off(each, stop);
      rest();
      resolve({ code: code ?? (signal === null ? 1 : 137), errorText: errorText.trim() });
    });
  });
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
