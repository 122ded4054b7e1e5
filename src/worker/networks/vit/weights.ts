/** Names and shapes of a `Blip2VisionModel`'s tensors. */
import type { Value } from '../../graph/value.ts';
import { parameter } from '../../graph/value.ts';
import type { Checkpoint } from '../../weights/index.ts';
import type { BuildTarget } from '../target.ts';
import type { ConvWeights, LinearWeights, NormWeights } from '../weight-names.ts';
import { convWeights, linearWeights, normWeights, withOptionalPrefix } from '../weight-names.ts';
import type { VitConfig } from './config.ts';
import { vitSequenceLength } from './config.ts';

/** One encoder layer. */
export interface VitLayerWeights {
  readonly attentionNorm: NormWeights;
  /** Queries, keys and values in one matrix, in this order. */
  readonly qkv: LinearWeights;
  readonly projection: LinearWeights;
  readonly mlpNorm: NormWeights;
  readonly mlpIn: LinearWeights;
  readonly mlpOut: LinearWeights;
}

/** The whole network. */
export interface VitWeights {
  /** [1, 1, hidden] */
  readonly classEmbedding: Value;
  readonly patchEmbedding: ConvWeights;
  /** [1, positions, hidden] */
  readonly positionEmbedding: Value;
  readonly layers: readonly VitLayerWeights[];
  readonly postNorm: NormWeights;
}

/** Declares every tensor by its name in the checkpoint. */
export function vitWeights(config: VitConfig, target: BuildTarget): VitWeights {
  const { hiddenSize: hidden, patchSize } = config;
  return {
    classEmbedding: parameter('embeddings.class_embedding', [1, 1, hidden], target.precision),
    patchEmbedding: convWeights(target, 'embeddings.patch_embedding', 3, hidden, patchSize),
    positionEmbedding: parameter(
      'embeddings.position_embedding',
      [1, vitSequenceLength(config), hidden],
      target.precision,
    ),
    layers: Array.from({ length: config.layerCount }, (_, index) =>
      layerWeights(config, target, `encoder.layers.${index}`),
    ),
    postNorm: normWeights(target, 'post_layernorm', hidden),
  };
}

function layerWeights(config: VitConfig, target: BuildTarget, name: string): VitLayerWeights {
  const { hiddenSize: hidden, intermediateSize, hasQkvBias } = config;
  return {
    attentionNorm: normWeights(target, `${name}.layer_norm1`, hidden),
    qkv: linearWeights(target, `${name}.self_attn.qkv`, hidden, 3 * hidden, {
      hasBias: hasQkvBias,
    }),
    projection: linearWeights(target, `${name}.self_attn.projection`, hidden, hidden),
    mlpNorm: normWeights(target, `${name}.layer_norm2`, hidden),
    mlpIn: linearWeights(target, `${name}.mlp.fc1`, hidden, intermediateSize),
    mlpOut: linearWeights(target, `${name}.mlp.fc2`, intermediateSize, hidden),
  };
}

/** A checkpoint of the vision model alone, or of a whole BLIP-2, under the names used here. */
export function adaptVitWeights(checkpoint: Checkpoint): Checkpoint {
  return withOptionalPrefix(checkpoint, 'vision_model.', 'embeddings.class_embedding');
}
