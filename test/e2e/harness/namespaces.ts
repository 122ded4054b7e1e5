import { spawnSync } from 'node:child_process';

/**
 * Why this machine has no such namespaces; empty where it has.
 * @param args of `unshare`, with a command that needs what is asked for
 * @param what the first words of the reason
 */
export function whyNotUnshared(args: readonly string[], what: string): string {
  const tried = spawnSync('unshare', [...args], { encoding: 'utf8' });
  return tried.status === 0 ? '' : `${what}: ${tried.error?.message ?? tried.stderr}`;
}

/** Runs a program in namespaces of its own to its end. @throws with all that it said where it fails */
export function runUnshared(args: readonly string[], limitMs: number): void {
  const run = spawnSync('unshare', [...args], { encoding: 'utf8', timeout: limitMs });
  if (run.status !== 0)
    throw new Error(`${run.error?.message ?? ''}\n${run.stdout}\n${run.stderr}`);
}
