/**
 * Reference values from Python, made when a test asks for them and kept in .cache/golden.
 *
 * A generator is a script `test/golden/NAME.py OUT_DIR [ARGS...]` that writes files into OUT_DIR.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
/** The interpreter that the tests use; it may be missing. */
export const pythonOfTests =
  process.platform === 'win32'
    ? join(root, '.venv', 'Scripts', 'python.exe')
    : join(root, '.venv', 'bin', 'python');

/** Why tests that need Python are skipped, or undefined when they run. */
export const noPython: string | undefined = existsSync(pythonOfTests)
  ? undefined
  : '.venv is missing: references from PyTorch cannot be made';

/**
 * Runs a generator of this folder and gives the folder with what it wrote. The folder is kept under
 * the hash of the script and its arguments, so a second run is free.
 *
 * @param script file name in test/golden.
 * @throws Error with the script's stderr if it fails.
 */
export function runPython(script: string, args: readonly string[] = []): string {
  const file = join(import.meta.dirname, script);
  const hash = createHash('sha256').update(readFileSync(file)).update(JSON.stringify(args));
  const folder = join(root, '.cache', 'golden');
  const kept = join(folder, `${script.replace(/\.py$/, '')}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(kept)) return kept;
  mkdirSync(folder, { recursive: true });
  const temporary = mkdtempSync(join(folder, 'making-'));
  const environment = { ...process.env, OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' };
  try {
    execFileSync(pythonOfTests, [file, temporary, ...args], {
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    // Two test files may make the same reference at once: whoever comes second takes the first's.
    if (!existsSync(kept)) renameSync(temporary, kept);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return kept;
}
