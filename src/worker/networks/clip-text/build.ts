/** CLIP's text encoder as a graph. Source: transformers' `CLIPTextModel` and `CLIPTextModelWithProjection`. */
import type { Dim } from '../../graph/dim.ts';
import type { Graph } from '../../graph/graph.ts';
import { finishGraph } from '../../graph/graph.ts';
import {
  add,
  argMax,
  cast,
  equal,
  gather,
  lessOrEqual,
  matMul,
  range,
  shapeOf,
  sliceBetween,
  squeeze,
  unsqueeze,
  where,
} from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { constant, input, int64s, labelled } from '../../graph/value.ts';
import { attention, feedForward, layerNorm, linear } from '../layers.ts';
import type { BuildTarget } from '../target.ts';
import type { ClipTextConfig } from './config.ts';
import type { ClipTextLayerWeights } from './weights.ts';
import { clipTextWeights } from './weights.ts';

/**
 * The whole network.
 *
 *   input_ids int64 [batch, length] -> embeddings -> all layers but the last -> hidden_states [batch, length, hidden]
 *     -> last layer -> final norm -> the end-of-text position -> projection, if any -> pooled [batch, size]
 *
 * `hidden_states` is what SDXL feeds its UNet: the penultimate layer's output, not normalised. Outputs are float32.
 */
export function buildClipText(
  config: ClipTextConfig,
  target: BuildTarget,
  dims: { readonly batch?: Dim; readonly length?: Dim } = {},
): Graph {
  const { batch = 'batch', length = 'length' } = dims;
  const weights = clipTextWeights(config, target);
  const ids = input('input_ids', 'int64', [batch, length]);
  const positions = positionIds(ids);
  const places = sliceBetween(weights.positionEmbedding, 0, int64s(0), shapeOf(ids, 1, 2), length);
  const mask = causalMask(positions, target);
  const embedded = add(gather(weights.tokenEmbedding, ids), places);
  // States after each layer, the embeddings first.
  const states = [embedded];
  weights.layers.forEach((layer, index) => {
    const last = states[index] ?? embedded;
    states.push(labelled(`layer${index}`, () => encoderLayer(last, mask, layer, config)));
  });
  const [penultimate = embedded, final = embedded] = states.slice(-2);
  const normalised = layerNorm(final, weights.finalNorm, config.layerNormEpsilon);
  const pooled = selectPosition(normalised, endPosition(ids, config), positions);
  const projected = weights.projection ? linear(pooled, weights.projection) : pooled;
  return finishGraph('clip-text', [ids], {
    hidden_states: cast(penultimate, 'float32'),
    pooled: cast(projected, 'float32'),
  });
}

/** 0, 1 ... length - 1, int64 [length]. */
function positionIds(ids: Value): Value {
  const length = squeeze(shapeOf(ids, 1, 2), 0);
  return range(constant(0, 'int64'), length, constant(1, 'int64'), ids.shape[1] ?? 1);
}

/** Added to the scores [1, 1, length, length]: 0 where a key is not after its query. */
function causalMask(positions: Value, target: BuildTarget): Value {
  const isVisible = lessOrEqual(unsqueeze(positions, 0), unsqueeze(positions, 1));
  const hidden = constant(target.precision === 'float16' ? -65504 : -3.4e38, target.precision);
  return unsqueeze(where(isVisible, constant(0, target.precision), hidden), 0, 1);
}

/**
 *   x -> norm -> q, k, v -> attention -> out -> Add x = y -> norm -> fc1 -> activation -> fc2 -> Add y
 */
function encoderLayer(
  x: Value,
  mask: Value,
  weights: ClipTextLayerWeights,
  config: ClipTextConfig,
): Value {
  const { headCount, layerNormEpsilon, activation } = config;
  const normalised = layerNorm(x, weights.attentionNorm, layerNormEpsilon);
  const query = linear(normalised, weights.query);
  const key = linear(normalised, weights.key);
  const value = linear(normalised, weights.value);
  const attended = attention(query, key, value, headCount, { bias: mask });
  const middle = add(x, linear(attended, weights.output));
  const forward = layerNorm(middle, weights.mlpNorm, layerNormEpsilon);
  return add(middle, feedForward(forward, weights.mlpIn, weights.mlpOut, activation));
}

/** Where the pooled output is read, int64 [batch]: the first of the largest ids, or the first end of text. */
function endPosition(ids: Value, config: ClipTextConfig): Value {
  if (config.pooledAt === 'highest') return argMax(cast(ids, 'int32'), 1);
  return argMax(cast(equal(ids, constant(config.pooledAt, 'int64')), 'int32'), 1);
}

/**
 * Rows of x [batch, length, hidden] at int64 [batch] -> [batch, hidden], as the product with a one-hot row: exact, and
 * it runs where a gather with a batch dimension does not.
 */
function selectPosition(x: Value, position: Value, positions: Value): Value {
  const isHere = equal(unsqueeze(position, 1), unsqueeze(positions, 0));
  return squeeze(matMul(unsqueeze(cast(isHere, x.dtype), 1), x), 1);
}
