/** Configuration of SDXL's UNet, from a diffusers config.json. */
import type { ConfigReader } from '../config-reader.ts';
import {
  boolean,
  configReader,
  finiteNumber,
  invalidField,
  listOf,
  oneOf,
  positiveInteger,
  positiveIntegers,
  refuseOthers,
} from '../config-reader.ts';
import { lastOf, type NonEmpty } from '../non-empty.ts';

/** One resolution of the UNet; the first is the finest. */
export interface UnetLevel {
  readonly channels: number;
  readonly resnetCount: number;
  /** Transformer blocks after each resnet on the way down and on the way up; 0 where there is no attention. */
  readonly downTransformerDepth: number;
  readonly upTransformerDepth: number;
  readonly headCount: number;
}

/** A `UNet2DConditionModel` of SDXL's family. */
export interface UnetConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly levels: NonEmpty<UnetLevel>;
  /** Transformer blocks in the middle. */
  readonly midTransformerDepth: number;
  readonly crossAttentionSize: number;
  /** Whether a transformer's projections are matrices (SDXL) or 1 x 1 convolutions. */
  readonly usesLinearProjection: boolean;
  readonly normGroups: number;
  readonly normEpsilon: number;
  readonly timeEmbedSize: number;
  /** Whether the time scales and shifts a residual block's features; it is added to them otherwise. */
  readonly timeScales: boolean;
  readonly flipSinToCos: boolean;
  readonly frequencyShift: number;
  /** Width of one time id's sinusoids. */
  readonly additionTimeEmbedSize: number;
  /** Width of the added condition: text_embeds and all time ids' sinusoids. */
  readonly additionInputSize: number;
}

const downBlocks = ['DownBlock2D', 'CrossAttnDownBlock2D'] as const;
const upBlocks = ['UpBlock2D', 'CrossAttnUpBlock2D'] as const;

/** Features of `UNet2DConditionModel` that SDXL's family has switched off; the first value is the default. */
const fixedValues: Readonly<Record<string, readonly unknown[]>> = {
  act_fn: ['silu', 'swish'],
  attention_type: ['default'],
  center_input_sample: [false],
  class_embed_type: [null],
  class_embeddings_concat: [false],
  conv_in_kernel: [3],
  conv_out_kernel: [3],
  cross_attention_norm: [null],
  downsample_padding: [1],
  dual_cross_attention: [false],
  encoder_hid_dim: [null],
  encoder_hid_dim_type: [null],
  mid_block_only_cross_attention: [null, false],
  mid_block_scale_factor: [1],
  mid_block_type: ['UNetMidBlock2DCrossAttn'],
  num_attention_heads: [null],
  num_class_embeds: [null],
  only_cross_attention: [false],
  resnet_out_scale_factor: [1],
  resnet_skip_time_act: [false],
  reverse_transformer_layers_per_block: [null],
  time_cond_proj_dim: [null],
  time_embedding_act_fn: [null],
  time_embedding_type: ['positional'],
  timestep_post_act: [null],
};

const otherFields = [
  'addition_embed_type',
  'sample_size',
  'in_channels',
  'out_channels',
  'flip_sin_to_cos',
  'freq_shift',
  'down_block_types',
  'up_block_types',
  'block_out_channels',
  'layers_per_block',
  'dropout',
  'norm_num_groups',
  'norm_eps',
  'cross_attention_dim',
  'transformer_layers_per_block',
  'attention_head_dim',
  'use_linear_projection',
  'addition_time_embed_dim',
  'projection_class_embeddings_input_dim',
  'time_embedding_dim',
  'resnet_time_scale_shift',
  // Read only by an embedding type that is refused.
  'addition_embed_type_num_heads',
  // Attention in fp32 changes rounding, not the network.
  'upcast_attention',
  // Left behind by the exponential moving average that trained the weights.
  'decay',
  'inv_gamma',
  'min_decay',
  'optimization_step',
  'power',
  'update_after_step',
  'use_ema_warmup',
];

