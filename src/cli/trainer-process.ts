import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  startTrainerTask,
  type TrainerExit,
  type TrainerRuntime,
} from '../main/training/trainer-process.ts';
import { StudioError } from '../shared/errors.ts';

const root = path.join(import.meta.dirname, '..', '..');
const isWindows = process.platform === 'win32';

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

/** The checkout's trainer on that Python. */
export function trainerRuntime(): TrainerRuntime {
  return { python: trainerPython(), code: path.join(root, 'resources', 'trainer') };
}

/**
 * Runs a module of the trainer (`python -m textbind_trainer.NAME`). SIGINT and SIGTERM that reach us are passed on, so
 * that a run saves before it leaves; a second one ends it at once.
 * @throws StudioError `unsupported` where there is no Python
 */
export async function runTrainer(
  module: string,
  args: readonly string[],
  { onLine, env = {} }: TrainerOptions,
): Promise<TrainerExit> {
  const task = startTrainerTask(trainerRuntime(), module, args, onLine, env);
  const stop = (): void => task.stop();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, stop);
  try {
    return await task.done;
  } finally {
    for (const each of signals) process.off(each, stop);
  }
}
