// Starting the app: the runtime's switches for this machine, its life as a child process, its end.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { isRoot, root, say, SetupError } from './steps.mjs';

/** @typedef {import('./electron.mjs').Runtime} Runtime */

/** @param {string} file */
function readNumber(file) {
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
}

/**
 * Why Chromium's sandbox cannot start here, if so: it needs unprivileged user namespaces or its own
 * set-uid helper.
 * @param {string} dist folder of the runtime
 */
export function sandboxProblem(dist) {
  if (process.platform !== 'linux' || isRoot) return undefined;
  const restricted =
    readNumber('/proc/sys/kernel/unprivileged_userns_clone') === 0 ||
    readNumber('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === 1 ||
    readNumber('/proc/sys/user/max_user_namespaces') === 0;
  if (!restricted) return undefined;
  const helper = path.join(dist, 'chrome-sandbox');
  if (!existsSync(helper)) return undefined;
  const { uid, mode } = statSync(helper);
  if (uid === 0 && (mode & 0o4000) !== 0) return undefined;
  return `sudo chown root:root '${helper}' && sudo chmod 4755 '${helper}'`;
}

/**
 * Switches that the machine asks for.
 * @param {{ virtualScreen: boolean, root?: boolean }} where
 */
export function machineSwitches({ virtualScreen, root: asRoot = isRoot }) {
  /** @type {string[]} */
  const switches = [];
  if (process.platform !== 'linux') return switches;
  if (asRoot) switches.push('--no-sandbox');
  // Docker gives /dev/shm 64 MB, of which a page with pictures asks more.
  if (smallSharedMemory()) switches.push('--disable-dev-shm-usage');
  // No GPU behind a virtual screen: plain software drawing costs less than an emulated one.
  if (virtualScreen) switches.push('--disable-gpu', '--log-level=3');
  return switches;
}

function smallSharedMemory() {
  try {
    const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
    const options = mounts.find((line) => line.split(' ')[1] === '/dev/shm')?.split(' ')[3] ?? '';
    const size = /size=(\d+)k/.exec(options)?.[1];
    return size !== undefined && Number(size) < 256 * 1024;
  } catch {
    return false;
  }
}

/**
 * Opens the built app and waits for its end.
 * @param {Runtime} runtime
 * @param {{ args: string[], display?: string, timeoutMs?: number }} options
 * @returns {Promise<number>} the exit code; 1 with a message where a signal or the time limit ended it
 */
export function openApp(runtime, { args, display, timeoutMs }) {
  const problem = sandboxProblem(runtime.dist);
  if (problem !== undefined) {
    throw new SetupError(
      "this system forbids what Chromium's sandbox needs",
      `Run once: ${problem}`,
    );
  }
  if (isRoot) say('running as root: adding --no-sandbox (as an ordinary user the sandbox is on)');
  const env = { ...process.env };
  if (display !== undefined) env['DISPLAY'] = display;
  // Set in shells inside other Electron apps (editors); it would make ours run as plain Node.
  delete env['ELECTRON_RUN_AS_NODE'];
  const switches = machineSwitches({ virtualScreen: display !== undefined });
  const child = spawn(runtime.executable, [root, ...switches, ...args], {
    cwd: root,
    env,
    stdio: 'inherit',
    // A group of its own, so that a time-out ends its children with it.
    detached: process.platform !== 'win32',
  });
  return new Promise((resolve, reject) => {
    let timedOut = false;
    const end = (/** @type {NodeJS.Signals} */ signal) => endGroup(child, signal);
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            end('SIGTERM');
            setTimeout(() => end('SIGKILL'), 5000).unref();
          }, timeoutMs);
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
      process.on(signal, () => end(signal));
    }
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (timedOut) {
        process.stderr.write(
          `The app was ended after ${(timeoutMs ?? 0) / 1000} s: it did not finish.\n`,
        );
        resolve(1);
      } else if (signal !== null) {
        process.stderr.write(`The app was ended by ${signal}.\n`);
        resolve(signal === 'SIGINT' ? 130 : 1);
      } else resolve(code ?? 1);
    });
  });
}

/** @param {import('node:child_process').ChildProcess} child @param {NodeJS.Signals} signal */
function endGroup(child, signal) {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // It ended by itself in between.
  }
}
