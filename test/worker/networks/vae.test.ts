import { describe, expect, it } from 'vitest';
import { buildVaeDecoder, buildVaeEncoder } from '../../../src/worker/networks/vae/build.ts';
import { parseVaeConfig, vaeScale } from '../../../src/worker/networks/vae/config.ts';
import { adaptVaeWeights } from '../../../src/worker/networks/vae/weights.ts';
import { cpuTarget } from '../../../src/worker/networks/target.ts';
import { renamed } from '../../../src/worker/weights/index.ts';
import { noPython } from '../../golden/run-python.ts';
import { makeGoldens, worstError } from './golden-network.ts';

const small = {
  block_out_channels: [8, 16, 16],
  down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D'],
  up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D'],
  norm_num_groups: 4,
  layers_per_block: 2,
};
// The encoder's cases come first, then the decoder's.
const cases = [
  { batch: 2, image: [16, 24] },
  { batch: 1, image: [15, 22] },
  { batch: 1, latents: [4, 4] },
  { batch: 2, latents: [5, 3] },
  { batch: 1, latents: [1, 7] },
];
const specs = {
  small: { config: small, cases },
  'no quant convs, no attention': {
    config: {
      ...small,
      use_quant_conv: false,
      use_post_quant_conv: false,
      mid_block_add_attention: false,
      layers_per_block: 1,
    },
    cases,
  },
  'other channels': {
    config: {
      ...small,
      block_out_channels: [12, 20, 8],
      latent_channels: 6,
      in_channels: 1,
      out_channels: 2,
    },
    cases,
  },
  half: { config: small, dtype: 'float16', cases },
};

describe.skipIf(noPython)(`vae against diffusers ${noPython ?? ''}`, () => {
  const goldens = noPython ? undefined : makeGoldens('vae.py', specs);
  const names = Object.keys(specs) as (keyof typeof specs)[];
  const encoderCases = cases.filter((each) => each.image).length;

  it.each(names)('encoder: %s', async (name) => {
    const golden = goldens![name];
    const graph = buildVaeEncoder(parseVaeConfig(golden.config), cpuTarget);
    const weights = adaptVaeWeights(golden.weights);
    const own = golden.cases.slice(0, encoderCases);
    expect(await worstError(graph, weights, own, ['latents'])).toBeLessThan(1e-4);
  });

  it.each(names)('decoder: %s', async (name) => {
    const golden = goldens![name];
    const graph = buildVaeDecoder(parseVaeConfig(golden.config), cpuTarget);
    const weights = adaptVaeWeights(golden.weights);
    const own = golden.cases.slice(encoderCases);
    expect(await worstError(graph, weights, own, ['image'])).toBeLessThan(1e-4);
  });

  it('reads the names that old diffusers gave the attention', async () => {
    const golden = goldens!.small;
    const pairs = [
      ['to_q', 'query'],
      ['to_k', 'key'],
      ['to_v', 'value'],
      ['to_out.0', 'proj_attn'],
    ] as const;
    const swap = (name: string, from: 0 | 1, to: 0 | 1): string =>
      pairs.reduce(
        (text, pair) => text.replace(`attentions.0.${pair[from]}.`, `attentions.0.${pair[to]}.`),
        name,
      );
    const old = renamed(
      golden.weights,
      (name) => swap(name, 1, 0),
      (name) => swap(name, 0, 1),
    );
    // A renamed source would also answer the new names; a real old file does not.
    const strict = {
      ...old,
      find: (name: string) => (/\.to_(q|k|v|out)\b/.test(name) ? undefined : old.find(name)),
    };
    const graph = buildVaeDecoder(parseVaeConfig(golden.config), cpuTarget);
    const first = golden.cases.slice(encoderCases, encoderCases + 1);
    expect(await worstError(graph, adaptVaeWeights(strict), first, ['image'])).toBeLessThan(1e-4);
  });

  it('tells the pixels for a step of the latents', () => {
    expect(vaeScale(parseVaeConfig(goldens!.small.config))).toBe(4);
  });
});
