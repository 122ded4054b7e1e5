import { utilityProcess } from 'electron';
import type { Port } from '../../base/port.ts';
import { workerEnvironment } from '../../shared/contracts/worker-protocol.ts';
import { quietEnvironment } from '../../shared/quiet-environment.ts';
import type { Child, ChildExit, Spawn } from './child.ts';

/** How much of the worker's stderr is kept for a crash's reason, characters. */
const keptWords = 4000;

export interface UtilitySpawnOptions {
  /** Path of the process's built entry. */
  readonly entry: string;
  /** What the system's list of processes calls it. */
  readonly name: string;
  readonly logFile: string;
  /** What else it is told by its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Processes that were told to end and whose end Electron has not told of, by name. */
const ending = new Map<string, number>();

function countEnding(name: string, change: 1 | -1): boolean {
  const count = ending.get(name) ?? 0;
  ending.set(name, Math.max(0, count + change));
  return count > 0;
}

/** Whether it was we who ended a process that is gone. To be asked once for each that Electron tells of. */
export function wasEndedByUs({ reason, name = '' }: Electron.Details): boolean {
  return reason === 'killed' && countEnding(name, -1);
}

/** Starts a process as an Electron utility process. Only after the app is ready. */
export function createUtilitySpawn(options: UtilitySpawnOptions): Spawn {
  return () => {
    const child = utilityProcess.fork(options.entry, [], {
      serviceName: options.name,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        ...quietEnvironment,
        [workerEnvironment.logFile]: options.logFile,
        ...options.env,
      },
    });
    let words = '';
    let isEnding = false;
    // One that ends by itself when it is told to was not killed: nobody asks for it.
    child.once('exit', (code) => void (isEnding && code === 0 && countEnding(options.name, -1)));
    child.stderr?.on('data', (data: Buffer) => {
      words = (words + data.toString('utf8')).slice(-keptWords);
    });
    // Once it is gone, `pid` is undefined; a signal to a number that the system gave anew would hit a stranger.
    return {
      port: toPort(child),
      pid: () => child.pid,
      onExit: (callback: (exit: ChildExit) => void) =>
        void child.once('exit', (code) => callback(exitOfCode(code, process.platform))),
      lastWords: () => words,
      kill(signal) {
        if (child.pid === undefined) return;
        // Once, however many signals it takes.
        if (!isEnding) countEnding(options.name, 1);
        isEnding = true;
        if (signal === 'SIGTERM') child.kill();
        else process.kill(child.pid, signal);
      },
    } satisfies Child;
  };
}

/** Ways to die by a signal. Node exits with none of these numbers by itself in what we run. */
const signalNames: Readonly<Record<number, string>> = {
  4: 'SIGILL',
  6: 'SIGABRT',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
};

/** Electron gives a signal's plain number as the code (Electron 33 on Linux: 9 for SIGKILL, 11 for SIGSEGV). */
function exitOfCode(code: number, platform: NodeJS.Platform): ChildExit {
  const signal = platform === 'win32' ? undefined : signalNames[code];
  return signal === undefined ? { code, signal: null } : { code: null, signal };
}

function toPort(child: Electron.UtilityProcess): Port {
  let receive: ((message: unknown) => void) | null = null;
  let waiting: unknown[] = [];
  let closed = false;
  child.on('message', (message: unknown) => {
    if (receive === null) waiting.push(message);
    else receive(message);
  });
  return {
    postMessage(message) {
      if (!closed) child.postMessage(message);
    },
    onMessage(callback) {
      receive = callback;
      for (const message of waiting) callback(message);
      waiting = [];
    },
    close() {
      closed = true;
      receive = () => undefined;
    },
  };
}
