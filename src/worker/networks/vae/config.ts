/** Configuration of the autoencoder, from a diffusers config.json. */
import {
  boolean,
  configReader,
  finiteNumber,
  invalidField,
  listOf,
  positiveInteger,
  positiveIntegers,
  refuseOthers,
} from '../config-reader.ts';
import type { NonEmpty } from '../non-empty.ts';

/** An `AutoencoderKL`. */
export interface VaeConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly latentChannels: number;
  /** Channels a level; the first is the finest. Each level but the last halves height and width. */
  readonly channels: NonEmpty<number>;
  readonly resnetCount: number;
  readonly normGroups: number;
  readonly hasMidAttention: boolean;
  readonly hasQuantConv: boolean;
  readonly hasPostQuantConv: boolean;
  /** Latents are multiplied by this for the UNet and divided by it before decoding; not part of the graphs. */
  readonly scalingFactor: number;
  /** Whether its activations leave fp16's range, as SDXL's published autoencoder's do. */
  readonly needsFloat32: boolean;
}

const fixedValues: Readonly<Record<string, readonly unknown[]>> = {
  act_fn: ['silu', 'swish'],
  shift_factor: [null],
  latents_mean: [null],
  latents_std: [null],
};

const otherFields = [
  'in_channels',
  'out_channels',
  'latent_channels',
  'down_block_types',
  'up_block_types',
  'block_out_channels',
  'layers_per_block',
  'norm_num_groups',
  'mid_block_add_attention',
  'use_quant_conv',
  'use_post_quant_conv',
  'scaling_factor',
  'sample_size',
  'force_upcast',
];

/**
 * Reads an `AutoencoderKL`'s configuration.
 *
 * @param source what errors call the file.
 * @throws StudioError `model-invalid` or `unsupported`, naming field and value.
 */
export function parseVaeConfig(json: unknown, source = 'vae config.json'): VaeConfig {
  const reader = configReader(json, source);
  refuseOthers(reader, fixedValues, otherFields);
  const channels = positiveIntegers(reader, 'block_out_channels');
  listOf(reader, 'down_block_types', ['DownEncoderBlock2D'], channels.length);
  listOf(reader, 'up_block_types', ['UpDecoderBlock2D'], channels.length);
  const normGroups = positiveInteger(reader, 'norm_num_groups', 32);
  const misfit = channels.find((count) => count % normGroups !== 0);
  if (misfit) throw invalidField(reader, 'norm_num_groups', `a divisor of ${misfit} channels`);
  return {
    inChannels: positiveInteger(reader, 'in_channels', 3),
    outChannels: positiveInteger(reader, 'out_channels', 3),
    latentChannels: positiveInteger(reader, 'latent_channels', 4),
    channels,
    resnetCount: positiveInteger(reader, 'layers_per_block', 1),
    normGroups,
    hasMidAttention: boolean(reader, 'mid_block_add_attention', true),
    hasQuantConv: boolean(reader, 'use_quant_conv', true),
    hasPostQuantConv: boolean(reader, 'use_post_quant_conv', true),
    scalingFactor: finiteNumber(reader, 'scaling_factor', 0.18215, Number.MIN_VALUE),
    needsFloat32: boolean(reader, 'force_upcast', true),
  };
}

/** Pixels along one side of a picture for one step along that side of its latents. */
export function vaeScale(config: VaeConfig): number {
  return 2 ** (config.channels.length - 1);
}