/**
 * Reads a `UNet2DConditionModel`'s configuration (SDXL base, SDXL refiner, or any sizes of that family).
 * `attention_head_dim` is the number of heads: diffusers keeps that misnomer for old files.
 *
 * @param source what errors call the file.
 * @throws StudioError `model-invalid` or `unsupported`, naming field and value.
 */
export function parseUnetConfig(json: unknown, source = 'unet config.json'): UnetConfig {
  const reader = configReader(json, source);
  refuseOthers(reader, fixedValues, otherFields);
  // Absent, this field switches the added conditions off.
  oneOf(reader, 'addition_embed_type', ['text_time']);
  const depths = transformerDepths(reader);
  const levels = readLevels(reader, depths);
  const { channels } = levels[0];
  if (channels % 2 !== 0) throw invalidField(reader, 'block_out_channels', 'even first channels');
  const additionTimeEmbedSize = positiveInteger(reader, 'addition_time_embed_dim');
  if (additionTimeEmbedSize % 2 !== 0)
    throw invalidField(reader, 'addition_time_embed_dim', 'even');
  return {
    inChannels: positiveInteger(reader, 'in_channels', 4),
    outChannels: positiveInteger(reader, 'out_channels', 4),
    levels,
    midTransformerDepth: lastOf(depths),
    crossAttentionSize: positiveInteger(reader, 'cross_attention_dim', 1280),
    usesLinearProjection: boolean(reader, 'use_linear_projection', false),
    normGroups: readNormGroups(reader, levels),
    normEpsilon: finiteNumber(reader, 'norm_eps', 1e-5, 0),
    timeEmbedSize: positiveInteger(reader, 'time_embedding_dim', 4 * channels),
    timeScales:
      oneOf(reader, 'resnet_time_scale_shift', ['default', 'scale_shift'], 'default') ===
      'scale_shift',
    flipSinToCos: boolean(reader, 'flip_sin_to_cos', true),
    frequencyShift: finiteNumber(reader, 'freq_shift', 0),
    additionTimeEmbedSize,
    additionInputSize: positiveInteger(reader, 'projection_class_embeddings_input_dim'),
  };
}

function levelCount(reader: ConfigReader): number {
  return positiveIntegers(reader, 'block_out_channels').length;
}

function transformerDepths(reader: ConfigReader): NonEmpty<number> {
  return positiveIntegers(reader, 'transformer_layers_per_block', {
    length: levelCount(reader),
    fallback: 1,
  });
}

function readLevels(reader: ConfigReader, depths: readonly number[]): NonEmpty<UnetLevel> {
  const channels = positiveIntegers(reader, 'block_out_channels');
  const length = channels.length;
  const down = listOf(reader, 'down_block_types', downBlocks, length);
  const up = listOf(reader, 'up_block_types', upBlocks, length);
  const resnets = positiveIntegers(reader, 'layers_per_block', { length, fallback: 2 });
  const heads = positiveIntegers(reader, 'attention_head_dim', { length, fallback: 8 });
  const level = (count: number, index: number): UnetLevel => {
    const [headCount, resnetCount, depth] = [heads[index], resnets[index], depths[index]];
    if (headCount === undefined || resnetCount === undefined || depth === undefined) {
      throw invalidField(reader, 'block_out_channels', 'as long as the lists beside it');
    }
    if (count % headCount !== 0) {
      throw invalidField(
        reader,
        'attention_head_dim',
        `a divisor of ${count} channels at ${index}`,
      );
    }
    return {
      channels: count,
      resnetCount,
      downTransformerDepth: down[index] === 'CrossAttnDownBlock2D' ? depth : 0,
      upTransformerDepth: up[length - 1 - index] === 'CrossAttnUpBlock2D' ? depth : 0,
      headCount,
    };
  };
  const [finest, ...coarser] = channels;
  return [level(finest, 0), ...coarser.map((count, index) => level(count, index + 1))];
}

function readNormGroups(reader: ConfigReader, levels: readonly UnetLevel[]): number {
  const groups = positiveInteger(reader, 'norm_num_groups', 32);
  const misfit = levels.find((level) => level.channels % groups !== 0);
  if (misfit)
    throw invalidField(reader, 'norm_num_groups', `a divisor of ${misfit.channels} channels`);
  return groups;
}
