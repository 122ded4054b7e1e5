/** Names and shapes of a `UNet2DConditionModel`'s tensors. */
import type { ResnetWeights, TimeOptions } from '../resnet.ts';
import { resnetWeights } from '../resnet.ts';
import type { BuildTarget } from '../target.ts';
import type { ConvWeights, GroupNormWeights, LinearWeights, NormWeights } from '../weight-names.ts';
import { convWeights, groupNormWeights, linearWeights, normWeights } from '../weight-names.ts';
import { lastOf } from '../non-empty.ts';
import type { UnetConfig, UnetLevel } from './config.ts';

/** Attention without biases but for its output's. */
export interface AttentionWeights {
  readonly query: LinearWeights;
  readonly key: LinearWeights;
  readonly value: LinearWeights;
  readonly output: LinearWeights;
}

/** A transformer block: self-attention, cross-attention to the text, feed-forward with a gate. */
export interface TransformerBlockWeights {
  readonly norm1: NormWeights;
  readonly selfAttention: AttentionWeights;
  readonly norm2: NormWeights;
  readonly crossAttention: AttentionWeights;
  readonly norm3: NormWeights;
  /** To twice the inner width: what is gated, then the gate. */
  readonly gatedIn: LinearWeights;
  readonly gatedOut: LinearWeights;
}

/** The transformer over a picture's positions. */
export interface SpatialTransformerWeights {
  readonly norm: GroupNormWeights;
  readonly projectionIn: LinearWeights;
  readonly blocks: readonly TransformerBlockWeights[];
  readonly projectionOut: LinearWeights;
  readonly headCount: number;
}

/** A residual block and, at levels with attention, the transformer behind it. */
export interface UnetLayerWeights {
  readonly resnet: ResnetWeights;
  readonly transformer: SpatialTransformerWeights | undefined;
}

/** One level on the way down or up; the last one has no resampling. */
export interface UnetBlockWeights {
  readonly layers: readonly UnetLayerWeights[];
  readonly resample: ConvWeights | undefined;
}

/** Two linear layers with silu between. */
export interface EmbeddingWeights {
  readonly linear1: LinearWeights;
  readonly linear2: LinearWeights;
}

/** The whole network. */
export interface UnetWeights {
  readonly convIn: ConvWeights;
  readonly timeEmbedding: EmbeddingWeights;
  readonly addEmbedding: EmbeddingWeights;
  readonly down: readonly UnetBlockWeights[];
  readonly mid: {
    readonly before: ResnetWeights;
    readonly transformer: SpatialTransformerWeights;
    readonly after: ResnetWeights;
  };
  readonly up: readonly UnetBlockWeights[];
  readonly normOut: GroupNormWeights;
  readonly convOut: ConvWeights;
}

/** Declares every tensor by its name in the checkpoint. */
export function unetWeights(config: UnetConfig, target: BuildTarget): UnetWeights {
  const { levels, timeEmbedSize } = config;
  const time = timeOptions(config);
  const [{ channels: first }] = levels;
  const coarsest = lastOf(levels);
  const last = coarsest.channels;
  return {
    convIn: convWeights(target, 'conv_in', config.inChannels, first, 3),
    timeEmbedding: embeddingWeights(target, 'time_embedding', first, timeEmbedSize),
    addEmbedding: embeddingWeights(
      target,
      'add_embedding',
      config.additionInputSize,
      timeEmbedSize,
    ),
    down: levels.map((level, index) =>
      downWeights(config, target, index, { level, finer: levels[index - 1] }),
    ),
    mid: {
      before: resnetWeights(target, 'mid_block.resnets.0', last, last, time),
      transformer: transformerWeights(config, target, 'mid_block.attentions.0', {
        channels: last,
        depth: config.midTransformerDepth,
        headCount: coarsest.headCount,
      }),
      after: resnetWeights(target, 'mid_block.resnets.1', last, last, time),
    },
    up: levels.toReversed().map((level, index, upwards) =>
      upWeights(config, target, index, {
        level,
        finer: upwards[index + 1],
        coarser: upwards[index - 1],
      }),
    ),
    normOut: groupNormWeights(target, 'conv_norm_out', first),
    convOut: convWeights(target, 'conv_out', first, config.outChannels, 3),
  };
}

function timeOptions({ timeEmbedSize, timeScales }: UnetConfig): TimeOptions {
  return { size: timeEmbedSize, scales: timeScales };
}

function embeddingWeights(
  target: BuildTarget,
  name: string,
  inputs: number,
  outputs: number,
): EmbeddingWeights {
  return {
    linear1: linearWeights(target, `${name}.linear_1`, inputs, outputs, { neverFolded: true }),
    linear2: linearWeights(target, `${name}.linear_2`, outputs, outputs, { neverFolded: true }),
  };
}

