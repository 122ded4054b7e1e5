/** What 4 bits cost in a layer: held against the whole network with that layer alone replaced, and what is chosen by it. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { chooseLayerBits } from '../../src/worker/conversion/layer-bits.ts';
import { compareLogits, layerCosts } from '../../src/worker/layer-costs.ts';
import { LanguageModel } from '../../src/worker/pipelines/language/language-model.ts';
import { readLanguageConfig } from '../../src/worker/pipelines/language/language-weights.ts';
import {
  dequantiseMatrix,
  findTensor,
  openCheckpoint,
  quantiseMatrix,
  readFloats,
  writeSafetensors,
  type TensorToWrite,
} from '../../src/worker/weights/index.ts';
import { noPython } from '../golden/run-python.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { pythonTimeoutMs, reference } from './networks/llama/support.ts';

/** A plain copy in which one layer's matrices went through 4 bits and back. */
function writeRounded(from: string, to: string, layer: number): void {
  const weights = openCheckpoint(from);
  const tensors = [...weights.names()].map((name): TensorToWrite => {
    const { shape } = findTensor(weights, name);
    const [n = 0, k = 0] = shape;
    const floats = readFloats(weights, name);
    const isRounded = name.startsWith(`model.layers.${layer}.`) && shape.length === 2;
    const values = isRounded ? dequantiseMatrix(quantiseMatrix(floats, n, k, 4, 32)) : floats;
    return { name, dtype: 'float32', shape, bytes: new Uint8Array(values.slice().buffer) };
  });
  writeSafetensors(join(to, 'model.safetensors'), tensors);
  copyFileSync(join(from, 'config.json'), join(to, 'config.json'));
}

describe.skipIf(noPython)(`costs of layers${noPython ? `: ${noPython}` : ''}`, () => {
  beforeAll(() => void reference('grouped-tied'), pythonTimeoutMs);

  it('is what the whole network says with that layer alone in 4 bits', async () => {
    const golden = reference('grouped-tied');
    const ids = Array.from({ length: 40 }, (_, at) => (7 * at + 3) % 60);
    const weights = openCheckpoint(golden.folder);
    const config = readLanguageConfig(golden.folder, weights);
    const costs = await layerCosts(config, weights, ids);
    expect(costs).toHaveLength(config.layerCount);
    const logitsOf = async (place: string): Promise<Float32Array> => {
      const model = await LanguageModel.open(place, { providers: ['cpu'] });
      const logits = await model.score(await model.embed(ids));
      await model.release();
      return logits;
    };
    const exact = await logitsOf(golden.folder);
    for (const [layer, cost] of costs.entries()) {
      expect(cost.divergence).toBeGreaterThan(0);
      const place = temporaryFolder();
      writeRounded(golden.folder, place, layer);
      const whole = compareLogits(exact, await logitsOf(place), ids.length);
      // What is multiplied is rounded to 8 bits as well where a layer is measured.
      expect(cost.divergence / whole.divergence).toBeGreaterThan(0.8);
      expect(cost.divergence / whole.divergence).toBeLessThan(1.25);
    }
  });
});

it('says nothing of what is the same, and how far apart what is not', () => {
  const rows = Float32Array.of(0, 1, 2, 3, 3, 2, 1, 0);
  expect(compareLogits(rows, rows, 2)).toEqual({ divergence: 0, agreement: 1 });
  const { divergence, agreement } = compareLogits(Float32Array.of(0, 0), Float32Array.of(0, 1), 1);
  // Half of log(1/2 / q) + half of log(1/2 / (1 - q)), for q = 1 / (1 + e).
  expect(divergence).toBeCloseTo(Math.log(1 + Math.E) - Math.log(2) - 0.5, 6);
  expect(agreement).toBe(0);
});

it('gives 8 bits to the dearest layers, as many as a seventh more of bytes pays for', () => {
  const costs = Array.from({ length: 30 }, (_, layer) => ({
    divergence: [3, 17, 29].includes(layer) ? 9 : layer / 100,
    agreement: 1,
  }));
  const bits = chooseLayerBits(costs);
  const high = bits.flatMap((each, layer) => (each === 8 ? [layer] : []));
  expect(high).toEqual([3, 17, 27, 28, 29]);
  expect(chooseLayerBits(costs.slice(0, 2))).toEqual([4, 4]);
});
