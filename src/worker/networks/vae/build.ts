/** The autoencoder's two halves as graphs. Source: diffusers' `AutoencoderKL`. */
import type { Dim } from '../../graph/dim.ts';
import type { Graph } from '../../graph/graph.ts';
import { finishGraph } from '../../graph/graph.ts';
import { add, cast, conv as convolution, slice } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { labelled } from '../../graph/value.ts';
import {
  activation,
  attention,
  conv,
  floatInput,
  groupNorm,
  linear,
  mapFromTokens,
  tokensFromMap,
  upsample,
} from '../layers.ts';
import { resnet } from '../resnet.ts';
import type { BuildTarget } from '../target.ts';
import type { ConvWeights } from '../weight-names.ts';
import type { VaeConfig } from './config.ts';
import type { VaeAttentionWeights, VaeHalfWeights, VaeMidWeights } from './weights.ts';
import { vaeDecoderWeights, vaeEncoderWeights } from './weights.ts';

// Fixed in the reference for every norm of the autoencoder.
const epsilon = 1e-6;

/** Sizes that may be fixed; each is a symbol otherwise. */
export interface VaeDims {
  readonly batch?: Dim;
  readonly height?: Dim;
  readonly width?: Dim;
}

/**
 * The encoder: the mean of the latents' distribution, not scaled by the scaling factor.
 *
 *   image [batch, 3, height, width] in -1 .. 1 -> conv -> (resnets, conv with stride 2) ... -> mid
 *     -> norm -> silu -> conv -> 1 x 1 conv, if any -> the first half of the channels
 *     -> latents [batch, latentChannels, height / scale, width / scale]
 *
 * Input and output are float32 whatever the target's precision is. Any size does; each level rounds down.
 */
export function buildVaeEncoder(config: VaeConfig, target: BuildTarget, dims: VaeDims = {}): Graph {
  const { batch = 'batch', height = 'height', width = 'width' } = dims;
  const weights = vaeEncoderWeights(config, target);
  const image = floatInput(target, 'image', [batch, config.inChannels, height, width]);
  let hidden = conv(image.inner, weights.convIn);
  weights.blocks.forEach((block, index) => {
    hidden = labelled(`down${index}`, () => {
      const last = resnets(hidden, block.resnets, config);
      return block.resample ? downsample(last, block.resample) : last;
    });
  });
  hidden = labelled('mid', () => midBlock(hidden, weights.mid, config));
  const out = finish(hidden, weights, config);
  const moments = weights.quantConv ? conv(out, weights.quantConv) : out;
  const mean = slice(moments, 1, 0, config.latentChannels);
  return finishGraph('vae-encoder', [image.outer], { latents: cast(mean, 'float32') });
}

/**
 * The decoder, for latents already divided by the scaling factor.
 *
 *   latents [batch, latentChannels, height, width] -> 1 x 1 conv, if any -> conv -> mid
 *     -> (resnets, doubling, conv) ... -> norm -> silu -> conv
 *     -> image [batch, 3, scale * height, scale * width], about -1 .. 1
 *
 * Input and output are float32 whatever the target's precision is. Any size does, so a tile is decoded like a whole.
 */
export function buildVaeDecoder(config: VaeConfig, target: BuildTarget, dims: VaeDims = {}): Graph {
  const { batch = 'batch', height = 'height', width = 'width' } = dims;
  const weights = vaeDecoderWeights(config, target);
  const latents = floatInput(target, 'latents', [batch, config.latentChannels, height, width]);
  const start = weights.quantConv ? conv(latents.inner, weights.quantConv) : latents.inner;
  const first = conv(start, weights.convIn);
  let hidden = labelled('mid', () => midBlock(first, weights.mid, config));
  weights.blocks.forEach((block, index) => {
    hidden = labelled(`up${index}`, () => {
      const last = resnets(hidden, block.resnets, config);
      return block.resample ? conv(upsample(last), block.resample) : last;
    });
  });
  return finishGraph('vae-decoder', [latents.outer], {
    image: cast(finish(hidden, weights, config), 'float32'),
  });
}

function normOptions(config: VaeConfig): { readonly groups: number; readonly epsilon: number } {
  return { groups: config.normGroups, epsilon };
}

function resnets(
  x: Value,
  weights: VaeHalfWeights['blocks'][number]['resnets'],
  config: VaeConfig,
): Value {
  return weights.reduce((hidden, each) => resnet(hidden, each, normOptions(config)), x);
}

/** Half of height and width. The encoder pads below and to the right only, unlike the UNet. */
function downsample(x: Value, { weight, bias }: ConvWeights): Value {
  return convolution(x, weight, bias, { strides: 2, pads: [0, 0, 1, 1] });
}

/** x -> resnet -> attention, if any -> resnet */
function midBlock(x: Value, weights: VaeMidWeights, config: VaeConfig): Value {
  const before = resnet(x, weights.before, normOptions(config));
  const seen = weights.attention ? attend(before, weights.attention, config) : before;
  return resnet(seen, weights.after, normOptions(config));
}

/** x [b, c, h, w] -> norm -> tokens [b, h * w, c] -> attention of one head -> [b, c, h, w] -> Add x */
function attend(x: Value, weights: VaeAttentionWeights, config: VaeConfig): Value {
  const tokens = tokensFromMap(groupNorm(x, weights.norm, config.normGroups, epsilon));
  const query = linear(tokens, weights.query);
  const key = linear(tokens, weights.key);
  const value = linear(tokens, weights.value);
  const attended = linear(attention(query, key, value, 1), weights.output);
  return add(mapFromTokens(attended, x), x);
}

/** x -> norm -> silu -> conv */
function finish(x: Value, weights: VaeHalfWeights, config: VaeConfig): Value {
  const normalised = groupNorm(x, weights.normOut, config.normGroups, epsilon);
  return conv(activation(normalised, 'silu'), weights.convOut);
}