/** A level and its neighbours, where it has them. */
interface Place {
  readonly level: UnetLevel;
  readonly finer: UnetLevel | undefined;
  readonly coarser: UnetLevel | undefined;
}

function downWeights(
  config: UnetConfig,
  target: BuildTarget,
  index: number,
  { level, finer }: Omit<Place, 'coarser'>,
): UnetBlockWeights {
  const time = timeOptions(config);
  const { channels, resnetCount, downTransformerDepth: depth, headCount } = level;
  const before = finer?.channels ?? channels;
  const name = `down_blocks.${index}`;
  const layers = Array.from({ length: resnetCount }, (_, layer): UnetLayerWeights => {
    const inputs = layer === 0 ? before : channels;
    const attention = `${name}.attentions.${layer}`;
    return {
      resnet: resnetWeights(target, `${name}.resnets.${layer}`, inputs, channels, time),
      transformer: transformerOrNone(config, target, attention, { channels, depth, headCount }),
    };
  });
  const isLast = index === config.levels.length - 1;
  return {
    layers,
    resample: isLast
      ? undefined
      : convWeights(target, `${name}.downsamplers.0.conv`, channels, channels, 3),
  };
}

/** `index` counts from the coarsest level, as the checkpoint's names do. */
function upWeights(
  config: UnetConfig,
  target: BuildTarget,
  index: number,
  { level, finer, coarser }: Place,
): UnetBlockWeights {
  const time = timeOptions(config);
  const { channels, resnetCount, upTransformerDepth: depth, headCount } = level;
  const before = coarser?.channels ?? channels;
  const name = `up_blocks.${index}`;
  const layers = Array.from({ length: resnetCount + 1 }, (_, layer): UnetLayerWeights => {
    // Each block sees what comes from below beside what was kept on the way down; the last kept one is the finer
    // level's.
    const kept = layer === resnetCount ? (finer?.channels ?? channels) : channels;
    const inputs = (layer === 0 ? before : channels) + kept;
    const attention = `${name}.attentions.${layer}`;
    return {
      resnet: resnetWeights(target, `${name}.resnets.${layer}`, inputs, channels, time),
      transformer: transformerOrNone(config, target, attention, { channels, depth, headCount }),
    };
  });
  return {
    layers,
    resample: finer && convWeights(target, `${name}.upsamplers.0.conv`, channels, channels, 3),
  };
}

interface TransformerSizes {
  readonly channels: number;
  readonly depth: number;
  readonly headCount: number;
}

function transformerOrNone(
  config: UnetConfig,
  target: BuildTarget,
  name: string,
  sizes: TransformerSizes,
): SpatialTransformerWeights | undefined {
  return sizes.depth === 0 ? undefined : transformerWeights(config, target, name, sizes);
}

function transformerWeights(
  config: UnetConfig,
  target: BuildTarget,
  name: string,
  sizes: TransformerSizes,
): SpatialTransformerWeights {
  const { channels, depth, headCount } = sizes;
  const reshaped = { reshaped: true };
  return {
    norm: groupNormWeights(target, `${name}.norm`, channels),
    projectionIn: linearWeights(target, `${name}.proj_in`, channels, channels, reshaped),
    blocks: Array.from({ length: depth }, (_, index) =>
      blockWeights(config, target, `${name}.transformer_blocks.${index}`, channels),
    ),
    projectionOut: linearWeights(target, `${name}.proj_out`, channels, channels, reshaped),
    headCount,
  };
}

function blockWeights(
  config: UnetConfig,
  target: BuildTarget,
  name: string,
  channels: number,
): TransformerBlockWeights {
  return {
    norm1: normWeights(target, `${name}.norm1`, channels),
    selfAttention: attentionWeights(target, `${name}.attn1`, channels, channels),
    norm2: normWeights(target, `${name}.norm2`, channels),
    crossAttention: attentionWeights(target, `${name}.attn2`, channels, config.crossAttentionSize),
    norm3: normWeights(target, `${name}.norm3`, channels),
    gatedIn: linearWeights(target, `${name}.ff.net.0.proj`, channels, 8 * channels),
    gatedOut: linearWeights(target, `${name}.ff.net.2`, 4 * channels, channels),
  };
}

function attentionWeights(
  target: BuildTarget,
  name: string,
  channels: number,
  sourceSize: number,
): AttentionWeights {
  const noBias = { hasBias: false };
  return {
    query: linearWeights(target, `${name}.to_q`, channels, channels, noBias),
    key: linearWeights(target, `${name}.to_k`, sourceSize, channels, noBias),
    value: linearWeights(target, `${name}.to_v`, sourceSize, channels, noBias),
    output: linearWeights(target, `${name}.to_out.0`, channels, channels),
  };
}
