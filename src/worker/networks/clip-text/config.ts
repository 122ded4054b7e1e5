/** Configuration of CLIP's text encoder, from a Hugging Face config.json. */
import {
  configReader,
  finiteNumber,
  harmlessTransformersFields,
  oneOf,
  positiveInteger,
  refuseUnknownFields,
  requireWholeHeads,
} from '../config-reader.ts';

/** Sizes of a `CLIPTextModel` or `CLIPTextModelWithProjection`. */
export interface ClipTextConfig {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layerCount: number;
  readonly headCount: number;
  /** The longest sequence of tokens. */
  readonly maxLength: number;
  readonly activation: 'gelu' | 'quick_gelu';
  readonly layerNormEpsilon: number;
  /** Width of the pooled output's projection; undefined for the model without one. */
  readonly projectionSize: number | undefined;
  /**
   * Where the pooled output is read. `highest`: at the highest token id (the rule of configurations that give
   * eos_token_id 2, which is not CLIP's end of text); a number: at the first token with that id.
   */
  readonly pooledAt: 'highest' | number;
}

const readFields = [
  ...['vocab_size', 'hidden_size', 'intermediate_size', 'num_hidden_layers', 'hidden_act'],
  ...['num_attention_heads', 'max_position_embeddings', 'layer_norm_eps', 'projection_dim'],
];

const projecting = 'CLIPTextModelWithProjection';

/**
 * Reads a `CLIPTextConfig`. Defaults are those of transformers' `CLIPTextConfig`.
 *
 * @param source what errors call the file.
 * @throws StudioError `model-invalid` or `unsupported`, naming field and value.
 */
export function parseClipTextConfig(
  json: unknown,
  source = 'text encoder config.json',
): ClipTextConfig {
  const reader = configReader(json, source);
  const { model_type: modelType, architectures } = reader.fields;
  if (modelType !== undefined) oneOf(reader, 'model_type', ['clip_text_model']);
  refuseUnknownFields(reader, [...readFields, ...harmlessTransformersFields]);
  const hasProjection = Array.isArray(architectures) && architectures.includes(projecting);
  const endOfText = positiveInteger(reader, 'eos_token_id', 49407);
  const config: ClipTextConfig = {
    vocabularySize: positiveInteger(reader, 'vocab_size', 49408),
    hiddenSize: positiveInteger(reader, 'hidden_size', 512),
    intermediateSize: positiveInteger(reader, 'intermediate_size', 2048),
    layerCount: positiveInteger(reader, 'num_hidden_layers', 12),
    headCount: positiveInteger(reader, 'num_attention_heads', 8),
    maxLength: positiveInteger(reader, 'max_position_embeddings', 77),
    activation: oneOf(reader, 'hidden_act', ['quick_gelu', 'gelu'], 'quick_gelu'),
    layerNormEpsilon: finiteNumber(reader, 'layer_norm_eps', 1e-5, 0),
    projectionSize: hasProjection ? positiveInteger(reader, 'projection_dim', 512) : undefined,
    pooledAt: endOfText === 2 ? 'highest' : endOfText,
  };
  requireWholeHeads(reader, config);
  return config;
}
