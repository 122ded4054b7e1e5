import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLog } from '../../../src/base/log.ts';
import { readCrashes } from '../../../src/library/doctor/crashes.ts';
import { readDisks } from '../../../src/library/doctor/disks.ts';
import { estimateAll, FitBook } from '../../../src/library/fit/fit-book.ts';
import { examine } from '../../../src/library/doctor/doctor.ts';
import { findAll, type Circumstances, type Facts } from '../../../src/library/doctor/findings.ts';
import {
  linuxCards,
  linuxHas,
  readHardware,
  readNvidia,
} from '../../../src/library/doctor/hardware.ts';
import { cudaNotFetched, whyNotProvider } from '../../../src/library/doctor/provider-words.ts';
import { withoutPrivate } from '../../../src/library/doctor/report-text.ts';
import {
  doctorReportSchema,
  type EngineFacts,
  type TrainerFacts,
} from '../../../src/shared/domain/doctor.ts';
import { until } from '../../main/support/node-spawn.ts';
import { temporaryFolderForAll } from '../../support/temporary-folder.ts';

const folder = temporaryFolderForAll();

const noVulkan =
  'webgpu_context.cc:136 Initialize()::<lambda()> Failed to get a WebGPU adapter: No supported adapters';

describe('hardware', () => {
  it.runIf(process.platform === 'linux' && process.arch === 'x64')(
    'is what the system says',
    async () => {
      const hardware = await readHardware();
      const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))![1]!;
      const words = flags.trim().split(' ');
      const has = (name: string) => hardware.instructions.find((set) => set.name === name)?.present;
      expect(has('AVX2')).toBe(words.includes('avx2'));
      expect(has('AVX-512')).toBe(words.includes('avx512f'));
      expect(has('VNNI')).toBe(words.includes('avx512_vnni') || words.includes('avx_vnni'));
      expect(has('AMX int8')).toBe(words.includes('amx_int8'));
      expect(hardware.memoryBytes).toBe(os.totalmem());
      expect(hardware.freeMemoryBytes).toBeLessThanOrEqual(hardware.memoryBytes);
    },
  );

  it('does not claim to know what nobody says', () => {
    const set = { name: 'VNNI', helps: '', linux: ['avx_vnni', 'avx512_vnni'] };
    expect(linuxHas(null)(set)).toBeNull();
    expect(linuxHas('flags\t\t: fpu avx512_vnni sse')(set)).toBe(true);
    expect(linuxHas('flags\t\t: fpu avx512_vnnix')(set)).toBe(false);
    expect(linuxHas('Features\t: fp asimd avx_vnni')(set)).toBe(true);
  });

  it('reads the cards of nvidia-smi and of the kernel', () => {
    expect(readNvidia('NVIDIA H200, 570.86, 143771\nTesla T4, 535.1, [N/A]\n')).toEqual([
      { name: 'NVIDIA H200', driver: '570.86', memoryBytes: 143771 * 2 ** 20 },
      { name: 'NVIDIA Tesla T4', driver: '535.1', memoryBytes: null },
    ]);
    expect(readNvidia(null)).toEqual([]);
    expect(readNvidia('NVIDIA-SMI has failed because it could not talk to the driver.')).toEqual(
      [],
    );
    const device = path.join(folder, 'drm', 'card0', 'device');
    mkdirSync(device, { recursive: true });
    mkdirSync(path.join(folder, 'drm', 'card0-HDMI-A-1'));
    writeFileSync(path.join(device, 'vendor'), '0x1002\n');
    writeFileSync(path.join(device, 'device'), '0x73bf\n');
    writeFileSync(path.join(device, 'uevent'), 'DRIVER=amdgpu\nPCI_CLASS=30000\n');
    expect(linuxCards(path.join(folder, 'drm'))).toEqual([
      { name: 'AMD 0x73bf', driver: 'amdgpu', memoryBytes: null },
    ]);
    expect(linuxCards('/nowhere')).toEqual([]);
  });

  it('asks the disk of a folder that is not there yet', async () => {
    const [disk] = await readDisks([{ what: 'models', folder: path.join(folder, 'a', 'b') }]);
    expect(disk?.freeBytes).toBeGreaterThan(0);
    expect(disk?.totalBytes).toBeGreaterThanOrEqual(disk!.freeBytes);
  });
});

