import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import {
  fromKeeperSchema,
  type CopyFacts,
  type ToKeeper,
} from '../../shared/contracts/keeper-protocol.ts';
import { fromWireError, StudioError, toWireError } from '../../shared/errors.ts';
import type { Child, Spawn } from './child.ts';

/** The longest that a copy may be looked through, milliseconds: 685 MB took 11 s on two busy cores, over 10 minutes on two that 20 wanted. */
export const longestInspectionMs = 60 * 60_000;

export interface CopyInspectorOptions {
  readonly spawn: Spawn;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Looks through copies of the database in a process of its own, one a copy. Null where that process cannot be started or
 * ends without a word, `late` where it was not done in time; what it could not read is an error.
 */
export function createCopyInspector(
  options: CopyInspectorOptions,
): (file: string) => Promise<CopyFacts | 'late' | null> {
  const { spawn, clock, log } = options;
  return async (file) => {
    let child: Child | null = null;
    let isLate = false;
    const timer = clock.after(longestInspectionMs, () => {
      isLate = true;
      child?.kill('SIGKILL');
    });
    try {
      child = spawn();
      return await ask(child, file);
    } catch (error) {
      if (error instanceof StudioError) throw error;
      log.warn('copy not looked through apart', { reason: toWireError(error).message });
      return isLate ? 'late' : null;
    } finally {
      timer.cancel();
      child?.kill('SIGKILL');
    }
  };
}

/** @throws StudioError that the process found, or Error where it gave none */
function ask(child: Child, file: string): Promise<CopyFacts> {
  return new Promise((resolve, reject) => {
    child.onExit(({ code, signal }) => reject(new Error(`it ended: ${signal ?? code}`)));
    child.port.onMessage((message) => {
      const parsed = fromKeeperSchema.safeParse(message);
      if (!parsed.success) reject(new Error('it said something else'));
      else if ('facts' in parsed.data) resolve(parsed.data.facts);
      else reject(fromWireError(parsed.data.error));
    });
    child.port.postMessage({ file } satisfies ToKeeper);
  });
}
