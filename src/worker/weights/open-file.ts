import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { codeOf } from '../../base/whole-file.ts';
import { WeightError } from './weight-error.ts';

/**
 * Opens a file for reading. Anything else with a name, above all a pipe, is refused at once: opening one in the usual
 * way would wait for its writer for ever.
 * @returns the descriptor, to be closed
 * @throws WeightError naming what cannot be opened
 */
export function openRegularFile(path: string): number {
  let descriptor: number;
  try {
    // Undefined on Windows, which has no such files.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    const code = codeOf(cause) || 'unknown';
    throw new WeightError(`${path}: cannot be opened (${code})`, { cause });
  }
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw new WeightError(`${path}: is not a file`);
}
