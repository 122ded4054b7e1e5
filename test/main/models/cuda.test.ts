// CUDA's provider by the app's own downloader, from a feed of packages on loopback that behaves badly by script.
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { readPart } from '../../../src/library/parts.ts';
import { DownloadService } from '../../../src/main/downloads/download-service.ts';
import { usualLimits } from '../../../src/main/downloads/fetch-file.ts';
import { TokenKeeper } from '../../../src/main/downloads/token.ts';
import { CudaService } from '../../../src/main/models/cuda-service.ts';
import { ModelStore } from '../../../src/main/models/model-store.ts';
import { verifyPart } from '../../../src/main/models/verify-part.ts';
import { cudaLinksName, cudaPartId } from '../../../src/shared/cuda.ts';
import type { CudaFacts } from '../../../src/shared/domain/cuda.ts';
import type { DownloadState, DownloadStatus } from '../../../src/shared/domain/download.ts';
import { Hub, type HubFault } from '../../support/hub.ts';
import { temporaryFolder } from '../support/storage.ts';

const hub = new Hub();
beforeAll(() => hub.start());
afterAll(() => hub.stop());

const native = 'runtimes/linux-x64/native';
const provider = randomBytes(300_000);
const shared = randomBytes(20_000);
const packageFile = 'microsoft.ml.onnxruntime.gpu.linux.1.30.0.nupkg';

async function pack(files: Readonly<Record<string, Buffer>>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files)) zip.addBuffer(content, name);
  zip.end();
  return buffer(zip.outputStream);
}

beforeEach(async () => {
  hub.reset();
  hub.packages.set(
    packageFile,
    await pack({
      'LICENSE.txt': Buffer.from('MIT License'),
      'ThirdPartyNotices.txt': Buffer.from('Notices'),
      [`${native}/libonnxruntime.so`]: randomBytes(10_000),
      [`${native}/libonnxruntime_providers_cuda.so`]: provider,
      [`${native}/libonnxruntime_providers_shared.so`]: shared,
      [`${native}/libonnxruntime_providers_tensorrt.so`]: randomBytes(5000),
    }),
  );
});

/** As the engine of this version says it of itself (test/worker/runtime/cuda.test.ts holds it to that). */
const facts = (): CudaFacts => ({
  package: {
    name: 'Microsoft.ML.OnnxRuntime.Gpu.Linux',
    version: '1.30.0',
    feed: hub.feed,
    entries: [
      `${native}/libonnxruntime_providers_cuda.so`,
      `${native}/libonnxruntime_providers_shared.so`,
    ],
  },
  ...{ folder: null, missing: [], fault: null },
});

