/** Quantised Llama: exactly the network with the dequantised weights, and close to the original. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { serialise } from '../../../../src/worker/graph/index.ts';
import type { LlamaOptions } from '../../../../src/worker/networks/index.ts';
import {
  buildDecoder,
  buildScoring,
  cpuTarget,
  parseLlamaConfig,
} from '../../../../src/worker/networks/index.ts';
import { LanguageModel } from '../../../../src/worker/pipelines/language/language-model.ts';
import { Session, float32Tensor, hostOutput } from '../../../../src/worker/runtime/index.ts';
import type { TensorToWrite } from '../../../../src/worker/weights/index.ts';
import {
  dequantiseMatrix,
  openCheckpoint,
  quantiseMatrix,
  readFloats,
  writeSafetensors,
} from '../../../../src/worker/weights/index.ts';
import { quantiseModel } from '../../../../src/worker/conversion/quantise-model.ts';
import { noPython } from '../../../golden/run-python.ts';
import type { CaseName } from './support.ts';
import { pythonTimeoutMs, reference, relativeError } from './support.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

/** A plain checkpoint whose matrices went through `quantiseMatrix` and back. */
function writeDequantised(from: string, to: string, bits: 4 | 8): void {
  const checkpoint = openCheckpoint(from);
  const tensors: TensorToWrite[] = [...checkpoint.names()].map((name) => {
    const shape = checkpoint.find(name)?.shape ?? [];
    const floats = readFloats(checkpoint, name);
    const [n = 0, k = 0] = shape;
    const outer = /embed_tokens|lm_head/.test(name);
    const kept = shape.length === 1 || (outer && k % 32 !== 0);
    const values = kept
      ? floats
      : dequantiseMatrix(quantiseMatrix(floats, n, k, outer ? 8 : bits, 32));
    return { name, dtype: 'float32', shape, bytes: new Uint8Array(values.slice().buffer) };
  });
  writeSafetensors(join(to, 'model.safetensors'), tensors);
  writeFileSync(join(to, 'config.json'), readFileSync(join(from, 'config.json')));
}

/** When each file of weights was written. */
function timesIn(place: string): Map<string, number> {
  const names = readdirSync(place).filter((name) => name.endsWith('.safetensors'));
  return new Map(names.map((name) => [name, statSync(join(place, name)).mtimeMs]));
}

async function score(
  from: string,
  embeds: Float32Array,
  options: Partial<LlamaOptions>,
): Promise<Float32Array> {
  const config = parseLlamaConfig(JSON.parse(readFileSync(join(from, 'config.json'), 'utf8')));
  const form = { accuracyLevel: 1, positions: 128, ...options } as const;
  const checkpoint = openCheckpoint(from);
  const model = serialise(buildScoring(config, cpuTarget, form), checkpoint);
  const session = await Session.open(model, { provider: 'cpu', weightsFolder: checkpoint.folder });
  const dims = [1, embeds.length / config.hiddenSize, config.hiddenSize];
  const outputs = await session.run({ inputs_embeds: float32Tensor(embeds, dims) });
  await session.release();
  return hostOutput(outputs, 'logits', 'float32').data;
}

