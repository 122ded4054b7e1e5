// CUDA's provider as the engine loads it: through a folder of links, with NVIDIA's libraries from where they are. What
// only a machine with an NVIDIA card can show is at the end, and skipped elsewhere by name.
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { cudaPackage } from '../../../src/worker/runtime/cuda.ts';
import { neededLibraries } from '../../../src/worker/runtime/needed-libraries.ts';
import { cudaEnvironment, cudaFolderName, cudaLinksName } from '../../../src/shared/cuda.ts';
import { cudaFactsSchema } from '../../../src/shared/domain/cuda.ts';
import { temporaryFolder } from '../../main/support/storage.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const load = createRequire(import.meta.url);
const { version } = z
  .looseObject({ version: z.string() })
  .parse(load('onnxruntime-node/package.json'));
const isHere = process.platform === 'linux' && process.arch === 'x64';

const saidSchema = z.object({
  facts: cudaFactsSchema,
  cpu: z.boolean(),
  cuda: z.object({ usable: z.boolean(), reason: z.string() }),
  /** Files that the process has in its memory. */
  maps: z.array(z.string()),
});

/** What a process of its own says that was told of these folders. */
async function engineWith(
  env: Readonly<Record<string, string>>,
): Promise<z.infer<typeof saidSchema>> {
  const script = `
    const { cudaFacts, tryProvider } = await import(${JSON.stringify(path.join(root, 'src/worker/runtime/index.ts'))});
    const cpu = (await tryProvider('cpu')).usable;
    const { usable, reason } = await tryProvider('cuda');
    const { readFileSync } = await import('node:fs');
    const maps = readFileSync('/proc/self/maps', 'utf8').split('\\n').map((line) => line.split(/ +/)[5] ?? '');
    console.log(JSON.stringify({ facts: cudaFacts(), cpu, cuda: { usable, reason }, maps: [...new Set(maps)] }));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script],
    { cwd: root, env: { ...process.env, ...env } },
  );
  return saidSchema.parse(JSON.parse(stdout));
}

/** A shared library of nothing but what it needs. */
function libraryThatNeeds(names: readonly string[]): Buffer {
  const strings = Buffer.from(`\0${names.join('\0')}\0`);
  const headers = 64 + 2 * 56;
  const dynamicAt = headers + strings.length + ((8 - (strings.length % 8)) % 8);
  const dynamic = Buffer.alloc((names.length + 2) * 16);
  let at = 1;
  for (const [index, name] of names.entries()) {
    dynamic.writeBigInt64LE(1n, index * 16);
    dynamic.writeBigUInt64LE(BigInt(at), index * 16 + 8);
    at += name.length + 1;
  }
  dynamic.writeBigInt64LE(5n, names.length * 16);
  // Addresses are elsewhere than offsets, as the linker has them for what is written to.
  const base = 0x1000;
  dynamic.writeBigUInt64LE(BigInt(base + headers), names.length * 16 + 8);
  const all = Buffer.alloc(dynamicAt + dynamic.length);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(all);
  all.writeUInt16LE(3, 16);
  all.writeUInt16LE(62, 18);
  all.writeBigUInt64LE(64n, 32);
  all.writeUInt16LE(56, 54);
  all.writeUInt16LE(2, 56);
  const segment = (place: number, type: number, offset: number, bytes: number): void => {
    all.writeUInt32LE(type, place);
    all.writeBigUInt64LE(BigInt(offset), place + 8);
    all.writeBigUInt64LE(BigInt(base + offset), place + 16);
    all.writeBigUInt64LE(BigInt(bytes), place + 32);
  };
  segment(64, 1, 0, all.length);
  segment(120, 2, dynamicAt, dynamic.length);
  strings.copy(all, headers);
  dynamic.copy(all, dynamicAt);
  return all;
}

/** Parts with a provider that needs these. */
function partsWith(
  names: readonly string[],
  fetchedVersion = version,
): { parts: string; folder: string } {
  const parts = path.join(temporaryFolder(), 'parts');
  const folder = path.join(parts, cudaFolderName(fetchedVersion));
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'libonnxruntime_providers_cuda.so'), libraryThatNeeds(names));
  writeFileSync(path.join(folder, 'libonnxruntime_providers_shared.so'), libraryThatNeeds([]));
  writeFileSync(path.join(folder, 'part.json'), '{}');
  return { parts, folder };
}

/** A Python whose packages have these libraries; each is the system's for mathematics under another name. */
function pythonWith(names: readonly string[]): string {
  const python = temporaryFolder();
  const folder = path.join(python, 'lib', 'python3.12', 'site-packages', 'nvidia', 'cu12', 'lib');
  mkdirSync(folder, { recursive: true });
  const maps = readFileSync('/proc/self/maps', 'utf8');
  const mathematics = /\/\S*\/libm\.so\.6/.exec(maps)?.[0] ?? '';
  for (const name of names) copyFileSync(mathematics, path.join(folder, name));
  return python;
}

test('the package is the one that the engine’s own publisher names, of exactly its version', () => {
  const offered = cudaPackage(load, 'linux/x64');
  expect(offered).toMatchObject({ name: 'Microsoft.ML.OnnxRuntime.Gpu.Linux', version });
  expect(offered?.entries.map((entry) => path.posix.basename(entry))).toEqual([
    'libonnxruntime_providers_cuda.so',
    'libonnxruntime_providers_shared.so',
  ]);
  for (const system of ['linux/arm64', 'darwin/arm64', 'win32/x64']) {
    expect(cudaPackage(load, system)).toBeNull();
  }
});

describe.runIf(isHere)('the engine', () => {
  test('reads what a library needs, and refuses what is none', () => {
    const { folder } = partsWith(['libcublasLt.so.12', 'libc.so.6']);
    const file = path.join(folder, 'libonnxruntime_providers_cuda.so');
    expect(neededLibraries(file)).toEqual(['libcublasLt.so.12', 'libc.so.6']);
    const engine = path.dirname(load.resolve('onnxruntime-node/package.json'));
    const binding = path.join(engine, 'bin/napi-v6/linux/x64/onnxruntime_binding.node');
    expect(neededLibraries(binding)[0]).toBe('libonnxruntime.so.1');
    writeFileSync(file, 'not a library, but long enough to have the header of one if it were');
    expect(() => neededLibraries(file)).toThrow(/no library for 64-bit Linux/);
  });

  test('says that nothing was fetched, also where another version was', async () => {
    const { parts } = partsWith([], '1.2.3');
    const { facts, cpu, cuda } = await engineWith({ [cudaEnvironment.parts]: parts });
    expect(facts).toMatchObject({ folder: null, missing: [] });
    expect(cpu).toBe(true);
    expect(cuda.reason).toContain('the CUDA provider was not fetched');
  });

  test('names every library of NVIDIA’s that is nowhere, and works on the processor', async () => {
    const needed = ['libcublasLt.so.12', 'libcudart.so.12', 'libstdc++.so.6'];
    const { parts, folder } = partsWith(needed);
    const { facts, cpu, cuda } = await engineWith({ [cudaEnvironment.parts]: parts });
    expect(facts).toMatchObject({
      folder,
      missing: ['libcublasLt.so.12', 'libcudart.so.12', 'libcudnn.so.9'],
      fault: null,
    });
    expect(cpu).toBe(true);
    expect(cuda.reason).toContain('(not found: libcublasLt.so.12, libcudart.so.12, libcudnn.so.9)');
    expect(existsSync(path.join(parts, cudaLinksName))).toBe(false);
  });

  test('takes them from PyTorch’s packages, and is loaded through links beside its provider', async () => {
    const { parts, folder } = partsWith(['libcudart.so.12']);
    const python = pythonWith(['libcudart.so.12', 'libcudnn.so.9']);
    const env = { [cudaEnvironment.parts]: parts, [cudaEnvironment.python]: python };
    const { facts, cpu, maps } = await engineWith(env);
    expect(facts).toMatchObject({ folder, missing: [], fault: null });
    expect(cpu).toBe(true);
    expect(maps.some((file) => file.endsWith('/cu12/lib/libcudart.so.12'))).toBe(true);
    const links = path.join(parts, cudaLinksName);
    expect(readdirSync(links).sort()).toEqual([
      'libonnxruntime.so.1',
      'libonnxruntime_providers_cuda.so',
      'libonnxruntime_providers_shared.so',
      'onnxruntime_binding.node',
    ]);
    expect(readlinkSync(path.join(links, 'libonnxruntime_providers_cuda.so'))).toBe(
      path.join(folder, 'libonnxruntime_providers_cuda.so'),
    );
    // One engine is in memory, and it is the one that ships.
    const engines = maps.filter((file) => file.includes('libonnxruntime.so'));
    expect(engines).toHaveLength(1);
    expect(engines[0]).toContain('/node_modules/onnxruntime-node/');
  });

  test('a library that is broken costs CUDA and nothing else', async () => {
    const { parts, folder } = partsWith([]);
    writeFileSync(path.join(folder, 'libonnxruntime_providers_cuda.so'), 'broken'.repeat(20));
    const { facts, cpu, cuda } = await engineWith({ [cudaEnvironment.parts]: parts });
    expect(facts.fault).toContain('no library for 64-bit Linux');
    expect(cpu).toBe(true);
    expect(cuda.usable).toBe(false);
  });
});

/** Folder `parts` with the real provider, e.g. what the window fetched. */
const real = process.env['TEXTBIND_TEST_CUDA_PARTS'];

describe.skipIf(real === undefined)('with the real provider (TEXTBIND_TEST_CUDA_PARTS)', () => {
  test('it is loaded by the engine that ships, as far as NVIDIA’s libraries and driver go', async () => {
    const python = process.env['TEXTBIND_TEST_CUDA_PYTHON'] ?? '';
    const env = { [cudaEnvironment.parts]: real ?? '', [cudaEnvironment.python]: python };
    const { facts, cpu, cuda, maps } = await engineWith(env);
    expect(cpu).toBe(true);
    expect(facts.fault).toBeNull();
    if (facts.missing.length > 0) return expect(cuda.reason).toContain(facts.missing.join(', '));
    expect(maps.some((file) => file.endsWith('libonnxruntime_providers_cuda.so'))).toBe(true);
    if (!cuda.usable) expect(cuda.reason).toContain('CUDA failure');
  });
});

describe.skipIf(!existsSync('/proc/driver/nvidia/version') || real === undefined)(
  'on a machine with an NVIDIA card and the real provider',
  () => {
    test('CUDA computes', async () => {
      const python = process.env['TEXTBIND_TEST_CUDA_PYTHON'] ?? '';
      const env = { [cudaEnvironment.parts]: real ?? '', [cudaEnvironment.python]: python };
      expect((await engineWith(env)).cuda).toEqual({ usable: true, reason: '' });
    });
  },
);