function open(folder = temporaryFolder(), graphics = ['An NVIDIA graphics card'], free = 1e12) {
  let asked = 0;
  const conversion = {
    async ask() {
      asked += 1;
      return facts() as never;
    },
    end: async () => undefined,
  };
  const cuda = new CudaService({ conversion, graphics: async () => graphics });
  const token = new TokenKeeper(path.join(folder, 'token'), () => ({
    isEncryptionAvailable: () => false,
    encryptString: (text) => Buffer.from(text),
    decryptString: String,
  }));
  token.set('hf_nobody_else_should_hear');
  const parts = path.join(folder, 'parts');
  const service = new DownloadService({
    folders: { jobs: path.join(folder, 'downloads'), parts },
    catalogue: () => ({ parts: [], systems: [], faults: [] }),
    provider: () => cuda.part(),
    network: () => ({ hub: 'https://hub.invalid', proxy: null }),
    ...{ token, clock: systemClock, log: silentLogger, silenceMs: 500 },
    build: async () => 'nothing',
    onStatus: () => undefined,
    onDone: () => undefined,
    limits: {
      ...{ ...usualLimits, partBytes: 32_768, firstWaitMs: 1, lastWaitMs: 5, saveMs: 5 },
      reserveBytes: 1000,
    },
    freeBytes: async () => free,
  });
  service.restore();
  const reaches = async (...states: DownloadState[]): Promise<DownloadStatus> => {
    for (;;) {
      const [found] = service.list();
      if (found !== undefined && states.includes(found.state)) return found;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return { ...{ service, cuda, folder, parts, reaches }, asked: () => asked };
}

const place = (parts: string, name: string): string => path.join(parts, 'cuda-provider@1.30.0', name);

function expectWhole(parts: string): void {
  expect(readFileSync(place(parts, 'libonnxruntime_providers_cuda.so')).equals(provider)).toBe(true);
  expect(readFileSync(place(parts, 'libonnxruntime_providers_shared.so')).equals(shared)).toBe(true);
  expect(readdirSync(path.dirname(place(parts, 'x'))).sort()).toEqual([
    'LICENSE.txt',
    'ThirdPartyNotices.txt',
    'libonnxruntime_providers_cuda.so',
    'libonnxruntime_providers_shared.so',
    'part.json',
  ]);
}

test('where there is no NVIDIA card nothing is offered, and no process is started to say so', async () => {
  const { service, cuda, asked } = open(undefined, ['An AMD graphics card']);
  expect(await cuda.status()).toMatchObject({ card: null, package: null });
  await expect(service.look(cudaPartId)).rejects.toMatchObject({ kind: 'not-found' });
  expect(asked()).toBe(0);
  expect(hub.requests).toEqual([]);
  await service.close();
});

test('it is looked at, said yes to, fetched, taken out of its package, checked, and removed again', async () => {
  const { service, folder, parts, reaches } = open();
  expect(hub.requests).toEqual([]);
  const offer = await service.look(cudaPartId);
  const bytes = hub.packages.get(packageFile)?.length;
  expect(offer).toMatchObject({ host: new URL(hub.address).host, bytes, needsToken: false });
  expect(offer.parts).toMatchObject([
    { role: 'provider', commit: '1.30.0', hubLicence: 'MIT', licence: { name: 'MIT' } },
  ]);
  expect(hub.requests.every(({ path: asked }) => asked.endsWith('.json'))).toBe(true);
  service.start(offer.offerId);
  const done = await reaches('done', 'stopped');
  expect(done).toMatchObject({ state: 'done', reason: null, received: bytes, modelFolder: null });
  expectWhole(parts);
  // The token is the hub's.
  expect(hub.requests.some(({ authorization }) => authorization !== null)).toBe(false);
  const whole = path.dirname(place(parts, 'x'));
  const signal = new AbortController().signal;
  expect(await verifyPart(whole, readPart(whole), () => undefined, signal)).toEqual([]);
  expect(await service.look(cudaPartId)).toMatchObject({ bytes: 0 });
  // After a start the list says the same, though the package itself is gone.
  await service.close();
  const again = open(folder);
  expect(again.service.list()[0]).toMatchObject({ state: 'done', received: bytes });
  const store = new ModelStore({
    ...{ models: path.join(folder, 'models'), parts },
    conversion: { ask: async () => Promise.reject(new Error('nothing is asked')) },
    onImporting: () => undefined,
    onMoved: async () => undefined,
    onChange: () => undefined,
  });
  await store.removePart(whole);
  expect(existsSync(whole)).toBe(false);
  expect(existsSync(path.join(parts, cudaLinksName))).toBe(false);
  await again.service.close();
});

const faults: readonly (readonly [string, HubFault])[] = [
  ['drops the connection', { kind: 'drop', after: 10_000 }],
  ['stalls', { kind: 'stall', after: 5000 }],
  ['corrupts a byte', { kind: 'corrupt', at: 777 }],
  ['is busy', { kind: 'status', status: 503 }],
  ['gives a page to sign in', { kind: 'page' }],
  ['gives whole files only', { kind: 'whole' }],
];

test.each(faults)('a feed that %s costs nothing but time', async (_, fault) => {
  const { service, parts, reaches } = open();
  let left = 3;
  hub.fault = () => (left-- > 0 ? fault : null);
  service.start((await service.look(cudaPartId)).offerId);
  const end = await reaches('done', 'stopped');
  if (end.state === 'stopped') {
    service.resume(end.downloadId);
    await reaches('done');
  }
  expectWhole(parts);
  await service.close();
});

test('what the app was closed over goes on, and what is cancelled leaves nothing', async () => {
  const first = open();
  hub.paceMs = 10;
  hub.paceBytes = 16_384;
  first.service.start((await first.service.look(cudaPartId)).offerId);
  while ((first.service.list()[0]?.received ?? 0) < 150_000) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await first.service.close();
  hub.paceMs = 0;
  const sent = hub.sentBytes;
  const second = open(first.folder);
  const [waiting] = second.service.list();
  expect(waiting?.state).toBe('paused');
  second.service.resume(waiting?.downloadId ?? '');
  await second.reaches('done');
  expectWhole(second.parts);
  expect(hub.sentBytes - sent).toBeLessThan(250_000);
  await second.service.close();

  const third = open();
  hub.paceMs = 10;
  third.service.start((await third.service.look(cudaPartId)).offerId);
  await third.reaches('fetching');
  await third.service.cancel(third.service.list()[0]?.downloadId ?? '');
  expect(readdirSync(third.parts)).toEqual([]);
  await third.service.close();
});

test('a package without the library, a disk without room for it, and a feed that is none are said', async () => {
  const lacking = open();
  hub.packages.set(packageFile, await pack({ 'LICENSE.txt': Buffer.from('MIT') }));
  lacking.service.start((await lacking.service.look(cudaPartId)).offerId);
  expect((await lacking.reaches('stopped')).reason).toContain('has no runtimes/linux-x64/native');
  await lacking.service.close();
  hub.packages.clear();
  const none = open();
  await expect(none.service.look(cudaPartId)).rejects.toMatchObject({ kind: 'not-found' });
  await none.service.close();
});

test('room for what is taken out of the package is looked for before it is written', async () => {
  const bytes = hub.packages.get(packageFile)?.length ?? 0;
  const { service, parts, reaches } = open(undefined, undefined, bytes + 1500);
  const stored = await pack({
    [`${native}/libonnxruntime_providers_cuda.so`]: Buffer.alloc(4_000_000),
    [`${native}/libonnxruntime_providers_shared.so`]: shared,
  });
  hub.packages.set(packageFile, stored);
  service.start((await service.look(cudaPartId)).offerId);
  expect((await reaches('stopped')).reason).toContain('Make room');
  expect(existsSync(place(parts, 'libonnxruntime_providers_cuda.so'))).toBe(false);
  await service.close();
});
