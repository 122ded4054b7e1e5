import { availableParallelism, cpus, freemem, loadavg, release, totalmem } from 'node:os';

/** What the figures were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly logicalCores: number;
  readonly memoryGiB: number;
  readonly freeMemoryGiB: number;
  readonly platform: string;
  readonly node: string;
  /** Processes that wanted to run, mean of the last minute. Always 0 on Windows. */
  readonly load: number;
}

const gib = 1024 ** 3;

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    logicalCores: availableParallelism(),
    memoryGiB: Math.round((totalmem() / gib) * 10) / 10,
    freeMemoryGiB: Math.round((freemem() / gib) * 10) / 10,
    platform: `${process.platform} ${process.arch}, kernel ${release()}`,
    node: process.version,
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

/** A sentence where so much else runs that times say little; null where the machine is quiet enough. */
export function loadWarning({ load, logicalCores }: Pick<Machine, 'load' | 'logicalCores'>) {
  if (load < logicalCores * 0.5) return null;
  return (
    `WARNING: the load average is ${load} on ${logicalCores} logical cores: something else is running. ` +
    'Times below are too long, and quotients are no good either: threads that wait by spinning (llama.cpp) lose more than ours.'
  );
}

/** The machine in a few lines. */
export function formatMachine(machine: Machine): string {
  return [
    `machine: ${machine.cpu}, ${machine.logicalCores} logical cores, ${machine.memoryGiB} GiB memory (${machine.freeMemoryGiB} free)`,
    `         ${machine.platform}, Node ${machine.node}, load average ${machine.load}`,
  ].join('\n');
}
