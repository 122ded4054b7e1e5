/** Vision encoder and UNet with matrices folded to 8 bits, on the embedded model's own weights: near what they were. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { storeFolded } from '../../../src/worker/conversion/fold-network.ts';
import {
  cpuTarget,
  parseUnetConfig,
  parseVitConfig,
  type BuildTarget,
} from '../../../src/worker/networks/index.ts';
import { unetModel, vitModel } from '../../../src/worker/networks/models.ts';
import { hasEightBitProducts } from '../../../src/worker/pipelines/language/eight-bit-products.ts';
import { openNetwork, runFloats, type FloatTensor } from '../../../src/worker/pipelines/network.ts';
import { float32Tensor, type HostTensor } from '../../../src/worker/runtime/index.ts';
import { normalNoise, RandomNumbers } from '../../../src/worker/sampling/random.ts';
import { foldFloats, openCheckpoint } from '../../../src/worker/weights/index.ts';
import { temporaryFolderForAll } from '../../support/temporary-folder.ts';

const model = join(import.meta.dirname, '..', '..', '..', 'models', 'textbind-mini');
const scratch = temporaryFolderForAll();
const isThere = existsSync(join(model, 'textbind.json'));
const hasProducts = await hasEightBitProducts();

const json = (folder: string): unknown =>
  JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));

function noise(...dims: number[]): HostTensor {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return float32Tensor(normalNoise(new RandomNumbers(5), count), dims);
}

/** Root mean square of what differs, over that of what is expected. */
function distance(found: FloatTensor, expected: FloatTensor): number {
  expect(found.dims).toEqual(expected.dims);
  let [differences, squares] = [0, 0];
  expected.data.forEach((value, at) => {
    differences += (found.data[at]! - value) ** 2;
    squares += value ** 2;
  });
  return Math.sqrt(differences / squares);
}

interface Case {
  readonly kind: 'vision' | 'unet';
  readonly folder: string;
  readonly run: (folder: string, target: BuildTarget) => Promise<FloatTensor>;
}

const cases: readonly Case[] = [
  {
    kind: 'vision',
    folder: join(model, 'vision'),
    async run(folder, target) {
      const config = parseVitConfig(json(folder));
      const network = vitModel(config, openCheckpoint(folder), target);
      const session = await openNetwork(network, { provider: 'cpu' });
      const feeds = { pixel_values: noise(1, 3, config.imageSize, config.imageSize) };
      const outputs = await runFloats(session, feeds, ['last_hidden_state']);
      await session.release();
      return outputs.last_hidden_state;
    },
  },
  {
    kind: 'unet',
    folder: join(model, 'image-decoder', 'unet'),
    async run(folder, target) {
      const config = parseUnetConfig(json(folder));
      const network = unetModel(config, openCheckpoint(folder), target);
      const session = await openNetwork(network, { provider: 'cpu' });
      const pooled = config.additionInputSize - 6 * config.additionTimeEmbedSize;
      const feeds = {
        sample: noise(2, config.inChannels, 16, 16),
        timestep: float32Tensor(Float32Array.of(500), [1]),
        encoder_hidden_states: noise(2, 77, config.crossAttentionSize),
        text_embeds: noise(2, pooled),
        time_ids: float32Tensor(new Float32Array(12).fill(64), [2, 6]),
      };
      const outputs = await runFloats(session, feeds, ['noise_pred']);
      await session.release();
      return outputs.noise_pred;
    },
  },
];

describe.skipIf(!isThere)('folded networks of models/textbind-mini', () => {
  it.each(cases)('$kind', async ({ kind, folder, run }) => {
    const to = join(scratch, kind);
    await storeFolded(kind, folder, to);
    const names = [...openCheckpoint(to).names()];
    expect(names.filter((name) => name.endsWith('.s8')).length).toBeGreaterThan(10);
    const exact = await run(folder, cpuTarget);
    const widened = distance(await run(to, cpuTarget), exact);
    expect(widened).toBeGreaterThan(0);
    expect(widened).toBeLessThan(0.02);
    if (!hasProducts) return;
    const rounded = distance(await run(to, { ...cpuTarget, folded: 'eightBits' }), exact);
    expect(rounded).toBeLessThan(0.04);
  });
});

describe('foldFloats', () => {
  it('is within half a step, keeps zero and takes a row of zeros', () => {
    const floats = normalNoise(new RandomNumbers(9), 70 * 53);
    floats.fill(0, 0, 53);
    floats[60] = 0;
    const { weights, scales } = foldFloats(floats, 70, 53);
    floats.forEach((value, at) => {
      const [row, column] = [Math.floor(at / 53), at % 53];
      const back = weights[column * 70 + row]! * scales[row]!;
      expect(Math.abs(back - value)).toBeLessThanOrEqual(scales[row]! * 0.5001);
    });
    expect(scales[0]).toBe(0);
    expect(weights[(60 - 53) * 70 + 1]).toBe(0);
  });
});
