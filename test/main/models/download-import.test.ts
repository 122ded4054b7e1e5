// A download that ends in a model: fetched from a hub on loopback, put together by the worker's real program, with the
// language model as it came, or copied in 8 or 4 bits.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { readModelFolder } from '../../../src/library/model-folder.ts';
import { DownloadService } from '../../../src/main/downloads/download-service.ts';
import { usualLimits } from '../../../src/main/downloads/fetch-file.ts';
import { TokenKeeper } from '../../../src/main/downloads/token.ts';
import { ModelStore } from '../../../src/main/models/model-store.ts';
import { ConversionProcess } from '../../../src/main/processes/conversion-process.ts';
import { catalogueSchema } from '../../../src/shared/domain/catalogue.ts';
import type { DownloadStorage } from '../../../src/shared/domain/download.ts';
import { TextBindModel } from '../../../src/worker/pipelines/textbind-model.ts';
import { noPython, runPython } from '../../golden/run-python.ts';
import { Hub } from '../../support/hub.ts';
import { createWorkerSpawn } from '../support/node-spawn.ts';
import { temporaryFolder } from '../support/storage.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const hub = new Hub();
const licence = { name: 'MIT', address: null, says: null };
let sizes: unknown;

function contentOf(folder: string): Record<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => statSync(path.join(folder, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(path.join(folder, name))]));
}

const part = (id: string, role: string): object => ({
  ...{ id, role, name: id, about: 'For a test.', licence },
  ...{ repository: `tiny/${id}`, files: ['*'] },
});

/** Fetches the system and has it put together; the folder of the model. */
async function fetched(storage: DownloadStorage): Promise<string> {
  const folder = temporaryFolder();
  const conversion = new ConversionProcess({
    ...{ spawn: createWorkerSpawn(), clock: systemClock, log: silentLogger },
  });
  const parts = path.join(folder, 'parts');
  const store = new ModelStore({
    ...{ models: path.join(folder, 'models'), parts, conversion },
    onImporting: () => undefined,
    onMoved: async () => undefined,
    onChange: () => undefined,
  });
  const { systems, ...rest } = catalogueSchema.parse({
    version: 1,
    parts: [part('vision', 'vision'), part('language', 'language'), part('keys', 'checkpoint')],
    systems: [
      {
        ...{ id: 'tiny', name: 'Tiny', about: 'Random weights.' },
        parts: { vision: 'vision', language: 'language', checkpoint: 'keys' },
        manifest: { qformerConfig: sizes, maxPicturesPerReply: 1, maxSequenceLength: 256 },
      },
    ],
  });
  const service = new DownloadService({
    folders: { jobs: path.join(folder, 'downloads'), parts },
    catalogue: () => ({ parts: rest.parts, systems, faults: [] }),
    provider: async () => null,
    network: () => ({ hub: hub.address, proxy: null }),
    token: new TokenKeeper(path.join(folder, 'token'), () => {
      throw new Error('no keychain is asked for');
    }),
    build: (job, signal) => store.build(job, signal),
    ...{ onStatus: () => undefined, onDone: () => undefined, limits: usualLimits },
    ...{ silenceMs: 20_000, clock: systemClock, log: silentLogger, freeBytes: async () => 1e12 },
  });
  onTestFinished(async () => {
    await service.close();
    await conversion.close();
  });
  service.start((await service.look('tiny')).offerId, storage);
  for (;;) {
    const [status] = service.list();
    if (status?.state === 'stopped') throw new Error(status.reason ?? 'stopped');
    if (status?.state === 'done') return status.modelFolder ?? '';
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const configSchema = z.looseObject({
  quantization_config: z.looseObject({ bits: z.number() }).optional(),
});

describe.skipIf(noPython !== undefined)('a download that becomes a model', () => {
  beforeAll(async () => {
    const made = runPython('tiny_model.py', ['2']);
    await hub.start();
    hub.put('tiny/vision', contentOf(path.join(made, 'vision')));
    hub.put('tiny/language', contentOf(path.join(made, 'language')));
    const keys = readFileSync(path.join(made, 'qformer.safetensors'));
    hub.put('tiny/keys', { 'weights.safetensors': keys });
    sizes = JSON.parse(readFileSync(path.join(made, 'qformer-config.json'), 'utf8'));
  });
  afterAll(() => hub.stop());

  test.each([
    ['refer', undefined],
    ['int8', 8],
    ['int4', 4],
  ] as const)('ends as its person chose: %s', async (storage, bits) => {
    const folder = await fetched(storage);
    const { languageModel } = readModelFolder(folder);
    const isCopy = languageModel.startsWith(`${folder}${path.sep}`);
    expect(isCopy).toBe(bits !== undefined);
    const text = readFileSync(path.join(languageModel, 'config.json'), 'utf8');
    expect(configSchema.parse(JSON.parse(text)).quantization_config?.bits).toBe(bits);
    const model = await TextBindModel.open(folder, { provider: 'cpu' });
    onTestFinished(() => model.release());
    expect(model.report.canDraw).toBe(false);
  });
});
