import type { ToWorker } from '../../shared/contracts/worker-protocol.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Child } from './child.ts';

/** How long each rung waits for the child to end. Milliseconds. */
export const ladderMs = { ask: 1500, term: 1500 } as const;

/**
 * Ends a child: asks it, then SIGTERM, then SIGKILL. Resolves when it is gone.
 * @param exited resolves when the child has ended
 */
export async function endChild(
  child: Child,
  exited: Promise<unknown>,
  clock: Clock,
): Promise<void> {
  child.port.postMessage({ type: 'stop' } satisfies ToWorker);
  if (await endsWithin(exited, ladderMs.ask, clock)) return;
  child.kill('SIGTERM');
  if (await endsWithin(exited, ladderMs.term, clock)) return;
  child.kill('SIGKILL');
  await exited;
}

async function endsWithin(
  exited: Promise<unknown>,
  limitMs: number,
  clock: Clock,
): Promise<boolean> {
  let timer: Timer | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = clock.after(limitMs, () => resolve(false));
  });
  const ended = await Promise.race([exited.then(() => true), late]);
  timer?.cancel();
  return ended;
}