describe('crashes', () => {
  it('are read from the logs as they are written', async () => {
    const logs = path.join(folder, 'logs');
    const log = openLog(path.join(logs, 'main.log'));
    log.info('worker ready', { pid: 1 });
    log.error('worker gone', {
      code: null,
      signal: 'SIGKILL',
      reason: 'The engine was ended by SIGKILL.',
    });
    log.warn('request refused', { name: 'x' });
    const file = path.join(logs, 'main.log');
    await until(() => readFileSync(file, 'utf8').includes('request refused'), 'it is written');
    const [crash, ...more] = readCrashes(logs);
    expect(more).toEqual([]);
    expect(crash?.what).toBe('worker gone: The engine was ended by SIGKILL.');
    expect(Math.abs(Date.now() - crash!.at)).toBeLessThan(60_000);
    expect(readCrashes('/nowhere')).toEqual([]);
  });
});

describe('why a provider cannot be used', () => {
  it('is said in plain words', () => {
    expect(whyNotProvider('webgpu', noVulkan, false)).toBe(
      'No GPU with a Vulkan, Metal or Direct3D driver was found.',
    );
    const library = 'Failed to load shared library';
    expect(whyNotProvider('cuda', library, false)).toBe('No NVIDIA GPU was found.');
    expect(whyNotProvider('cuda', 'libcudnn.so.9: cannot open shared object file', true)).toBe(
      'There is an NVIDIA GPU, but not installed: libcudnn.so.9.',
    );
    expect(whyNotProvider('cuda', `${library} (the CUDA provider was not fetched)`, true)).toBe(
      cudaNotFetched,
    );
    const lacks = `${library} (not found: libcublas.so.12, libcudnn.so.9)`;
    expect(whyNotProvider('cuda', lacks, true)).toBe(
      'There is an NVIDIA GPU, but not installed: libcublas.so.12, libcudnn.so.9.',
    );
    expect(whyNotProvider('cuda', `${library} (not found: libcuda.so.1)`, true)).toBe(
      'There is an NVIDIA GPU, but its driver is not installed.',
    );
    const driver =
      'cuda_call.cc:146 CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1 ; hostname=vm';
    expect(whyNotProvider('cuda', driver, true)).toBe(
      'There is an NVIDIA GPU, but CUDA does not work: CUDA driver version is insufficient for CUDA runtime version',
    );
    expect(whyNotProvider('cuda', 'one\ntwo', true)).toMatch(/CUDA does not work: one$/);
  });
});

const engineFacts: EngineFacts = {
  libraries: [{ name: 'onnxruntime-node', version: '1.30.0', fault: null }],
  providers: [
    { provider: 'cuda', usable: false, reason: '', detail: 'Failed to load shared library' },
    { provider: 'webgpu', usable: false, reason: '', detail: noVulkan },
    { provider: 'cpu', usable: true, reason: '', detail: '' },
  ],
  choice: { provider: 'cpu', explanation: 'On the processor.' },
  models: [
    {
      ...{ name: 'Mini', folder: '/m/mini', bytesOnDisk: 1e8, fits: true, verdict: 'fits' },
      memoryBytes: { talking: 1e8 },
    },
  ],
};
const trainer: TrainerFacts = {
  ...{ state: 'missing', python: null, version: null, packages: [], message: null },
};
const usual: Circumstances = { preference: 'auto', engineHalted: null, chosenModel: '/m/mini' };

