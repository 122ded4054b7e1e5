import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createNodeSpawn } from '../../../bench/node-spawn.ts';
import type { Child, Spawn } from '../../../src/main/processes/child.ts';

const root = path.join(import.meta.dirname, '..', '..', '..');

type RememberingSpawn = Spawn & { readonly children: Child[] };

/** Starts the real decoder as a child of Node, and remembers the children. */
export const decoderSpawn = (): RememberingSpawn => remembering('src/worker/decoder/main.ts');

/** The same of the process that looks through copies. */
export const keeperSpawn = (): RememberingSpawn => remembering('src/main/keeper/main.ts');

function remembering(program: string): RememberingSpawn {
  const children: Child[] = [];
  const node = path.join(root, 'node_modules', '.bin', 'node');
  const start = createNodeSpawn(node, path.join(root, program));
  const remember = (): Child => {
    const child = start();
    children.push(child);
    return child;
  };
  return Object.assign(remember, { children });
}

/** The most memory that a process ever held, bytes; null where the system does not say. */
export function peakBytes(pid: number): number | null {
  if (process.platform !== 'linux') return null;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}
