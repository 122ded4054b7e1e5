import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { OutputFolder } from '../worker/conversion/output-folder.ts';

/**
 * What the other process runs: it waits until its input ends, which is when this process is gone in whatever way, and
 * does what `discard` does. After a finished import it finds nothing to do.
 */
const program = `
const { existsSync, renameSync, rmSync } = require('node:fs');
const [staged, replaced, target] = process.argv.slice(1);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.stdin.resume().on('end', () => {
  rmSync(staged, { recursive: true, force: true, maxRetries: 3 });
  if (!existsSync(replaced)) return;
  if (existsSync(target)) rmSync(replaced, { recursive: true, force: true, maxRetries: 3 });
  else renameSync(replaced, target);
});
`;

/**
 * Starts a process that removes a half-written import should this one be killed: a kill leaves nobody else to do it.
 */
export function tidyUpAfterKill({ staged, replaced, target }: OutputFolder): void {
  const child = spawn(process.execPath, ['-e', program, staged, replaced, target], {
    // A group of its own: Ctrl+C in the terminal reaches only us.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    windowsHide: true,
  });
  // Not being able to start it takes nothing from an import that ends by itself.
  child.on('error', () => {});
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
}