describe.skipIf(noPython)(`quantised llama${noPython ? `: ${noPython}` : ''}`, () => {
  beforeAll(() => void reference('grouped-tied'), pythonTimeoutMs);

  const cases: readonly (readonly [CaseName, 4 | 8])[] = [
    ['grouped-tied', 4],
    ['grouped-tied', 8],
    ['separate-untied', 4],
    ['three-groups-odd', 4],
    ['biases', 4],
    ['bfloat16', 8],
  ];

  it.each(cases)(
    '%s with %i bits equals the network with the dequantised weights',
    async (name, bits) => {
      const golden = reference(name);
      const quantised = temporaryFolder();
      const plain = temporaryFolder();
      await quantiseModel(golden.folder, quantised, { bits, maxShardBytes: 20_000 });
      writeDequantised(golden.folder, plain, bits);
      const embeds = golden.floats('embeds');
      const expected = await score(plain, embeds, {});
      expect(relativeError(await score(quantised, embeds, {}), expected)).toBeLessThan(1e-5);
      // Level 4 also rounds what is multiplied to 8 bits.
      expect(
        relativeError(await score(quantised, embeds, { accuracyLevel: 4 }), expected),
      ).toBeLessThan(0.05);
      const distance = relativeError(expected, golden.floats('embeds_logits'));
      expect(distance).toBeGreaterThan(0);
      // Random networks amplify errors; how good the codes are is judged in weights/quantise.test.ts.
      expect(distance).toBeLessThan(bits === 8 ? 0.05 : 0.6);

      const [model, same] = [
        await LanguageModel.open(quantised, { providers: ['cpu'] }),
        await LanguageModel.open(plain, { providers: ['cpu'] }),
      ];
      const ids = golden.ids('ids');
      expect(relativeError(await model.embed(ids), await same.embed(ids))).toBeLessThan(1e-6);
      const tokens = await model.decode(model.newCache(), { feed: ids, maxTokens: 6, stopIds: [] });
      expect(tokens).toHaveLength(6);
      await Promise.all([model.release(), same.release()]);
    },
  );

  it('keeps 4 bits in the layers below a bound, and is nearer than 4 bits everywhere', async () => {
    const golden = reference('grouped-tied');
    const embeds = golden.floats('embeds');
    const distance = async (options: { bits: 4 | 8; lowLayers?: number }): Promise<number> => {
      const to = temporaryFolder();
      await quantiseModel(golden.folder, to, options);
      const names = [...openCheckpoint(to).names()];
      const first = options.bits === 4 || (options.lowLayers ?? 0) > 0 ? 'q4' : 'q8';
      expect(names).toContain(`model.layers.0.mlp.down_proj.weight.${first}`);
      expect(names).toContain(`model.layers.1.mlp.down_proj.weight.q${options.bits}`);
      return relativeError(await score(to, embeds, {}), golden.floats('embeds_logits'));
    };
    const mixed = await distance({ bits: 8, lowLayers: 1 });
    expect(mixed).toBeGreaterThan(await distance({ bits: 8 }));
    expect(mixed).toBeLessThan(await distance({ bits: 4 }));
  });

  it('gives each layer its own bits', async () => {
    const golden = reference('grouped-tied');
    const to = temporaryFolder();
    await quantiseModel(golden.folder, to, { layerBits: [8, 4, 4] });
    const names = [...openCheckpoint(to).names()];
    expect(names).toContain('model.layers.0.mlp.down_proj.weight.q8');
    expect(names).toContain('model.layers.1.mlp.down_proj.weight.q4');
    const embeds = golden.floats('embeds');
    const far = async (place: string): Promise<number> =>
      relativeError(await score(place, embeds, {}), golden.floats('embeds_logits'));
    const few = temporaryFolder();
    await quantiseModel(golden.folder, few);
    expect(await far(to)).toBeLessThan(await far(few));
  });

  it('goes on where it was cut off, and writes the same files', async () => {
    const golden = reference('separate-untied');
    const options = { bits: 4, maxShardBytes: 20_000 } as const;
    const [whole, cut] = [temporaryFolder(), temporaryFolder()];
    await quantiseModel(golden.folder, whole, options);
    const files = readdirSync(whole);
    expect(files.filter((name) => name.endsWith('.safetensors')).length).toBeGreaterThan(4);
    let written = 0;
    for (let groups = 1; ; groups += 1) {
      const abort = new AbortController();
      let left = groups;
      const onBytes = (): void => void ((left -= 1) === 0 && abort.abort(new Error('cut off')));
      const before = timesIn(cut);
      // What a kill leaves of the file that was being written.
      writeFileSync(join(cut, 'model-00002.safetensors.xyz.part'), 'half');
      const run = quantiseModel(golden.folder, cut, {
        ...{ ...options, resume: true, signal: abort.signal, onBytes },
      });
      const ended = await run.then(
        () => true,
        (error: unknown) => !/cut off/.test(String(error)),
      );
      const after = timesIn(cut);
      for (const [name, time] of before) expect(after.get(name), name).toBe(time);
      written += after.size - before.size;
      if (ended) break;
    }
    expect(written).toBe(files.filter((name) => name.endsWith('.safetensors')).length);
    expect(readdirSync(cut)).toEqual(files);
    for (const name of files) {
      expect(readFileSync(join(cut, name)).equals(readFileSync(join(whole, name))), name).toBe(
        true,
      );
    }
  });

  it('names a tensor that is missing and one of the wrong shape', async () => {
    const golden = reference('grouped-tied');
    const quantised = temporaryFolder();
    await quantiseModel(golden.folder, quantised);
    const form = { accuracyLevel: 0, positions: 16, attention: 'grouped' } as const;
    const config = parseLlamaConfig(
      JSON.parse(readFileSync(join(quantised, 'config.json'), 'utf8')),
    );
    const weights = openCheckpoint(quantised);
    expect(() =>
      serialise(buildDecoder({ ...config, quantisation: undefined }, cpuTarget, form), weights),
    ).toThrow('the checkpoint lacks tensor');
    expect(() =>
      serialise(buildDecoder({ ...config, hiddenSize: 192 }, cpuTarget, form), weights),
    ).toThrow(
      /tensor "model\.[\w.]+" has shape \[.*96.*\] in the checkpoint, the network needs \[.*192.*\]|has shape/,
    );
  });
});
