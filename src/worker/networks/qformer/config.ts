/** Configuration of BLIP-2's Q-Former with its query tokens and its projection. */
import {
  configReader,
  finiteNumber,
  harmlessTransformersFields,
  oneOf,
  positiveInteger,
  refuseOthers,
  requireWholeHeads,
} from '../config-reader.ts';

/** Sizes of the query tokens, a `Blip2QFormerModel` and the projection. */
export interface QformerConfig {
  readonly queryCount: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layerCount: number;
  readonly headCount: number;
  /** Width of the vision transformer's output. */
  readonly encoderHiddenSize: number;
  /** Width of the projection's output: the language model's hidden size. */
  readonly projectionSize: number;
  /** Layers 0, n, 2n ... attend to the picture. */
  readonly crossAttentionFrequency: number;
  readonly activation: 'gelu' | 'quick_gelu';
  readonly layerNormEpsilon: number;
}

/** `qformerConfig` of textbind.json. */
export interface QformerSizes {
  readonly numQueryTokens: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
}

/**
 * The configuration from textbind.json's sizes and the two networks on either side. What the sizes leave open is
 * BLIP-2's: cross-attention in every second layer, gelu, epsilon 1e-12.
 *
 * @throws StudioError `model-invalid`, naming field and value.
 */
export function qformerConfigFromSizes(
  sizes: QformerSizes,
  neighbours: { readonly encoderHiddenSize: number; readonly projectionSize: number },
): QformerConfig {
  return parseQformerConfig(
    {
      num_query_tokens: sizes.numQueryTokens,
      num_hidden_layers: sizes.numHiddenLayers,
      num_attention_heads: sizes.numAttentionHeads,
      hidden_size: sizes.hiddenSize,
      intermediate_size: sizes.intermediateSize,
      encoder_hidden_size: neighbours.encoderHiddenSize,
      projection_size: neighbours.projectionSize,
    },
    'qformerConfig',
  );
}

const readFields = [
  ...['num_query_tokens', 'hidden_size', 'intermediate_size', 'num_hidden_layers', 'hidden_act'],
  ...['num_attention_heads', 'encoder_hidden_size', 'projection_size', 'layer_norm_eps'],
  'cross_attention_frequency',
];

const fixedValues = { use_qformer_text_input: [false] };

/** Of the text that a Q-Former can read beside its queries, which TextBind's does not. */
const harmlessFields = [
  ...['vocab_size', 'max_position_embeddings', 'position_embedding_type', 'classifier_dropout'],
];

/**
 * Reads a `Blip2QFormerConfig` to which `num_query_tokens` and `projection_size` have been added. Defaults are those
 * of transformers' `Blip2QFormerConfig`.
 *
 * @param source what errors call the object.
 * @throws StudioError `model-invalid` or `unsupported`, naming field and value.
 */
export function parseQformerConfig(json: unknown, source = 'Q-Former config'): QformerConfig {
  const reader = configReader(json, source);
  refuseOthers(reader, fixedValues, [
    ...readFields,
    ...harmlessFields,
    ...harmlessTransformersFields,
  ]);
  const config: QformerConfig = {
    queryCount: positiveInteger(reader, 'num_query_tokens', 32),
    hiddenSize: positiveInteger(reader, 'hidden_size', 768),
    intermediateSize: positiveInteger(reader, 'intermediate_size', 3072),
    layerCount: positiveInteger(reader, 'num_hidden_layers', 12),
    headCount: positiveInteger(reader, 'num_attention_heads', 12),
    encoderHiddenSize: positiveInteger(reader, 'encoder_hidden_size', 1408),
    projectionSize: positiveInteger(reader, 'projection_size'),
    crossAttentionFrequency: positiveInteger(reader, 'cross_attention_frequency', 2),
    activation: oneOf(reader, 'hidden_act', ['gelu', 'quick_gelu'], 'gelu'),
    layerNormEpsilon: finiteNumber(reader, 'layer_norm_eps', 1e-12, 0),
  };
  requireWholeHeads(reader, config);
  return config;
}
