/** BLIP-2's Q-Former with query tokens and projection as a graph. Source: transformers' `Blip2QFormerModel`. */
import type { Dim } from '../../graph/dim.ts';
import type { Graph } from '../../graph/graph.ts';
import { finishGraph } from '../../graph/graph.ts';
import { add, cast, concat, expandTo, shapeOf } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { constant, labelled } from '../../graph/value.ts';
import { attention, feedForward, floatInput, layerNorm, linear } from '../layers.ts';
import type { BuildTarget } from '../target.ts';
import type { QformerConfig } from './config.ts';
import type { QformerAttentionWeights, QformerLayerWeights } from './weights.ts';
import { qformerWeights } from './weights.ts';

/**
 * The whole network.
 *
 *   query_tokens [1, queries, hidden] -> norm -> Expand over the batch -> layers ---> last_hidden_state
 *   encoder_hidden_states [batch, length, encoder] -------------------------^   +-> projection -> image_embeds
 *
 * Inputs and outputs are float32 whatever the target's precision is.
 */
export function buildQformer(
  config: QformerConfig,
  target: BuildTarget,
  dims: { readonly batch?: Dim; readonly length?: Dim } = {},
): Graph {
  const { batch = 'batch', length = 'length' } = dims;
  const weights = qformerWeights(config, target);
  const image = floatInput(target, 'encoder_hidden_states', [
    batch,
    length,
    config.encoderHiddenSize,
  ]);
  const queries = layerNorm(weights.queryTokens, weights.inputNorm, config.layerNormEpsilon);
  const { queryCount, hiddenSize } = config;
  const sizes = concat(
    [shapeOf(image.inner, 0, 1), constant([queryCount, hiddenSize], 'int64')],
    0,
  );
  let hidden = expandTo(queries, sizes, [batch, queryCount, hiddenSize]);
  weights.layers.forEach((layer, index) => {
    hidden = labelled(`layer${index}`, () => queryLayer(hidden, image.inner, layer, config));
  });
  return finishGraph('qformer', [image.outer], {
    last_hidden_state: cast(hidden, 'float32'),
    image_embeds: cast(linear(hidden, weights.projection), 'float32'),
  });
}

/**
 *   x -> self-attention -> cross-attention to the picture (every n-th layer) = y
 *   y -> dense -> gelu -> dense -> Add y -> norm
 */
function queryLayer(
  x: Value,
  image: Value,
  weights: QformerLayerWeights,
  config: QformerConfig,
): Value {
  const own = attend(x, x, weights.selfAttention, config);
  const seen = weights.crossAttention ? attend(own, image, weights.crossAttention, config) : own;
  const forward = feedForward(seen, weights.mlpIn, weights.mlpOut, config.activation);
  return layerNorm(add(forward, seen), weights.mlpNorm, config.layerNormEpsilon);
}

/** x [b, queries, hidden] looks at source [b, s, size]: attention -> dense -> Add x -> norm. */
function attend(
  x: Value,
  source: Value,
  weights: QformerAttentionWeights,
  config: QformerConfig,
): Value {
  const query = linear(x, weights.query);
  const key = linear(source, weights.key);
  const value = linear(source, weights.value);
  const attended = attention(query, key, value, config.headCount);
  return layerNorm(add(linear(attended, weights.output), x), weights.norm, config.layerNormEpsilon);
}
