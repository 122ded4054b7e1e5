import { describe, expect, it } from 'vitest';
import { buildUnet } from '../../../src/worker/networks/unet/build.ts';
import { parseUnetConfig } from '../../../src/worker/networks/unet/config.ts';
import { cpuTarget } from '../../../src/worker/networks/target.ts';
import { noPython } from '../../golden/run-python.ts';
import { makeGoldens, worstError } from './golden-network.ts';

// SDXL base in small: no attention at the finest level, deeper transformers below.
const base = {
  block_out_channels: [16, 32, 48],
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
  up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
  norm_num_groups: 8,
  attention_head_dim: [2, 4, 6],
  transformer_layers_per_block: [1, 2, 3],
  cross_attention_dim: 20,
  use_linear_projection: true,
  addition_embed_type: 'text_time',
  addition_time_embed_dim: 8,
  projection_class_embeddings_input_dim: 60,
};
// SDXL refiner in small: four levels, no attention at the coarsest but in the middle, five time ids.
const refiner = {
  ...base,
  block_out_channels: [16, 24, 32, 32],
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
  attention_head_dim: [2, 3, 4, 4],
  transformer_layers_per_block: 2,
};
const cases = [
  { batch: 1, height: 8, width: 8, length: 11, timestep: 981 },
  { batch: 2, height: 8, width: 12, length: 5, timestep: 431.5 },
  { batch: 2, height: 7, width: 13, length: 3, timestep: 1 },
];
const specs = {
  base: { config: base, cases },
  refiner: {
    config: refiner,
    cases: [
      ...cases.map((each) => ({ ...each, time_ids: 5 })),
      { ...cases[2], height: 16, width: 9, time_ids: 5 },
    ],
  },
  'other channels': {
    config: {
      ...base,
      in_channels: 9,
      out_channels: 5,
      layers_per_block: [1, 3, 2],
      flip_sin_to_cos: false,
      freq_shift: 1,
      norm_eps: 1e-3,
      use_linear_projection: false,
      time_embedding_dim: 28,
    },
    cases,
  },
  'one level': {
    config: {
      ...base,
      block_out_channels: [16],
      down_block_types: ['CrossAttnDownBlock2D'],
      up_block_types: ['CrossAttnUpBlock2D'],
      attention_head_dim: 4,
      transformer_layers_per_block: 1,
    },
    cases,
  },
  // The embedded model's: attention in the middle alone, time as scale and shift.
  'scale and shift': {
    config: {
      ...base,
      down_block_types: ['DownBlock2D', 'DownBlock2D', 'DownBlock2D'],
      up_block_types: ['UpBlock2D', 'UpBlock2D', 'UpBlock2D'],
      layers_per_block: 1,
      transformer_layers_per_block: 1,
      resnet_time_scale_shift: 'scale_shift',
    },
    cases,
  },
  half: { config: base, dtype: 'float16', cases },
};

describe.skipIf(noPython)(`unet against diffusers ${noPython ?? ''}`, () => {
  const goldens = noPython ? undefined : makeGoldens('unet.py', specs);
  it.each(Object.keys(specs) as (keyof typeof specs)[])('%s', async (name) => {
    const golden = goldens![name];
    const graph = buildUnet(parseUnetConfig(golden.config), cpuTarget);
    const outputs = ['noise_pred'];
    expect(await worstError(graph, golden.weights, golden.cases, outputs)).toBeLessThan(1e-4);
  });

  it('takes fixed sizes', async () => {
    const golden = goldens!.base;
    const dims = { batch: 2, height: 8, width: 12, length: 5 };
    const graph = buildUnet(parseUnetConfig(golden.config), cpuTarget, dims);
    const second = golden.cases.slice(1, 2);
    expect(await worstError(graph, golden.weights, second, ['noise_pred'])).toBeLessThan(1e-4);
  });
});
