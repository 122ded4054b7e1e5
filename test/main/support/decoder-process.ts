import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Child, ChildExit, Spawn } from '../../../src/main/processes/child.ts';

const root = path.join(import.meta.dirname, '..', '..', '..');

/** Starts the real decoder as a child of Node, and remembers the children. */
export function decoderSpawn(): Spawn & { readonly children: Child[] } {
  const children: Child[] = [];
  const start = (): Child => {
    const child = startDecoder();
    children.push(child);
    return child;
  };
  return Object.assign(start, { children });
}

function startDecoder(): Child {
  const child = spawn(
    path.join(root, 'node_modules', '.bin', 'node'),
    ['--disable-warning=ExperimentalWarning', path.join(root, 'src/worker/decoder/main.ts')],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced' },
  );
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
}

/** The most memory that a process ever held, bytes; null where the system does not say. */
export function peakBytes(pid: number): number | null {
  if (process.platform !== 'linux') return null;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}
