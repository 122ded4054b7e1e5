// Downloads as a person has them: looked at, said yes to, paused, moved, closed over, gone on with, put together.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../../src/base/log.ts';
import { readCatalogue } from '../../../src/library/catalogue.ts';
import { readPart } from '../../../src/library/parts.ts';
import { DownloadService } from '../../../src/main/downloads/download-service.ts';
import { usualLimits } from '../../../src/main/downloads/fetch-file.ts';
import { TokenKeeper, type Keychain } from '../../../src/main/downloads/token.ts';
import type { DownloadStatus } from '../../../src/shared/domain/download.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { Hub } from '../../support/hub.ts';
import { sampleQformer as qformerConfig } from '../../support/samples.ts';
import { temporaryFolder } from '../support/storage.ts';

const hub = new Hub();
beforeAll(() => hub.start());
afterAll(() => hub.stop());
beforeEach(() => {
  hub.reset();
  hub.put('test/language', { 'config.json': '{}', 'model.safetensors': Buffer.alloc(300_000, 1) });
  hub.put('test/vision', { 'config.json': '{}', 'model.safetensors': Buffer.alloc(200_000, 2) });
  hub.put('test/textbind', { 'weights.pt': Buffer.alloc(100_000, 3) }, { gated: true });
});

const licence = { name: 'MIT', address: null, says: null };
const part = (id: string, role: string, more: object = {}): object => ({
  ...{ id, role, name: id, about: 'For a test.', repository: `test/${id}`, licence },
  ...{ files: ['*.json', '*.safetensors', '*.pt'], ...more },
});
const catalogue = {
  version: 1,
  parts: [
    part('language', 'language'),
    part('vision', 'vision'),
    part('textbind', 'checkpoint', { gated: true }),
  ],
  systems: [
    {
      ...{ id: 'whole', name: 'Whole', about: 'All of it.' },
      parts: { vision: 'vision', language: 'language', checkpoint: 'textbind' },
      manifest: { qformerConfig, maxPicturesPerReply: 4, maxSequenceLength: 128 },
    },
  ],
};

const keychain: Keychain = {
  isEncryptionAvailable: () => true,
  encryptString: (text) => Buffer.from([...Buffer.from(text)].map((byte) => byte ^ 0x5a)),
  decryptString: (bytes) => Buffer.from([...bytes].map((byte) => byte ^ 0x5a)).toString(),
};

interface Opened {
  readonly service: DownloadService;
  readonly token: TokenKeeper;
  readonly built: string[];
  readonly folder: string;
  reaches(state: DownloadStatus['state'], index?: number): Promise<DownloadStatus>;
}

