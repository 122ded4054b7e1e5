// How set-up talks: every step says its name, what it did and how long it took; a failure names the
// step and the mend. Plain Node, no packages: this runs before anything is installed.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

// Every command of ours begins here, and its children inherit it: ONNX Runtime reports to its vendor otherwise.
process.env['ORT_DISABLE_TELEMETRY'] = '1';

/** The project's root folder, whatever the working directory. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** Where set-up keeps what can be thrown away: downloads, the fallback runtime, stamps. */
export const cacheDir = path.join(root, '.cache');

/** A set-up failure that a person can act on. */
export class SetupError extends Error {
  /**
   * @param {string} message what failed
   * @param {string} mend what to do about it
   * @param {unknown} [cause]
   */
  constructor(message, mend, cause) {
    super(message, { cause });
    this.mend = mend;
  }
}

/** @param {number} milliseconds */
export function elapsed(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** @param {string} line */
export function say(line) {
  process.stdout.write(`[set-up] ${line}\n`);
}

/**
 * Runs one step. `work` returns a sentence on what it did, or undefined where nothing was to do
 * (then nothing is printed: a second start is quiet).
 * @param {string} name
 * @param {() => Promise<string | undefined> | string | undefined} work
 */
export async function step(name, work) {
  const begin = Date.now();
  try {
    const done = await work();
    if (done !== undefined) say(`${name}: ${done} (${elapsed(Date.now() - begin)})`);
  } catch (error) {
    if (error instanceof SetupError) {
      throw new SetupError(`${name}: ${error.message}`, error.mend, error.cause);
    }
    const message = error instanceof Error ? error.message : String(error);
    throw new SetupError(
      `${name}: ${message}`,
      'Run the same command again; set-up resumes.',
      error,
    );
  }
}

/**
 * Prints a failure for a person and returns the exit code.
 * @param {unknown} error
 */
export function reportFailure(error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`[set-up] FAILED at ${message}\n`);
  if (error instanceof SetupError) process.stderr.write(`[set-up] What to do: ${error.mend}\n`);
  else if (error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  return 1;
}

/**
 * Runs a program, its output passed through line by line under an indent; says every 15 s that it
 * still runs when it is silent, with what `progress` knows.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number, quiet?: boolean,
 *           progress?: () => string }} [options]
 * @returns {Promise<{ code: number, tail: string }>} exit code and the last 4,000 characters
 */
export function run(command, args, options = {}) {
  const { cwd = root, env = process.env, timeoutMs, quiet = false, progress } = options;
  return new Promise((resolve, reject) => {
    const begin = Date.now();
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let tail = '';
    let lastOutput = Date.now();
    let pending = '';
    /** @param {Buffer} data */
    const take = (data) => {
      lastOutput = Date.now();
      const text = data.toString();
      tail = (tail + text).slice(-4000);
      if (quiet) return;
      const lines = (pending + text).split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') process.stdout.write(`    ${line}\n`);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const heartbeat = setInterval(() => {
      if (Date.now() - lastOutput < 14_000) return;
      const known = progress === undefined ? '' : `, ${progress()}`;
      process.stdout.write(`    ... still running, ${elapsed(Date.now() - begin)}${known}\n`);
    }, 15_000);
    const timer =
      timeoutMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const finish = () => {
      clearInterval(heartbeat);
      clearTimeout(timer);
    };
    child.on('error', (error) => {
      finish();
      reject(error);
    });
    child.on('close', (code, signal) => {
      finish();
      if (signal !== null) tail += `\n(ended by ${signal})`;
      resolve({ code: code ?? 1, tail: tail.trim() });
    });
  });
}

/**
 * What a short command prints; its errors are not shown.
 * @param {string} command @param {string[]} args
 * @throws where it cannot be run or fails
 */
export function outputOf(command, args) {
  return execFileSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/**
 * True where a program of that name is on PATH.
 * @param {string} name
 */
export function onPath(name) {
  const finder = process.platform === 'win32' ? 'where' : 'which';
  return spawnSync(finder, [name], { stdio: 'ignore' }).status === 0;
}

export const isRoot = typeof process.getuid === 'function' && process.getuid() === 0;
