import { totalmem } from 'node:os';
import { workerEnvironment } from '../../../shared/contracts/worker-protocol.ts';

/** macOS counts as free only what nobody ever used; what it gives up when asked is most of the rest. */
const macShare = 0.75;

/**
 * Bytes of memory that may be counted on now: what the system (on Linux also the control group) could still give, or
 * what the environment says.
 */
export function availableMemory(): number {
  const told = Number(process.env[workerEnvironment.memory] ?? '');
  if (told > 0) return told;
  return process.platform === 'darwin' ? totalmem() * macShare : process.availableMemory();
}
