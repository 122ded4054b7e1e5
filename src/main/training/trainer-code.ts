/** The trainer's Python code, copied beside the runs: a run that outlives the app must not lose it by an update. */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';

const packageName = 'textbind_trainer';

/**
 * Copies the trainer into a folder of its version, once.
 * @param trainer the folder that holds the package, as it came with the app
 * @returns the folder to put on Python's path
 */
export function keepTrainerCode(trainer: string, into: string): string {
  const files = readdirSync(path.join(trainer, packageName))
    .filter((name) => name.endsWith('.py'))
    .sort();
  const hash = createHash('sha256');
  for (const name of files) {
    hash.update(`${name}\n`).update(readFileSync(path.join(trainer, packageName, name)));
  }
  const kept = path.join(into, hash.digest('hex').slice(0, 16));
  if (existsSync(kept)) return kept;
  mkdirSync(into, { recursive: true });
  const part = mkdtempSync(path.join(into, 'part-'));
  try {
    mkdirSync(path.join(part, packageName));
    for (const name of files) {
      copyFileSync(path.join(trainer, packageName, name), path.join(part, packageName, name));
    }
    renameSync(part, kept);
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    if (!existsSync(kept)) throw error;
  }
  return kept;
}
