/** The stack of layers as a Llama checkpoint names them; how they attend is given from outside. */
import type { AttentionInput, Value } from '../../graph/index.ts';
import {
  labelled,
  mul,
  parameter,
  silu,
  simplifiedLayerNormalization,
  skipSimplifiedLayerNormalization,
  split,
} from '../../graph/index.ts';
import type { Attend, LayerCache } from './attention.ts';
import type { LlamaConfig } from './config.ts';
import type { Linear, Precision } from './weights.ts';
import { linear } from './weights.ts';

/** One decoder layer's parts. */
interface Layer {
  readonly attentionNorm: Value;
  readonly project: (x: Value) => AttentionInput;
  readonly output: Linear;
  readonly mlpNorm: Value;
  readonly mlp: Linear;
}

function projections(config: LlamaConfig, precision: Precision, name: string): Layer['project'] {
  const { hiddenSize, headCount, keyValueHeadCount, headSize, hasAttentionBias } = config;
  const make = (part: string, count: number): Linear =>
    linear(config, precision, `${name}.${part}`, count * headSize, hiddenSize, hasAttentionBias);
  if (config.quantisation) {
    const packed = make('qkv_proj', headCount + 2 * keyValueHeadCount);
    return (x) => ({ packed: packed(x) });
  }
  const [query, key, value] = [
    make('q_proj', headCount),
    make('k_proj', keyValueHeadCount),
    make('v_proj', keyValueHeadCount),
  ];
  return (x) => ({ query: query(x), key: key(x), value: value(x) });
}

/**
 *  x --+-- gate -- silu --+
 *      |                  mul -- down
 *      +-- up ------------+
 */
function gatedMlp(config: LlamaConfig, precision: Precision, name: string): Linear {
  const { hiddenSize: hidden, intermediateSize: inner, hasMlpBias } = config;
  const down = linear(config, precision, `${name}.down_proj`, hidden, inner, hasMlpBias);
  if (config.quantisation) {
    const both = linear(config, precision, `${name}.gate_up_proj`, 2 * inner, hidden, hasMlpBias);
    return (x) => {
      const [gate, up] = split(both(x), [inner, inner], -1);
      return down(mul(silu(gate), up));
    };
  }
  const gate = linear(config, precision, `${name}.gate_proj`, inner, hidden, hasMlpBias);
  const up = linear(config, precision, `${name}.up_proj`, inner, hidden, hasMlpBias);
  return (x) => down(mul(silu(gate(x)), up(x)));
}

function decoderLayer(config: LlamaConfig, precision: Precision, index: number): Layer {
  const name = `model.layers.${index}`;
  const { hiddenSize, headCount, headSize, hasAttentionBias } = config;
  const norm = (part: string): Value =>
    parameter(`${name}.${part}.weight`, [hiddenSize], precision.dtype);
  return {
    attentionNorm: norm('input_layernorm'),
    project: projections(config, precision, `${name}.self_attn`),
    output: linear(
      config,
      precision,
      `${name}.self_attn.o_proj`,
      hiddenSize,
      headCount * headSize,
      hasAttentionBias,
    ),
    mlpNorm: norm('post_attention_layernorm'),
    mlp: gatedMlp(config, precision, `${name}.mlp`),
  };
}

/** What the sum behind all layers is normalised by. */
export function finalNorm(config: LlamaConfig, { dtype }: Pick<Precision, 'dtype'>): Value {
  return parameter('model.norm.weight', [config.hiddenSize], dtype);
}

/** The whole stack: [b, t, hidden] -> normalised [b, t, hidden], and each layer's cache after it. */
export type Stack = (
  embeds: Value,
  attend: Attend,
  past: readonly LayerCache[] | undefined,
) => {
  readonly hidden: Value;
  /** The residual stream behind the last layer, for layers that follow. */
  readonly sum: Value;
  readonly present: readonly LayerCache[];
};

/** Layers from `first` up to but not including `end`. */
export interface LayerRange {
  readonly first: number;
  readonly end: number;
}

/**
 * Each layer, on the residual stream x (the sum and the norm after it are one op):
 *
 *  x -- norm -- project -- attend -- output -- (+ x) -- norm -- mlp -- (+) -- next norm
 */
export function decoderStack(
  config: LlamaConfig,
  precision: Precision,
  { first, end }: LayerRange = { first: 0, end: config.layerCount },
): Stack {
  const { normEpsilon } = config;
  const layers = Array.from({ length: end - first }, (_, index) =>
    decoderLayer(config, precision, first + index),
  );
  const lastNorm = finalNorm(config, precision);
  const skipNorm = (x: Value, skip: Value, scale: Value) =>
    skipSimplifiedLayerNormalization(x, skip, scale, normEpsilon);
  return (embeds, attend, past) => {
    let sum = embeds;
    let hidden = simplifiedLayerNormalization(
      embeds,
      layers[0]?.attentionNorm ?? lastNorm,
      normEpsilon,
    );
    const present = layers.map((layer, index) =>
      labelled(`layer.${first + index}`, () => {
        const attention = attend(index, layer.project(hidden), past?.[index]);
        const middle = skipNorm(layer.output(attention.output), sum, layer.mlpNorm);
        const nextNorm = layers[index + 1]?.attentionNorm ?? lastNorm;
        ({ sum, normalised: hidden } = skipNorm(
          layer.mlp(middle.normalised),
          middle.sum,
          nextNorm,
        ));
        return attention.present;
      }),
    );
    return { hidden, sum, present };
  };
}
