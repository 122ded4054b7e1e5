import { spawn } from 'node:child_process';
import type { ChildExit, Spawn } from '../src/main/processes/child.ts';

/** Starts a program of the app as a child of plain Node, as the app starts it as a utility process. */
export function createNodeSpawn(node: string, program: string): Spawn {
  return () => {
    const child = spawn(node, ['--disable-warning=ExperimentalWarning', program], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    return {
      port: {
        postMessage: (message) => void child.send(message as object, () => undefined),
        onMessage: (receive) => void child.on('message', receive),
        close: () => undefined,
      },
      pid: () => child.pid,
      onExit: (callback: (exit: ChildExit) => void) =>
        void child.once('close', (code, signal) => callback({ code, signal })),
      lastWords: () => '',
      kill: (signal) => void child.kill(signal),
    };
  };
}
