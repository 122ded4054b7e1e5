import { readFileSync } from 'node:fs';
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
  /** Empty where the system does not say. */
  readonly instructionSets: readonly string[];
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
    instructionSets: instructionSets(),
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
    `         ${machine.instructionSets.join(', ') || 'instruction sets not known'}`,
    `         ${machine.platform}, Node ${machine.node}, load average ${machine.load}`,
  ].join('\n');
}

/** Memory of this process, MB. */
export interface ProcessMemory {
  /** The most it ever had resident, pages of files that it has mapped too. */
  readonly most: number;
  /** What it has now that is no file's pages; 0 where the system does not say. */
  readonly own: number;
}

export function memoryOfProcess(): ProcessMemory {
  const most = process.resourceUsage().maxRSS / 1000;
  if (process.platform !== 'linux') return { most, own: 0 };
  const status = readFileSync('/proc/self/status', 'utf8');
  return { most, own: Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000 };
}

/** The instruction sets that decide how fast a network runs, as far as this processor has them; Linux only. */
function instructionSets(): readonly string[] {
  if (process.platform !== 'linux') return [];
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  const known = [
    'avx2',
    'fma',
    'avx_vnni',
    'avx512f',
    'avx512_vnni',
    'avx512_bf16',
    'amx_int8',
    'amx_bf16',
  ];
  return known.filter((name) => flags.split(' ').includes(name));
}
