import { totalmem } from 'node:os';
import { workerEnvironment } from '../../shared/contracts/worker-protocol.ts';

/** Bytes of memory that the machine has in all, or what the environment says. */
export function machineMemory(): number {
  const told = Number(process.env[workerEnvironment.memory] ?? '');
  return told > 0 ? told : totalmem();
}
