/** Names and shapes of the tensors that a TextBind checkpoint holds for the Q-Former. */
import type { Value } from '../../graph/value.ts';
import { parameter } from '../../graph/value.ts';
import type { BuildTarget } from '../target.ts';
import type { LinearWeights, NormWeights } from '../weight-names.ts';
import { linearWeights, normWeights } from '../weight-names.ts';
import type { QformerConfig } from './config.ts';

/** Attention with its output's projection and the norm behind the residual. */
export interface QformerAttentionWeights {
  readonly query: LinearWeights;
  readonly key: LinearWeights;
  readonly value: LinearWeights;
  readonly output: LinearWeights;
  readonly norm: NormWeights;
}

/** One layer; every n-th one attends to the picture too. */
export interface QformerLayerWeights {
  readonly selfAttention: QformerAttentionWeights;
  readonly crossAttention: QformerAttentionWeights | undefined;
  readonly mlpIn: LinearWeights;
  readonly mlpOut: LinearWeights;
  readonly mlpNorm: NormWeights;
}

/** The whole network. */
export interface QformerWeights {
  /** [1, queries, hidden] */
  readonly queryTokens: Value;
  readonly inputNorm: NormWeights;
  readonly layers: readonly QformerLayerWeights[];
  readonly projection: LinearWeights;
}

/** Declares every tensor by its name in the checkpoint. */
export function qformerWeights(config: QformerConfig, target: BuildTarget): QformerWeights {
  const { hiddenSize: hidden, queryCount } = config;
  return {
    queryTokens: parameter('query_tokens', [1, queryCount, hidden], target.precision),
    inputNorm: normWeights(target, 'qformer.layernorm', hidden),
    layers: Array.from({ length: config.layerCount }, (_, index) =>
      layerWeights(config, target, index),
    ),
    projection: linearWeights(target, 'qformer_projection', hidden, config.projectionSize),
  };
}

function layerWeights(
  config: QformerConfig,
  target: BuildTarget,
  index: number,
): QformerLayerWeights {
  const { hiddenSize: hidden, encoderHiddenSize, intermediateSize } = config;
  const name = `qformer.encoder.layer.${index}`;
  const looksAtPicture = index % config.crossAttentionFrequency === 0;
  return {
    selfAttention: attentionWeights(target, `${name}.attention`, hidden, hidden),
    crossAttention: looksAtPicture
      ? attentionWeights(target, `${name}.crossattention`, hidden, encoderHiddenSize)
      : undefined,
    mlpIn: linearWeights(target, `${name}.intermediate_query.dense`, hidden, intermediateSize),
    mlpOut: linearWeights(target, `${name}.output_query.dense`, intermediateSize, hidden),
    mlpNorm: normWeights(target, `${name}.output_query.LayerNorm`, hidden),
  };
}

function attentionWeights(
  target: BuildTarget,
  name: string,
  hidden: number,
  keySize: number,
): QformerAttentionWeights {
  return {
    query: linearWeights(target, `${name}.attention.query`, hidden, hidden),
    key: linearWeights(target, `${name}.attention.key`, keySize, hidden),
    value: linearWeights(target, `${name}.attention.value`, keySize, hidden),
    output: linearWeights(target, `${name}.output.dense`, hidden, hidden),
    norm: normWeights(target, `${name}.output.LayerNorm`, hidden),
  };
}