function open(folder = temporaryFolder(), freeBytes = 1e12): Opened {
  const file = path.join(folder, 'catalogue.json');
  writeFileSync(file, JSON.stringify(catalogue));
  const token = new TokenKeeper(path.join(folder, 'token'), () => keychain);
  const built: string[] = [];
  const service = new DownloadService({
    folders: { jobs: path.join(folder, 'downloads'), parts: path.join(folder, 'parts') },
    catalogue: () => readCatalogue([file]),
    provider: async () => null,
    network: () => ({ hub: hub.address, proxy: null }),
    token,
    async build(job) {
      built.push(job.name);
      return path.join(folder, 'models', 'whole');
    },
    onStatus: () => undefined,
    onDone: () => undefined,
    limits: {
      ...usualLimits,
      partBytes: 32_768,
      firstWaitMs: 1,
      lastWaitMs: 5,
      tries: 2,
      saveMs: 5,
      reserveBytes: 1000,
    },
    silenceMs: 2000,
    clock: systemClock,
    log: silentLogger,
    freeBytes: async () => freeBytes,
  });
  service.restore();
  return {
    ...{ service, token, built, folder },
    async reaches(state, index = 0) {
      for (;;) {
        const found = service.list()[index];
        if (found?.state === state) return found;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  };
}

test('looking asks for sizes and licences, and fetches no file', async () => {
  const { service } = open();
  const offer = await service.look('whole');
  expect(offer).toMatchObject({
    name: 'Whole',
    host: new URL(hub.address).host,
    bytes: 600_004,
    needsToken: true,
  });
  expect(offer.parts.map(({ role, gated, bytes }) => [role, gated, bytes])).toEqual([
    ['vision', false, 200_002],
    ['language', false, 300_002],
    ['checkpoint', true, 100_000],
  ]);
  expect(hub.requests.every(({ path: asked }) => asked.startsWith('/api/'))).toBe(true);
  await service.close();
});

test('a system is fetched part by part, stops where a token is wanted, goes on with it, and is built', async () => {
  const { service, token, reaches, built, folder } = open();
  const { offerId } = await service.look('whole');
  service.start(offerId);
  const stopped = await reaches('stopped');
  expect(stopped.reason).toContain('token');
  expect(stopped.wants).toEqual({ kind: 'token', page: `${hub.address}/test/textbind` });
  expect(stopped.received).toBe(500_004);
  token.set(hub.token);
  service.resume(stopped.downloadId);
  const done = await reaches('done');
  expect(done).toMatchObject({
    received: 600_004,
    bytes: 600_004,
    modelFolder: path.join(folder, 'models', 'whole'),
  });
  expect(built).toEqual(['Whole']);
  const parts = path.join(folder, 'parts');
  const language = readdirSync(parts).find((name) => name.startsWith('language@')) ?? '';
  expect(readPart(path.join(parts, language))).toMatchObject({
    repository: 'test/language',
    role: 'language',
  });
  // The parts are there: it costs nothing to have them again.
  expect(await service.look('language')).toMatchObject({ bytes: 0, needsToken: false });
  expect(readFileSync(path.join(folder, 'token'), 'utf8')).not.toContain(hub.token);
  await service.close();
});

test('what the app was closed over waits to be pressed, asks nobody, and goes on', async () => {
  const first = open();
  hub.paceMs = 10;
  hub.paceBytes = 16_384;
  const { offerId } = await first.service.look('language');
  first.service.start(offerId);
  for (;;) {
    if ((first.service.list()[0]?.received ?? 0) > 150_000) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await first.service.close();
  hub.paceMs = 0;
  hub.requests.length = 0;
  const sent = hub.sentBytes;
  const second = open(first.folder);
  const [waiting] = second.service.list();
  expect(waiting).toMatchObject({
    state: 'paused',
    reason: expect.stringContaining('closed') as string,
  });
  expect(waiting?.received).toBeGreaterThan(100_000);
  expect(hub.requests).toEqual([]);
  second.service.resume(waiting?.downloadId ?? '');
  await second.reaches('done');
  expect(hub.sentBytes - sent).toBeLessThan(250_000);
  await second.service.close();
});

test('pause, order and cancel do what they say', async () => {
  const { service, reaches, folder } = open();
  hub.paceMs = 20;
  hub.paceBytes = 8192;
  service.start((await service.look('language')).offerId);
  service.start((await service.look('vision')).offerId);
  await reaches('fetching');
  const [language, vision] = service.list();
  expect(vision?.state).toBe('queued');
  await service.pause(language?.downloadId ?? '');
  expect(service.list()[0]).toMatchObject({ state: 'paused' });
  await reaches('fetching', 1);
  service.move(vision?.downloadId ?? '', -1);
  expect(service.list().map(({ name }) => name)).toEqual(['vision', 'language']);
  await service.cancel(vision?.downloadId ?? '');
  await service.cancel(language?.downloadId ?? '');
  expect(service.list()).toEqual([]);
  expect(readdirSync(path.join(folder, 'parts'))).toEqual([]);
  expect(readdirSync(path.join(folder, 'downloads'))).toEqual([]);
  await service.close();
});

test('a disk that is too small is told before anything is fetched', async () => {
  const { service, reaches } = open(temporaryFolder(), 200_000);
  service.start((await service.look('language')).offerId);
  const { reason, received } = await reaches('stopped');
  expect(reason).toContain('Make room');
  expect(received).toBe(0);
  await service.close();
});

test('a network that is away is waited for, with a countdown', async () => {
  const { service, reaches } = open();
  const { offerId } = await service.look('language');
  hub.fault = () => ({ kind: 'status', status: 503 });
  service.start(offerId);
  const waiting = await reaches('waiting');
  expect(waiting.reason).toContain('busy');
  expect(waiting.retryInMs).toBeGreaterThan(0);
  hub.fault = () => null;
  service.resume(waiting.downloadId);
  await reaches('done');
  await service.close();
});

test('a hub that asks to be left alone is left alone in plain sight, and asked at once when pressed', async () => {
  const { service, reaches } = open();
  const { offerId } = await service.look('language');
  hub.fault = () => ({ kind: 'status', status: 429, retryAfter: '40' });
  service.start(offerId);
  const waiting = await reaches('waiting');
  expect(waiting.reason).toContain('busy (429)');
  expect(waiting.retryInMs).toBeGreaterThan(30_000);
  hub.fault = () => null;
  const pressedAt = performance.now();
  service.resume(waiting.downloadId);
  expect(await reaches('done')).toMatchObject({ reason: null, retryInMs: null });
  expect(performance.now() - pressedAt).toBeLessThan(20_000);
  await service.close();
});

test('an account that has not accepted terms is led to their page, also after a restart', async () => {
  const { service, token, reaches, folder } = open();
  token.set('hf_without_terms');
  service.start((await service.look('textbind')).offerId);
  const { wants } = await reaches('stopped');
  expect(wants).toEqual({ kind: 'terms', page: `${hub.address}/test/textbind` });
  await service.close();
  const again = open(folder);
  expect(again.service.list()[0]?.wants).toEqual(wants);
  again.token.set(hub.token);
  again.service.resume(again.service.list()[0]?.downloadId ?? '');
  expect((await again.reaches('done')).wants).toBeNull();
  await again.service.close();
});

test('a catalogue of the person’s own that is broken costs its own entries only', () => {
  const folder = temporaryFolder();
  const own = path.join(folder, 'own.json');
  const file = path.join(folder, 'catalogue.json');
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, JSON.stringify(catalogue));
  writeFileSync(own, JSON.stringify({ version: 1, parts: [part('x', 'drawer')], systems: [] }));
  const read = readCatalogue([file, own, path.join(folder, 'none.json')]);
  expect(read.parts).toHaveLength(3);
  expect(read.faults).toHaveLength(1);
  expect(read.faults[0]).toContain(own);
});

test('the catalogue that ships can be read, and every system has its parts', () => {
  const { parts, systems, faults } = readCatalogue(['models/catalogue.json']);
  expect(faults).toEqual([]);
  expect(systems.map(({ id }) => id)).toEqual(['textbind', 'textbind-light', 'textbind-reads']);
  expect(parts.length).toBeGreaterThan(8);
});

test('without a keychain a token is kept until the app closes, and never written', () => {
  const file = path.join(temporaryFolder(), 'token');
  const none: Keychain = { ...keychain, getSelectedStorageBackend: () => 'basic_text' };
  const token = new TokenKeeper(file, () => none);
  token.set('hf_secret');
  expect(token.read()).toBe('hf_secret');
  expect(token.kept()).toBe('session');
  expect(existsSync(file)).toBe(false);
  expect(new TokenKeeper(file, () => none).has).toBe(false);
});
