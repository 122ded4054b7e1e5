/** Names and shapes of an `AutoencoderKL`'s tensors. */
import type { Checkpoint } from '../../weights/index.ts';
import { renamed } from '../../weights/index.ts';
import type { ResnetWeights } from '../resnet.ts';
import { resnetWeights } from '../resnet.ts';
import type { BuildTarget } from '../target.ts';
import type { ConvWeights, GroupNormWeights, LinearWeights } from '../weight-names.ts';
import { convWeights, groupNormWeights, linearWeights } from '../weight-names.ts';
import { lastOf } from '../non-empty.ts';
import type { VaeConfig } from './config.ts';

/** Attention of one head over all positions. */
export interface VaeAttentionWeights {
  readonly norm: GroupNormWeights;
  readonly query: LinearWeights;
  readonly key: LinearWeights;
  readonly value: LinearWeights;
  readonly output: LinearWeights;
}

/** The middle of encoder and decoder. */
export interface VaeMidWeights {
  readonly before: ResnetWeights;
  readonly attention: VaeAttentionWeights | undefined;
  readonly after: ResnetWeights;
}

/** One level; the last one of each half has no resampling. */
export interface VaeBlockWeights {
  readonly resnets: readonly ResnetWeights[];
  readonly resample: ConvWeights | undefined;
}

/** Encoder or decoder, with the 1 x 1 convolution on the latents' side, if the model has one. */
export interface VaeHalfWeights {
  readonly convIn: ConvWeights;
  readonly blocks: readonly VaeBlockWeights[];
  readonly mid: VaeMidWeights;
  readonly normOut: GroupNormWeights;
  readonly convOut: ConvWeights;
  readonly quantConv: ConvWeights | undefined;
}

/** Declares the encoder's tensors by their names in the checkpoint. */
export function vaeEncoderWeights(config: VaeConfig, target: BuildTarget): VaeHalfWeights {
  const { channels, latentChannels, resnetCount } = config;
  const last = lastOf(channels);
  // Mean and logarithm of the variance.
  const moments = 2 * latentChannels;
  return {
    convIn: convWeights(target, 'encoder.conv_in', config.inChannels, channels[0], 3),
    blocks: channels.map((outputs, index) =>
      blockWeights(target, `encoder.down_blocks.${index}`, {
        inputs: channels[index - 1] ?? outputs,
        outputs,
        resnetCount,
        resample: index === channels.length - 1 ? undefined : 'downsamplers',
      }),
    ),
    mid: midWeights(config, target, 'encoder.mid_block', last),
    normOut: groupNormWeights(target, 'encoder.conv_norm_out', last),
    convOut: convWeights(target, 'encoder.conv_out', last, moments, 3),
    quantConv: config.hasQuantConv
      ? convWeights(target, 'quant_conv', moments, moments, 1)
      : undefined,
  };
}

/** Declares the decoder's tensors by their names in the checkpoint. */
export function vaeDecoderWeights(config: VaeConfig, target: BuildTarget): VaeHalfWeights {
  const { latentChannels, resnetCount } = config;
  const channels = config.channels.toReversed();
  const first = lastOf(config.channels);
  const [last] = config.channels;
  return {
    convIn: convWeights(target, 'decoder.conv_in', latentChannels, first, 3),
    blocks: channels.map((outputs, index) =>
      blockWeights(target, `decoder.up_blocks.${index}`, {
        inputs: channels[index - 1] ?? outputs,
        outputs,
        resnetCount: resnetCount + 1,
        resample: index === channels.length - 1 ? undefined : 'upsamplers',
      }),
    ),
    mid: midWeights(config, target, 'decoder.mid_block', first),
    normOut: groupNormWeights(target, 'decoder.conv_norm_out', last),
    convOut: convWeights(target, 'decoder.conv_out', last, config.outChannels, 3),
    quantConv: config.hasPostQuantConv
      ? convWeights(target, 'post_quant_conv', latentChannels, latentChannels, 1)
      : undefined,
  };
}

interface BlockSizes {
  readonly inputs: number;
  readonly outputs: number;
  readonly resnetCount: number;
  readonly resample: 'downsamplers' | 'upsamplers' | undefined;
}

function blockWeights(target: BuildTarget, name: string, sizes: BlockSizes): VaeBlockWeights {
  const { inputs, outputs, resnetCount, resample } = sizes;
  return {
    resnets: Array.from({ length: resnetCount }, (_, index) =>
      resnetWeights(target, `${name}.resnets.${index}`, index === 0 ? inputs : outputs, outputs),
    ),
    resample: resample && convWeights(target, `${name}.${resample}.0.conv`, outputs, outputs, 3),
  };
}

function midWeights(
  config: VaeConfig,
  target: BuildTarget,
  name: string,
  channels: number,
): VaeMidWeights {
  return {
    before: resnetWeights(target, `${name}.resnets.0`, channels, channels),
    attention: config.hasMidAttention
      ? attentionWeights(target, `${name}.attentions.0`, channels)
      : undefined,
    after: resnetWeights(target, `${name}.resnets.1`, channels, channels),
  };
}

function attentionWeights(
  target: BuildTarget,
  name: string,
  channels: number,
): VaeAttentionWeights {
  // Old checkpoints hold these matrices as 1 x 1 convolutions.
  const square = (part: string): LinearWeights =>
    linearWeights(target, `${name}.${part}`, channels, channels, { reshaped: true });
  return {
    norm: groupNormWeights(target, `${name}.group_norm`, channels),
    query: square('to_q'),
    key: square('to_k'),
    value: square('to_v'),
    output: square('to_out.0'),
  };
}

// What diffusers called an attention's parts before version 0.15, which many published autoencoders still carry.
const oldParts = [
  ['to_q', 'query'],
  ['to_k', 'key'],
  ['to_v', 'value'],
  ['to_out.0', 'proj_attn'],
] as const;

function renamePart(name: string, from: 0 | 1, to: 0 | 1): string {
  const part = oldParts.find((pair) => name.includes(`.attentions.0.${pair[from]}.`));
  return part ? name.replace(`.${part[from]}.`, `.${part[to]}.`) : name;
}

/** The checkpoint under the names used here. */
export function adaptVaeWeights(checkpoint: Checkpoint): Checkpoint {
  const isOld = ['encoder', 'decoder'].some(
    (half) => checkpoint.find(`${half}.mid_block.attentions.0.query.weight`) !== undefined,
  );
  if (!isOld) return checkpoint;
  return renamed(
    checkpoint,
    (name) => renamePart(name, 0, 1),
    (name) => renamePart(name, 1, 0),
  );
}
