import { describe, expect, it } from 'vitest';
import { parseClipTextConfig } from '../../../src/worker/networks/clip-text/config.ts';
import { parseQformerConfig } from '../../../src/worker/networks/qformer/config.ts';
import { parseUnetConfig } from '../../../src/worker/networks/unet/config.ts';
import { parseVaeConfig } from '../../../src/worker/networks/vae/config.ts';
import { parseVitConfig, vitSequenceLength } from '../../../src/worker/networks/vit/config.ts';
import { isStudioError } from '../../../src/shared/errors.ts';
import type { ErrorKind } from '../../../src/shared/errors.ts';

/** Sizes as SDXL base publishes them, with fields that change nothing. */
const sdxlBase = {
  _class_name: 'UNet2DConditionModel',
  _diffusers_version: '0.19.0.dev0',
  act_fn: 'silu',
  addition_embed_type: 'text_time',
  addition_embed_type_num_heads: 64,
  addition_time_embed_dim: 256,
  attention_head_dim: [5, 10, 20],
  block_out_channels: [320, 640, 1280],
  class_embed_type: null,
  cross_attention_dim: 2048,
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
  layers_per_block: 2,
  mid_block_only_cross_attention: null,
  only_cross_attention: false,
  projection_class_embeddings_input_dim: 2816,
  sample_size: 128,
  transformer_layers_per_block: [1, 2, 10],
  up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
  upcast_attention: null,
  use_linear_projection: true,
};
const vae = {
  block_out_channels: [8, 16],
  down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
  up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
  norm_num_groups: 4,
};

function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('configurations of the image networks', () => {
  it('take the reference defaults', () => {
    const vit = parseVitConfig({});
    expect(vit).toMatchObject({ hiddenSize: 1408, layerCount: 39, headCount: 16, patchSize: 14 });
    expect(vitSequenceLength(vit)).toBe(257);
    expect(parseQformerConfig({ projection_size: 4096 })).toMatchObject({
      queryCount: 32,
      layerCount: 12,
      crossAttentionFrequency: 2,
    });
    expect(parseClipTextConfig({})).toMatchObject({ maxLength: 77, pooledAt: 49407 });
  });

  it('read the vision part of a whole BLIP-2', () => {
    const json = { model_type: 'blip-2', vision_config: { hidden_size: 48, image_size: [30, 30] } };
    expect(parseVitConfig(json)).toMatchObject({ hiddenSize: 48, imageSize: 30 });
  });

  it('read SDXL base', () => {
    const config = parseUnetConfig(sdxlBase);
    expect(config.levels.map((level) => level.downTransformerDepth)).toEqual([0, 2, 10]);
    expect(config.levels.map((level) => level.upTransformerDepth)).toEqual([0, 2, 10]);
    expect(config.levels.map((level) => level.resnetCount)).toEqual([2, 2, 2]);
    expect(config).toMatchObject({ midTransformerDepth: 10, timeEmbedSize: 1280 });
  });

  it('take one number for all levels', () => {
    const { levels } = parseUnetConfig({
      ...sdxlBase,
      attention_head_dim: 5,
      transformer_layers_per_block: 4,
    });
    expect(levels.map(({ headCount }) => headCount)).toEqual([5, 5, 5]);
  });

  const refused: readonly (readonly [string, () => unknown, ErrorKind, string, string])[] = [
    ['not an object', () => parseVitConfig('x', 'f'), 'model-invalid', 'f', '"x"'],
    ['a size of 0', () => parseVitConfig({ hidden_size: 0 }), 'model-invalid', 'hidden_size', '0'],
    [
      'half a layer',
      () => parseVitConfig({ num_hidden_layers: 1.5 }),
      'model-invalid',
      'num_hidden_layers',
      '1.5',
    ],
    [
      'heads that do not fit',
      () => parseVitConfig({ num_attention_heads: 15 }),
      'model-invalid',
      'num_attention_heads',
      '15',
    ],
    [
      'a picture that is not square',
      () => parseVitConfig({ image_size: [8, 9] }),
      'model-invalid',
      'image_size',
      '[8,9]',
    ],
    [
      'another network',
      () => parseVitConfig({ model_type: 'siglip' }),
      'unsupported',
      'model_type',
      '"siglip"',
    ],
    [
      'another activation',
      () => parseVitConfig({ hidden_act: 'relu' }),
      'unsupported',
      'hidden_act',
      '"relu"',
    ],
    [
      'a Q-Former with text',
      () => parseQformerConfig({ projection_size: 8, use_qformer_text_input: true }),
      'unsupported',
      'use_qformer_text_input',
      'true',
    ],
    ['no projection', () => parseQformerConfig({}), 'model-invalid', 'projection_size', 'nothing'],
    [
      'several ends of text',
      () => parseClipTextConfig({ eos_token_id: [1, 2] }),
      'model-invalid',
      'eos_token_id',
      '[1,2]',
    ],
    [
      'a class embedding',
      () => parseUnetConfig({ ...sdxlBase, class_embed_type: 'timestep' }),
      'unsupported',
      'class_embed_type',
      '"timestep"',
    ],
    [
      'a UNet without added conditions',
      () => parseUnetConfig({ ...sdxlBase, addition_embed_type: null }),
      'unsupported',
      'addition_embed_type',
      'null',
    ],
    [
      'another kind of block',
      () =>
        parseUnetConfig({
          ...sdxlBase,
          down_block_types: ['DownBlock2D', 'AttnDownBlock2D', 'DownBlock2D'],
        }),
      'unsupported',
      'down_block_types',
      '"AttnDownBlock2D"',
    ],
    [
      'too few blocks',
      () => parseUnetConfig({ ...sdxlBase, up_block_types: ['UpBlock2D'] }),
      'model-invalid',
      'up_block_types',
      '["UpBlock2D"]',
    ],
    [
      'too few head counts',
      () => parseUnetConfig({ ...sdxlBase, attention_head_dim: [5, 10] }),
      'model-invalid',
      'attention_head_dim',
      '[5,10]',
    ],
    [
      'a feature from the future',
      () => parseUnetConfig({ ...sdxlBase, swirl: 'left' }),
      'unsupported',
      'swirl',
      '"left"',
    ],
    [
      'groups that do not fit',
      () => parseUnetConfig({ ...sdxlBase, norm_num_groups: 33 }),
      'model-invalid',
      'norm_num_groups',
      '33',
    ],
    [
      'a shift of the latents',
      () => parseVaeConfig({ ...vae, shift_factor: 0.1 }),
      'unsupported',
      'shift_factor',
      '0.1',
    ],
    [
      'a scaling factor of 0',
      () => parseVaeConfig({ ...vae, scaling_factor: 0 }),
      'model-invalid',
      'scaling_factor',
      '0',
    ],
    [
      'a block with attention',
      () =>
        parseVaeConfig({ ...vae, up_block_types: ['UpDecoderBlock2D', 'AttnUpDecoderBlock2D'] }),
      'unsupported',
      'up_block_types',
      '"AttnUpDecoderBlock2D"',
    ],
  ];
  it.each(refused)('refuse %s, naming field and value', (_, action, kind, field, value) => {
    const error = thrown(action);
    expect(isStudioError(error, kind)).toBe(true);
    expect((error as Error).message).toContain(field);
    expect((error as Error).message).toContain(value);
  });

  it('pass over a feature of the future that is switched off', () => {
    expect(() => parseUnetConfig({ ...sdxlBase, swirl: null, twist: false })).not.toThrow();
  });
});
