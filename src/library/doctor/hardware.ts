/** What a machine has, as its system says. Nothing here throws: what cannot be asked is null or left out. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, freemem, release, totalmem } from 'node:os';
import path from 'node:path';
import type { Graphics, Hardware, InstructionSet } from '../../shared/domain/doctor.ts';

interface KnownSet {
  readonly name: string;
  readonly helps: string;
  /** What Linux calls it in /proc/cpuinfo; one of them is enough. */
  readonly linux: readonly string[];
  /** What `sysctl` calls it on a Mac. */
  readonly mac?: string;
}

const x64Sets: readonly KnownSet[] = [
  { name: 'AVX2', helps: 'all arithmetic', linux: ['avx2'], mac: 'hw.optional.avx2_0' },
  { name: 'AVX-512', helps: 'all arithmetic', linux: ['avx512f'], mac: 'hw.optional.avx512f' },
  { name: 'VNNI', helps: 'quantised weights', linux: ['avx512_vnni', 'avx_vnni'] },
  { name: 'AMX int8', helps: 'reading long prompts, drawing', linux: ['amx_int8'] },
  { name: 'AMX bf16', helps: 'training', linux: ['amx_bf16'] },
  { name: 'AVX-512 bf16', helps: 'training', linux: ['avx512_bf16'] },
];
const armSets: readonly KnownSet[] = [
  {
    name: 'dot product',
    helps: 'quantised weights',
    linux: ['asimddp'],
    mac: 'hw.optional.arm.FEAT_DotProd',
  },
  { name: 'I8MM', helps: 'quantised weights', linux: ['i8mm'], mac: 'hw.optional.arm.FEAT_I8MM' },
  { name: 'bf16', helps: 'training', linux: ['bf16'], mac: 'hw.optional.arm.FEAT_BF16' },
];

export async function readHardware(): Promise<Hardware> {
  const [instructions, graphics] = await Promise.all([readInstructions(), readGraphics()]);
  return {
    platform: `${process.platform} ${process.arch}`,
    release: release(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    threads: availableParallelism(),
    memoryBytes: totalmem(),
    freeMemoryBytes: process.platform === 'darwin' ? freemem() : process.availableMemory(),
    instructions,
    graphics,
  };
}

async function readInstructions(): Promise<InstructionSet[]> {
  const sets = process.arch === 'arm64' ? armSets : process.arch === 'x64' ? x64Sets : [];
  const has =
    process.platform === 'darwin' ? await macHas(sets) : linuxHas(readText('/proc/cpuinfo'));
  return sets.map((set) => ({ name: set.name, helps: set.helps, present: has(set) }));
}

type Has = (set: KnownSet) => boolean | null;

/** By the flags of /proc/cpuinfo; null for all where there is none (Windows). */
export function linuxHas(cpuinfo: string | null): Has {
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo ?? '')?.[1];
  if (line === undefined) return () => null;
  const flags = new Set(line.trim().split(/\s+/));
  return ({ linux }) => linux.some((flag) => flags.has(flag));
}

async function macHas(sets: readonly KnownSet[]): Promise<Has> {
  const names = sets.flatMap(({ mac }) => mac ?? []);
  const said = (await ask('sysctl', names)) ?? '';
  return ({ mac }) => {
    const value = new RegExp(`^${mac?.replaceAll('.', '\\.')}: (\\d)`, 'm').exec(said)?.[1];
    return mac === undefined || value === undefined ? null : value === '1';
  };
}

async function readGraphics(): Promise<Graphics[]> {
  const nvidia = readNvidia(
    await ask('nvidia-smi', [
      '--query-gpu=name,driver_version,memory.total',
      '--format=csv,noheader,nounits',
    ]),
  );
  const others = process.platform === 'linux' ? linuxCards('/sys/class/drm') : [];
  // One that its own program knows is better described there.
  return nvidia.length === 0
    ? others
    : [...nvidia, ...others.filter(({ name }) => !/NVIDIA/.test(name))];
}

/** Lines of `nvidia-smi`: name, driver, memory in MiB. */
export function readNvidia(said: string | null): Graphics[] {
  const lines = (said ?? '').split('\n').filter((line) => line.split(',').length === 3);
  return lines.map((line) => {
    const [name = '', driver = '', memory = ''] = line.split(',').map((word) => word.trim());
    const mebibytes = Number(memory);
    return {
      name: /nvidia/i.test(name) ? name : `NVIDIA ${name}`,
      driver,
      memoryBytes: Number.isFinite(mebibytes) ? mebibytes * 2 ** 20 : null,
    };
  });
}

const vendors: Readonly<Record<string, string>> = {
  '0x10de': 'NVIDIA',
  '0x1002': 'AMD',
  '0x8086': 'Intel',
};

/** Cards that the kernel knows, by their maker; a machine without a driver for one still lists it. */
export function linuxCards(folder: string): Graphics[] {
  return names(folder)
    .filter((name) => /^card\d+$/.test(name))
    .flatMap((card): Graphics[] => {
      const device = path.join(folder, card, 'device');
      const vendor = vendors[readText(path.join(device, 'vendor'))?.trim() ?? ''];
      if (vendor === undefined) return [];
      const driver = /^DRIVER=(.*)$/m.exec(readText(path.join(device, 'uevent')) ?? '')?.[1];
      const id = readText(path.join(device, 'device'))?.trim() ?? '';
      return [{ name: `${vendor} ${id}`.trim(), driver: driver ?? null, memoryBytes: null }];
    });
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** What a program says; null where there is none, or it fails. */
function ask(program: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, [...args], { timeout: 10_000, windowsHide: true }, (error, said) =>
      // sysctl fails where one of several names is unknown, and has said the others.
      resolve(error !== null && said === '' ? null : said),
    );
  });
}
