/** BLIP-2's vision transformer as a graph. Source: transformers' `Blip2VisionModel`. */
import type { Dim } from '../../graph/dim.ts';
import { mulDims } from '../../graph/dim.ts';
import type { Graph } from '../../graph/graph.ts';
import { finishGraph } from '../../graph/graph.ts';
import {
  add,
  cast,
  concat,
  conv,
  expandTo,
  reshape,
  shapeOf,
  split,
  transpose,
} from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { constant, labelled } from '../../graph/value.ts';
import { attention, feedForward, floatInput, layerNorm, linear } from '../layers.ts';
import type { BuildTarget } from '../target.ts';
import type { VitConfig } from './config.ts';
import type { VitLayerWeights, VitWeights } from './weights.ts';
import { vitWeights } from './weights.ts';

/**
 * The whole network.
 *
 *   pixel_values [batch, 3, image, image] -> embeddings -> layers -> post layer norm
 *     -> last_hidden_state [batch, 1 + (image / patch)^2, hidden]
 *
 * Both are float32 whatever the target's precision is.
 */
export function buildVit(config: VitConfig, target: BuildTarget, batch: Dim = 'batch'): Graph {
  const weights = vitWeights(config, target);
  const pixels = floatInput(target, 'pixel_values', [batch, 3, config.imageSize, config.imageSize]);
  let hidden = labelled('embeddings', () => embedPatches(pixels.inner, weights, config));
  weights.layers.forEach((layer, index) => {
    hidden = labelled(`layer${index}`, () => encoderLayer(hidden, layer, config));
  });
  const normalised = layerNorm(hidden, weights.postNorm, config.layerNormEpsilon);
  return finishGraph('vit', [pixels.outer], { last_hidden_state: cast(normalised, 'float32') });
}

/**
 *   pixels -> Conv (stride = patch) -> Reshape, Transpose [batch, patches, hidden] --+
 *   class embedding [1, 1, hidden] -> Expand [batch, 1, hidden] ---------------------+-> Concat -> Add positions
 */
function embedPatches(pixels: Value, weights: VitWeights, config: VitConfig): Value {
  const { weight, bias } = weights.patchEmbedding;
  const patches = conv(pixels, weight, bias, { strides: config.patchSize });
  const [batch = 1, hidden = 1, rows = 1, columns = 1] = patches.shape;
  const tokens = transpose(reshape(patches, [batch, hidden, mulDims(rows, columns)]), [0, 2, 1]);
  const target = concat([shapeOf(pixels, 0, 1), constant([1, Number(hidden)], 'int64')], 0);
  const classToken = expandTo(weights.classEmbedding, target, [batch, 1, hidden]);
  return add(concat([classToken, tokens], 1), weights.positionEmbedding);
}

/**
 *   x -> norm -> qkv -> Split -> attention -> projection -> Add x = y -> norm -> fc1 -> gelu -> fc2 -> Add y
 */
function encoderLayer(x: Value, weights: VitLayerWeights, config: VitConfig): Value {
  const { hiddenSize, headCount, layerNormEpsilon, activation } = config;
  const normalised = layerNorm(x, weights.attentionNorm, layerNormEpsilon);
  const sizes = [hiddenSize, hiddenSize, hiddenSize] as const;
  const [query, key, value] = split(linear(normalised, weights.qkv), sizes, 2);
  const attended = linear(attention(query, key, value, headCount), weights.projection);
  const middle = add(attended, x);
  const forward = layerNorm(middle, weights.mlpNorm, layerNormEpsilon);
  return add(feedForward(forward, weights.mlpIn, weights.mlpOut, activation), middle);
}
