import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { Child, Spawn } from '../../../src/main/processes/child.ts';
import { createNodeSpawn as createSpawn } from '../../../src/main/processes/node-spawn.ts';

const fakeWorker = path.join(import.meta.dirname, 'fake-worker.ts');
const realWorker = path.join(import.meta.dirname, '../../../src/worker/main.ts');

/** Starts the fake worker as a real child of Node. `traits` by number of the start; the last one stays. */
export function createNodeSpawn(
  traits: readonly string[] = [''],
): Spawn & { readonly children: Child[] } {
  const children: Child[] = [];
  const start = (): Child => {
    const trait = traits[Math.min(children.length, traits.length - 1)] ?? '';
    const child = spawnNode(fakeWorker, { FAKE_WORKER: trait });
    children.push(child);
    return child;
  };
  onTestFinished(() => {
    for (const child of children) child.kill('SIGKILL');
  });
  return Object.assign(start, { children });
}

/** Starts the real worker as a child of Node. */
export function createWorkerSpawn(
  env: Readonly<Record<string, string>> = {},
): Spawn & { readonly children: Child[] } {
  const children: Child[] = [];
  const start = (): Child => {
    const child = spawnNode(realWorker, env);
    children.push(child);
    return child;
  };
  onTestFinished(() => {
    for (const child of children) child.kill('SIGKILL');
  });
  return Object.assign(start, { children });
}

function spawnNode(entry: string, env: Readonly<Record<string, string>>): Child {
  return createSpawn({ entry, env })();
}

/** Waits for something to hold, by the machine's own clock. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
