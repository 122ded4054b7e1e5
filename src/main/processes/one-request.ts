import type {
  WorkerReplyBody,
  WorkerRequestBody,
  WorkerRequestName,
} from '../../shared/contracts/worker-protocol.ts';
import { StudioError } from '../../shared/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { describeExit, type Spawn } from './child.ts';
import { WorkerClient } from './worker-client.ts';

/** A process that drivers hang in is ended after this. Milliseconds. */
const usualPatienceMs = 60_000;

/**
 * Asks one thing of a process that is started for it and ended after it: what is asked may crash it, or hang, and the
 * engine goes on.
 * @throws StudioError `worker-crashed` where it ends before it answers
 */
export async function askOnce<Name extends WorkerRequestName>(
  options: {
    readonly spawn: Spawn;
    readonly clock: Clock;
    readonly log: Logger;
    /** How long it may take. Milliseconds. */
    readonly patienceMs?: number;
  },
  name: Name,
  body: WorkerRequestBody<Name>,
): Promise<WorkerReplyBody<Name>> {
  const { spawn, clock, log, patienceMs = usualPatienceMs } = options;
  const child = spawn();
  const timer = clock.after(patienceMs, () => child.kill('SIGKILL'));
  try {
    return await new Promise((resolve, reject) => {
      const client = new WorkerClient({
        ...{ port: child.port, clock, log },
        onReady: () => client.request(name, body).then(resolve, reject),
        onSign: () => undefined,
        onActivity: () => undefined,
      });
      child.onExit((exit) => {
        const reason = describeExit(exit, child.lastWords());
        reject(new StudioError('worker-crashed', reason));
      });
    });
  } finally {
    timer.cancel();
    child.port.close();
    child.kill('SIGKILL');
  }
}
