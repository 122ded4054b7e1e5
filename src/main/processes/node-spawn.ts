import { spawn } from 'node:child_process';
import { workerEnvironment } from '../../shared/contracts/worker-protocol.ts';
import { quietEnvironment } from '../../shared/quiet-environment.ts';
import type { Child, ChildExit, Spawn } from './child.ts';

/** How much of a child's stderr is kept for a crash's reason, characters. */
const keptWords = 4000;

/** Starts a process of ours as a child of plain Node, where there is no Electron: for the command line. */
export function createNodeSpawn(options: {
  /** Path of the process's entry. */
  readonly entry: string;
  readonly env?: Readonly<Record<string, string>>;
}): Spawn {
  return () => {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', options.entry],
      {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        serialization: 'advanced',
        env: {
          ...process.env,
          ...quietEnvironment,
          [workerEnvironment.logFile]: '',
          ...options.env,
        },
      },
    );
    let words = '';
    let receive: ((message: unknown) => void) | null = null;
    child.stderr?.on('data', (data: Buffer) => {
      words = (words + data.toString('utf8')).slice(-keptWords);
    });
    child.on('message', (message) => receive?.(message));
    child.on('error', () => undefined);
    return {
      port: {
        postMessage(message) {
          if (child.connected) child.send(message as object, () => undefined);
        },
        onMessage: (callback) => {
          receive = callback;
        },
        close() {
          receive = null;
        },
      },
      pid: () => child.pid,
      // `close`, not `exit`: what it wrote to stderr has arrived then.
      onExit: (callback: (exit: ChildExit) => void) =>
        void child.once('close', (code, signal) => callback({ code, signal })),
      lastWords: () => words,
      kill: (signal) => void child.kill(signal),
    } satisfies Child;
  };
}
