// One network of true size in our engine, in a process of its own: opened once, run as often as it is asked.
import { openCheckpoint } from '../../src/worker/weights/index.ts';
import { Session, type SessionTensor } from '../../src/worker/runtime/index.ts';
import { memoryOfProcess } from '../machine.ts';
import { servePeer } from '../peers/peer-process.ts';
import { partOf } from './parts.ts';

/** What the network is asked. */
export type NetworkRequest =
  | {
      readonly kind: 'open';
      readonly part: string;
      readonly folder: string;
      readonly side: number;
      readonly threads: number;
    }
  | { readonly kind: 'run' }
  | { readonly kind: 'memory' };

export interface NetworkRun {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly isFinite: boolean;
}

let run: (() => Promise<NetworkRun>) | undefined;

async function open(request: Extract<NetworkRequest, { kind: 'open' }>): Promise<object> {
  const part = partOf(request.part);
  const begin = performance.now();
  const network = part.model(openCheckpoint(request.folder));
  const session = await Session.open(network.model, {
    provider: 'cpu',
    weightsFolder: network.weightsFolder,
    threads: request.threads,
  });
  const inputs = part.inputs(request.side);
  run = async () => {
    const [before, from] = [process.cpuUsage(), performance.now()];
    const outputs = await session.run(inputs);
    const seconds = (performance.now() - from) / 1000;
    const cpu = process.cpuUsage(before);
    const isFinite = Object.values(outputs).every(allFinite);
    return { seconds, cpuSeconds: (cpu.user + cpu.system) / 1e6, isFinite };
  };
  return { seconds: (performance.now() - begin) / 1000 };
}

function allFinite(tensor: SessionTensor): boolean {
  return !('data' in tensor) || tensor.dtype !== 'float32' || tensor.data.every(Number.isFinite);
}

servePeer((message) => {
  const request = message as NetworkRequest;
  if (request.kind === 'open') return open(request);
  if (request.kind === 'memory') return Promise.resolve(memoryOfProcess());
  if (run === undefined) throw new Error('no network is open');
  return run();
});