const look = (change: Partial<Parameters<typeof examine>[0]> = {}) =>
  examine({
    engineFacts: async () => engineFacts,
    trainer: async () => trainer,
    folders: [{ what: 'models', folder }],
    fits: ({ models }) => estimateAll(new FitBook('/nowhere/fit.json'), models, 'cpu', 40),
    logFolder: '/nowhere',
    versions: [],
    now: Date.now(),
    ...usual,
    ...change,
  });

describe('findings', () => {
  it('say what is wrong first, each with its mend', async () => {
    const report = await look({
      preference: 'cuda',
      engineHalted: 'it crashed three times.',
      logFolder: path.join(folder, 'logs'),
      engineFacts: async () => ({
        ...engineFacts,
        models: [
          ...engineFacts.models,
          { ...{ name: 'Broken', folder: '/m/b', bytesOnDisk: 1 }, fits: false, verdict: 'gone' },
          {
            ...{ name: 'Large', folder: '/m/l', bytesOnDisk: 1, fits: false },
            ...{ verdict: 'does not fit', memoryBytes: { talking: 1e15 } },
          },
        ],
      }),
      trainer: async () => ({ ...trainer, state: 'broken', message: 'It has no PyTorch.' }),
    });
    expect(doctorReportSchema.parse(report)).toEqual(report);
    const said = report.findings.map(({ level, action }) => `${level} ${action}`);
    expect(said.slice(0, 6)).toEqual([
      ...['bad restart-engine', 'bad provider-auto', 'bad models'],
      ...['warning models', 'warning open-logs', 'warning training'],
    ]);
    for (const { level, mend } of report.findings) {
      if (level === 'bad' || level === 'warning') expect(mend).not.toBeNull();
    }
  });

  it('are calm where nothing is wrong', async () => {
    const { findings } = await look();
    expect(findings.filter(({ level }) => level === 'bad')).toEqual([]);
    const graphics = findings.filter(({ message }) => /GPU/.test(message));
    expect(graphics).toHaveLength(1);
  });

  it('say that CUDA can be fetched where its card is there, and where to', async () => {
    const detail = 'Failed to load shared library (the CUDA provider was not fetched)';
    const nvidia = { name: 'NVIDIA H200', driver: '570.86', memoryBytes: 1 };
    const facts: Facts = {
      ...(await look()),
      hardware: { ...(await readHardware()), graphics: [nvidia] },
      providers: [
        { provider: 'cuda', usable: false, reason: whyNotProvider('cuda', detail, true), detail },
      ],
    };
    const [found] = findAll(facts, usual).filter(({ message }) => /H200/.test(message));
    expect(found).toMatchObject({ level: 'warning', action: 'models' });
    expect(found?.mend).toMatch(/^Get the library for CUDA/);
  });

  it('say when the chosen model has no room now', async () => {
    const large = { ...engineFacts.models[0]!, memoryBytes: { talking: os.totalmem() - 1 } };
    const facts = { ...engineFacts, models: [large] };
    const { findings } = await look({ engineFacts: async () => facts });
    expect(findings.find(({ mend }) => mend === 'Close other programs.')?.level).toBe('warning');
  });
});

describe('the report as text', () => {
  it('names neither folders nor who uses the machine', () => {
    const whose = { home: '/home/ada', user: 'ada', host: 'engine-room' };
    const text = [
      'folder /home/ada/secret project/x',
      '"/mnt/disk/family/model.bin": cannot be read',
      'C:\\Users\\ada\\AppData\\x.dll failed',
      'ada on engine-room, adaptive; ratio 3/4, webgpu_context.cc:136',
    ].join('\n');
    const safe = withoutPrivate(text, whose);
    expect(safe).not.toMatch(/secret|family|disk|Users|AppData|\bada\b|engine-room/);
    expect(safe).toContain('model.bin');
    expect(safe).toContain('adaptive; ratio 3/4, webgpu_context.cc:136');
  });

  it('holds what helps', async () => {
    const { text } = await look();
    expect(text).toMatch(/Providers:\ncuda: No NVIDIA/);
    expect(text).toContain('onnxruntime-node 1.30.0');
    expect(text).not.toContain(folder);
  });
});
