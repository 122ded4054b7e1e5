/** The UNet's transformer over a picture's positions. Source: diffusers' `Transformer2DModel`. */
import { add, mul, split } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { labelled } from '../../graph/value.ts';
import {
  activation,
  attention,
  groupNorm,
  layerNorm,
  linear,
  mapFromTokens,
  tokensFromMap,
} from '../layers.ts';
import type {
  AttentionWeights,
  SpatialTransformerWeights,
  TransformerBlockWeights,
} from './weights.ts';

// Fixed in the reference, whatever the configuration says of other norms.
const groupNormEpsilon = 1e-6;
const layerNormEpsilon = 1e-5;

/**
 *   x [b, c, h, w] -> norm -> tokens [b, h * w, c] -> projection -> blocks -> projection -> [b, c, h, w] -> Add x
 *
 * @param text [b, length, size]
 */
export function spatialTransformer(
  x: Value,
  text: Value,
  weights: SpatialTransformerWeights,
  groups: number,
): Value {
  const normalised = groupNorm(x, weights.norm, groups, groupNormEpsilon);
  let tokens = linear(tokensFromMap(normalised), weights.projectionIn);
  weights.blocks.forEach((block, index) => {
    tokens = labelled(`block${index}`, () =>
      transformerBlock(tokens, text, block, weights.headCount),
    );
  });
  return add(mapFromTokens(linear(tokens, weights.projectionOut), x), x);
}

/**
 *   x -> norm -> self-attention -> Add x = y -> norm -> cross-attention -> Add y = z -> norm -> gated -> Add z
 */
function transformerBlock(
  x: Value,
  text: Value,
  weights: TransformerBlockWeights,
  headCount: number,
): Value {
  const own = layerNorm(x, weights.norm1, layerNormEpsilon);
  const y = add(attend(own, own, weights.selfAttention, headCount), x);
  const asked = layerNorm(y, weights.norm2, layerNormEpsilon);
  const z = add(attend(asked, text, weights.crossAttention, headCount), y);
  return add(gatedFeedForward(layerNorm(z, weights.norm3, layerNormEpsilon), weights), z);
}

function attend(x: Value, source: Value, weights: AttentionWeights, headCount: number): Value {
  const query = linear(x, weights.query);
  const seen = labelled(source === x ? 'self' : 'text', () => ({
    key: linear(source, weights.key),
    value: linear(source, weights.value),
  }));
  return linear(attention(query, seen.key, seen.value, headCount), weights.output);
}

/** x -> linear -> Split -> value * gelu(gate) -> linear */
function gatedFeedForward(x: Value, weights: TransformerBlockWeights): Value {
  const wide = linear(x, weights.gatedIn);
  const half = Number(wide.shape[2]) / 2;
  const [value, gate] = split(wide, [half, half], 2);
  return linear(mul(value, activation(gate, 'gelu')), weights.gatedOut);
}
