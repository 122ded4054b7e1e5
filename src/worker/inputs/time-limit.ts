import { Script } from 'node:vm';
import { codeOf } from '../../base/whole-file.ts';
import { StudioError } from '../../shared/errors.ts';

/** Where the work stands that the script calls. */
const slot = Symbol.for('textbind.limited-work');
const script = new Script(`globalThis[Symbol.for('textbind.limited-work')]()`);

/**
 * Runs work that somebody else's file decides about, such as a tokenizer's regular expressions, of which some take
 * longer than the universe is old. It runs in this thread as it is; only the time is watched (0.2 ms a call).
 * @throws StudioError `model-invalid` where it takes longer than that; what the work throws
 */
export function withTimeLimit<T>(limitMs: number, what: string, work: () => T): T {
  const before: unknown = Reflect.get(globalThis, slot);
  const done: T[] = [];
  Reflect.set(globalThis, slot, () => void done.push(work()));
  try {
    script.runInThisContext({ timeout: limitMs });
    for (const result of done) return result;
    throw new StudioError('internal', `${what} gave nothing`);
  } catch (error) {
    if (codeOf(error) !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new StudioError('model-invalid', `${what} takes longer than ${limitMs / 1000} s`, {
      cause: error,
    });
  } finally {
    Reflect.set(globalThis, slot, before);
  }
}
