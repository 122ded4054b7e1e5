/** Names and shapes of the tensors of a `CLIPTextModel`, with or without projection. */
import type { Value } from '../../graph/value.ts';
import { parameter } from '../../graph/value.ts';
import type { Checkpoint } from '../../weights/index.ts';
import { renamed } from '../../weights/index.ts';
import type { BuildTarget } from '../target.ts';
import type { LinearWeights, NormWeights } from '../weight-names.ts';
import { linearWeights, normWeights } from '../weight-names.ts';
import type { ClipTextConfig } from './config.ts';

/** One encoder layer. */
export interface ClipTextLayerWeights {
  readonly attentionNorm: NormWeights;
  readonly query: LinearWeights;
  readonly key: LinearWeights;
  readonly value: LinearWeights;
  readonly output: LinearWeights;
  readonly mlpNorm: NormWeights;
  readonly mlpIn: LinearWeights;
  readonly mlpOut: LinearWeights;
}

/** The whole network. */
export interface ClipTextWeights {
  /** [vocabulary, hidden] */
  readonly tokenEmbedding: Value;
  /** [positions, hidden] */
  readonly positionEmbedding: Value;
  readonly layers: readonly ClipTextLayerWeights[];
  readonly finalNorm: NormWeights;
  readonly projection: LinearWeights | undefined;
}

/** Declares every tensor by its name in the checkpoint of the model with projection. */
export function clipTextWeights(config: ClipTextConfig, target: BuildTarget): ClipTextWeights {
  const { hiddenSize: hidden, projectionSize } = config;
  const embeddings = 'text_model.embeddings';
  return {
    tokenEmbedding: parameter(
      `${embeddings}.token_embedding.weight`,
      [config.vocabularySize, hidden],
      target.precision,
    ),
    positionEmbedding: parameter(
      `${embeddings}.position_embedding.weight`,
      [config.maxLength, hidden],
      target.precision,
    ),
    layers: Array.from({ length: config.layerCount }, (_, index) =>
      layerWeights(config, target, `text_model.encoder.layers.${index}`),
    ),
    finalNorm: normWeights(target, 'text_model.final_layer_norm', hidden),
    projection:
      projectionSize === undefined
        ? undefined
        : linearWeights(target, 'text_projection', hidden, projectionSize, { hasBias: false }),
  };
}

function layerWeights(
  config: ClipTextConfig,
  target: BuildTarget,
  name: string,
): ClipTextLayerWeights {
  const { hiddenSize: hidden, intermediateSize } = config;
  return {
    attentionNorm: normWeights(target, `${name}.layer_norm1`, hidden),
    query: linearWeights(target, `${name}.self_attn.q_proj`, hidden, hidden),
    key: linearWeights(target, `${name}.self_attn.k_proj`, hidden, hidden),
    value: linearWeights(target, `${name}.self_attn.v_proj`, hidden, hidden),
    output: linearWeights(target, `${name}.self_attn.out_proj`, hidden, hidden),
    mlpNorm: normWeights(target, `${name}.layer_norm2`, hidden),
    mlpIn: linearWeights(target, `${name}.mlp.fc1`, hidden, intermediateSize),
    mlpOut: linearWeights(target, `${name}.mlp.fc2`, intermediateSize, hidden),
  };
}

const prefix = 'text_model.';

/**
 * The checkpoint under the names used here. transformers 4 wrote `text_model.` in front of every tensor of the plain
 * model too; transformers 5 does not.
 */
export function adaptClipTextWeights(checkpoint: Checkpoint): Checkpoint {
  if (checkpoint.find(`${prefix}final_layer_norm.weight`) !== undefined) return checkpoint;
  return renamed(
    checkpoint,
    (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name),
    (name) => (name.startsWith('text_projection.') ? name : prefix + name),
  );
}
