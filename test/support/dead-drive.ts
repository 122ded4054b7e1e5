// A drive that is there and never answers, as a share whose server is gone: only root may have one, on Linux.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { pythonOfTests } from '../golden/run-python.ts';

/**
 * Takes what is in a folder away under a drive that is dead.
 * @returns what brings it back; null where nothing may be mounted
 */
export async function killDrive(folder: string): Promise<(() => Promise<void>) | null> {
  const script = path.join(import.meta.dirname, 'dead_drive.py');
  const child = spawn(pythonOfTests, [script, folder], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(child, 'close');
  const isDead = await Promise.race([
    once(child.stdout, 'data').then(() => true),
    ended.then(
      () => false,
      () => false,
    ),
  ]);
  if (!isDead) return null;
  return async () => {
    child.stdin.end();
    await ended;
  };
}
