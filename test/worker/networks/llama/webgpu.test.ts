/**
 * Llama on WebGPU. On a machine without a GPU the software driver that Electron carries does
 * (`VK_ICD_FILENAMES`, set by `npm test`).
 */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { LanguageModel } from '../../../../src/worker/pipelines/language/language-model.ts';
import { probeProvider } from '../../../../src/worker/runtime/index.ts';
import { quantiseModel } from '../../../../src/worker/conversion/quantise-model.ts';
import { noPython } from '../../../golden/run-python.ts';
import type { CaseName } from './support.ts';
import { pythonTimeoutMs, reference, relativeError } from './support.ts';
import { temporaryFolderForAll } from '../../../support/temporary-folder.ts';

const report = await probeProvider('webgpu');
const reason =
  noPython ?? (report.usable ? undefined : `WebGPU does not work here: ${report.reason}`);
/** The software driver takes 10 to 20 seconds to compile a matrix product's shader where the machine is busy. */
const driverTimeoutMs = 600_000;
const folder = temporaryFolderForAll();

describe.skipIf(reason)(`llama on WebGPU${reason ? `: ${reason}` : ''}`, () => {
  beforeAll(() => void reference('grouped-tied'), pythonTimeoutMs);

  const cases: readonly CaseName[] = ['one-layer', 'one-group-head-10'];

  it.each(cases)(
    '%s: logits, and greedy tokens of one run',
    async (name) => {
      const golden = reference(name);
      const model = await LanguageModel.open(golden.folder, { providers: ['webgpu'] });
      expect(model.provider.provider).toBe('webgpu');
      const logits = await model.score(golden.floats('token_embeds'));
      expect(relativeError(logits, golden.floats('logits'))).toBeLessThan(1e-4);
      const cache = model.newCache();
      const ids = golden.ids('ids');
      const tokens = golden.ids('tokens');
      const first = await model.decode(cache, { feed: ids, maxTokens: 5, stopIds: [] });
      const then = await model.decode(cache, {
        feed: [...first.slice(-1)],
        maxTokens: 5,
        stopIds: [],
      });
      expect([...first, ...then]).toEqual(tokens.slice(0, 10));
      await model.release();
    },
    driverTimeoutMs,
  );

  it(
    'quantised: the same logits as on the CPU',
    async () => {
      const golden = reference('one-layer');
      const quantised = join(folder, 'q4');
      await quantiseModel(golden.folder, quantised);
      const gpu = await LanguageModel.open(quantised, { providers: ['webgpu'] });
      const cpu = await LanguageModel.open(quantised, { providers: ['cpu'] });
      const ids = golden.ids('ids');
      const logits = await gpu.read(gpu.newCache(), ids);
      // The CPU's int4 kernel also rounds what is multiplied to 8 bits.
      expect(relativeError(logits, await cpu.read(cpu.newCache(), ids))).toBeLessThan(0.05);
      await Promise.all([gpu.release(), cpu.release()]);
    },
    driverTimeoutMs,
  );
});
