import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

function make(place: string, later: (remove: () => void) => void): string {
  const folder = mkdtempSync(path.join(place, 'textbind-test-'));
  later(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** A folder that goes when the test ends. */
export function temporaryFolder(): string {
  return make(os.tmpdir(), onTestFinished);
}

/**
 * A folder for all tests of a file, or of the `describe` that asks for it: it goes after the last of them.
 * @param place `memory`: in memory where the system has it, for what is forced to the disk hundreds of times
 */
export function temporaryFolderForAll(place: 'disk' | 'memory' = 'disk'): string {
  const isInMemory = place === 'memory' && existsSync('/dev/shm');
  return make(isInMemory ? '/dev/shm' : os.tmpdir(), afterAll);
}
