/**
 * The Llama decoder as graphs: embedding look-up, scoring, and the decoder that makes N tokens
 * within one run. Proved against transformers' LlamaForCausalLM.
 */
import type { Dim, Graph, NamedValues, Value } from '../../graph/index.ts';
import {
  add,
  addDims,
  cast,
  constant,
  equal,
  expandTo,
  finishGraph,
  gather,
  groupQueryAttention,
  input,
  labelled,
  loop,
  mul,
  not,
  parameter,
  reduceMax,
  reshape,
  shapeOf,
  silu,
  simplifiedLayerNormalization,
  skipSimplifiedLayerNormalization,
  slice,
  sliceBetween,
  split,
  squeeze,
  sub,
  unsqueeze,
} from '../../graph/index.ts';
import type { AttentionInput } from '../../graph/index.ts';
import type { LlamaConfig } from './config.ts';
import { rotaryTables } from './rotary.ts';
import { sample } from './sample.ts';
import type { Linear, Precision } from './weights.ts';
import { embedding, head, linear } from './weights.ts';

/** Keys and values of one layer: [1, keyValueHeads, tokens, headDim] each. */
interface LayerCache {
  readonly key: Value;
  readonly value: Value;
}

/** Where a call stands in the sequence. */
interface Place {
  /** int32 [b]: position of the last token fed. */
  readonly lastPosition: Value;
  /** int32 scalar: tokens cached after the call. */
  readonly totalLength: Value;
}

/** One decoder layer's parts. */
interface Layer {
  readonly attentionNorm: Value;
  readonly project: (x: Value) => AttentionInput;
  readonly output: Linear;
  readonly mlpNorm: Value;
  readonly mlp: Linear;
}

function projections(config: LlamaConfig, precision: Precision, name: string): Layer['project'] {
  const { hiddenSize, heads, keyValueHeads, headDim, attentionBias } = config;
  const make = (part: string, count: number): Linear =>
    linear(config, precision, `${name}.${part}`, count * headDim, hiddenSize, attentionBias);
  if (config.quantisation) {
    const packed = make('qkv_proj', heads + 2 * keyValueHeads);
    return (x) => ({ packed: packed(x) });
  }
  const [query, key, value] = [
    make('q_proj', heads),
    make('k_proj', keyValueHeads),
    make('v_proj', keyValueHeads),
  ];
  return (x) => ({ query: query(x), key: key(x), value: value(x) });
}

/**
 *  x --+-- gate -- silu --+
 *      |                  mul -- down
 *      +-- up ------------+
 */
function gatedMlp(config: LlamaConfig, precision: Precision, name: string): Linear {
  const { hiddenSize: hidden, intermediateSize: inner, mlpBias } = config;
  const down = linear(config, precision, `${name}.down_proj`, hidden, inner, mlpBias);
  if (config.quantisation) {
    const both = linear(config, precision, `${name}.gate_up_proj`, 2 * inner, hidden, mlpBias);
    return (x) => {
      const [gate, up] = split(both(x), [inner, inner], -1) as [Value, Value];
      return down(mul(silu(gate), up));
    };
  }
  const gate = linear(config, precision, `${name}.gate_proj`, inner, hidden, mlpBias);
  const up = linear(config, precision, `${name}.up_proj`, inner, hidden, mlpBias);
  return (x) => down(mul(silu(gate(x)), up(x)));
}

function decoderLayer(config: LlamaConfig, precision: Precision, index: number): Layer {
  const name = `model.layers.${index}`;
  const { hiddenSize, heads, headDim, attentionBias } = config;
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
      heads * headDim,
      attentionBias,
    ),
    mlpNorm: norm('post_attention_layernorm'),
    mlp: gatedMlp(config, precision, `${name}.mlp`),
  };
}

/** The whole stack: [b, t, hidden] -> normalised [b, t, hidden] and what is cached after it. */
type Stack = (
  embeds: Value,
  place: Place,
  past: readonly LayerCache[] | undefined,
) => { readonly hidden: Value; readonly present: readonly LayerCache[] };

/**
 * Each layer, on the residual stream x (the sum and the norm after it are one op):
 *
 *  x -- norm -- project -- GroupQueryAttention -- output -- (+ x) -- norm -- mlp -- (+) -- next norm
 */
function decoderStack(config: LlamaConfig, precision: Precision, positions: number): Stack {
  const { heads, keyValueHeads, headDim, normEpsilon } = config;
  const layers = Array.from({ length: config.layers }, (_, index) =>
    decoderLayer(config, precision, index),
  );
  const finalNorm = parameter('model.norm.weight', [config.hiddenSize], precision.dtype);
  const rotary = rotaryTables(config, positions, precision.dtype);
  return (embeds, place, past) => {
    let sum = embeds;
    let hidden = simplifiedLayerNormalization(
      embeds,
      layers[0]?.attentionNorm ?? finalNorm,
      normEpsilon,
    );
    const present = layers.map((layer, index) =>
      labelled(`layer.${index}`, () => {
        const cache = past?.[index];
        const options = {
          heads,
          keyValueHeads,
          headDim,
          rotary,
          ...place,
          ...(cache ? { past: cache } : {}),
        };
        const attention = groupQueryAttention(layer.project(hidden), options);
        const middle = skipSimplifiedLayerNormalization(
          layer.output(attention.output),
          sum,
          layer.mlpNorm,
          normEpsilon,
        );
        const nextNorm = layers[index + 1]?.attentionNorm ?? finalNorm;
        const end = skipSimplifiedLayerNormalization(
          layer.mlp(middle.normalised),
          middle.sum,
          nextNorm,
          normEpsilon,
        );
        sum = end.sum;
        hidden = end.normalised;
        return { key: attention.presentKey, value: attention.presentValue };
      }),
    );
    return { hidden, present };
  };
}

/** Options common to the graphs. */
export interface LlamaBuildOptions extends Precision {
  /** Positions that the rotary tables cover: the longest sequence. */
  readonly positions: number;
}

/** input_ids int64 [batch, length] -> inputs_embeds float32 [batch, length, hidden]. */
export function buildEmbedding(config: LlamaConfig): Graph {
  const ids = input('input_ids', 'int64', ['batch', 'length']);
  return finishGraph('llama-embedding', [ids], {
    inputs_embeds: embedding(config, 'float32')(ids),
  });
}

/**
 * Whole sequences at once, no cache: input_ids int64 [batch, length], or inputs_embeds float32
 * [batch, length, hidden], -> logits float32 [batch, length, vocabulary].
 */
export function buildScoring(
  config: LlamaConfig,
  options: LlamaBuildOptions,
  from: 'input_ids' | 'inputs_embeds',
): Graph {
  const given =
    from === 'input_ids'
      ? input(from, 'int64', ['batch', 'length'])
      : input(from, 'float32', ['batch', 'length', config.hiddenSize]);
  const embeds = from === 'input_ids' ? embedding(config, 'float32')(given) : given;
  const length = cast(shapeOf(given, 1, 2), 'int32'); // [1]
  const last = sub(length, constant([1], 'int32'));
  const place = {
    lastPosition: expandTo(last, shapeOf(given, 0, 1), ['batch']),
    totalLength: squeeze(length, 0),
  };
  const { hidden } = decoderStack(config, options, options.positions)(
    cast(embeds, options.dtype),
    place,
    undefined,
  );
  return finishGraph('llama-scoring', [given], {
    logits: cast(head(config, options)(hidden), 'float32'),
  });
}

/** What the decoder gives back of its cache. */
export type CacheOutput = 'added' | 'whole';

/** Names of a layer's cache inputs, and of the outputs that go with them. */
export function cacheNames(layer: number): {
  readonly pastKey: string;
  readonly pastValue: string;
  readonly newKey: string;
  readonly newValue: string;
} {
  return {
    pastKey: `past.${layer}.key`,
    pastValue: `past.${layer}.value`,
    newKey: `new.${layer}.key`,
    newValue: `new.${layer}.value`,
  };
}

function cacheInputs(config: LlamaConfig, dtype: Precision['dtype'], length: Dim): LayerCache[] {
  const shape = [1, config.keyValueHeads, length, config.headDim];
  return Array.from({ length: config.layers }, (_, layer) => {
    const { pastKey, pastValue } = cacheNames(layer);
    return { key: input(pastKey, dtype, shape), value: input(pastValue, dtype, shape) };
  });
}

function flatten(caches: readonly LayerCache[]): Value[] {
  return caches.flatMap(({ key, value }) => [key, value]);
}

function pairUp(values: readonly Value[]): LayerCache[] {
  return Array.from({ length: values.length / 2 }, (_, layer) => ({
    key: values[2 * layer] as Value,
    value: values[2 * layer + 1] as Value,
  }));
}

/** int64 scalar inputs and the rest that steers decoding. */
function controls() {
  return {
    pastLength: input('past_length', 'int64', []),
    maxTokens: input('max_tokens', 'int64', []),
    stopIds: input('stop_ids', 'int64', ['stops']),
    uniforms: input('uniforms', 'float32', ['uniforms']),
    temperature: input('temperature', 'float32', []),
    topK: input('top_k', 'int64', []),
    topP: input('top_p', 'float32', []),
  } as const;
}

/**
 * The decoder. Feeds `inputs_embeds`, samples a token, feeds that, and so on up to `max_tokens`
 * tokens or one of `stop_ids`, all within one run (the ONNX Loop), so the cache crosses the border
 * of the session once a run and not once a token. The prompt goes through the same kernels in the
 * first iteration, so the weights are held once.
 *
 *  Loop, carried: embeds [1, t, hidden] (t = length, then 1), the caches (one longer each time)
 *    embeds -- stack -- last row -- head -- sample -- token -+- collected
 *                                                            +- embedding -- next embeds
 *                                                            +- equal to a stop id? end
 *
 * Inputs: inputs_embeds float32 [1, length, hidden]; past.N.key / value [1, g, capacity, d], of which
 * the first `past_length` tokens are used; max_tokens, top_k int64, temperature, top_p float32
 * scalars; stop_ids int64 [stops]; uniforms float32 [at least max_tokens].
 * Outputs: tokens int64 [produced]; logits float32 [1, vocabulary] of the last token sampled;
 * new.N.key / value: what was fed in this run [1, g, length + produced - 1, d] ('added'), or the whole
 * cache after it ('whole'). The last token is not in the cache: it has not been fed.
 */
export function buildDecoder(
  config: LlamaConfig,
  options: LlamaBuildOptions,
  cacheOutput: CacheOutput,
): Graph {
  const { hiddenSize } = config;
  const embeds = input('inputs_embeds', 'float32', [1, 'length', hiddenSize]);
  const past = cacheInputs(config, options.dtype, 'capacity');
  const control = controls();
  const stack = decoderStack(config, options, options.positions);
  const [lookUp, project] = [embedding(config, options.dtype), head(config, options)];

  const pastEnd = reshape(control.pastLength, [1]);
  const zero = constant([0], 'int64');
  const used = flatten(past).map((value) => sliceBetween(value, 2, zero, pastEnd, 'past'));
  const fedFirst = add(control.pastLength, squeeze(shapeOf(embeds, 1, 2), 0));
  const cacheShape = (length: Dim): Dim[] => [1, config.keyValueHeads, length, config.headDim];
  const after = addDims(addDims('past', 'length'), addDims('produced', -1));
  const carriedCaches = used.map((initial) => ({ initial, shape: cacheShape('cached') }));

  const result = loop(
    {
      maxTrips: control.maxTokens,
      keepGoing: constant(1, 'bool'),
      carried: [
        { initial: cast(embeds, options.dtype), shape: [1, 'fed', hiddenSize] },
        {
          initial: constant(new Float32Array(config.vocabularySize), 'float32', [
            1,
            config.vocabularySize,
          ]),
        },
        ...carriedCaches,
      ],
      trips: 'produced',
      finalShapes: [
        [1, 'fed', hiddenSize],
        [1, config.vocabularySize],
        ...used.map(() => cacheShape(after)),
      ],
    },
    (iteration, [current, , ...caches]) => {
      const total = cast(add(fedFirst, iteration), 'int32');
      const place = {
        totalLength: total,
        lastPosition: reshape(sub(total, constant(1, 'int32')), [1]),
      };
      const { hidden, present } = stack(current as Value, place, pairUp(caches));
      const logits = cast(
        reshape(project(slice(hidden, 1, -1)), [1, config.vocabularySize]),
        'float32',
      );
      const token = sample(logits, { ...control, uniform: gather(control.uniforms, iteration) });
      const stops = reduceMax(cast(equal(control.stopIds, token), 'int32'), [0], false);
      return {
        keepGoing: not(cast(stops, 'bool')),
        carried: [unsqueeze(lookUp(token), 0), logits, ...flatten(present)],
        collected: [squeeze(token, 0)],
      };
    },
  );
  const [, logits, ...caches] = result.carried;
  const kept = cacheOutput === 'whole' ? caches : caches.map((value) => addedPart(value, pastEnd));
  const outputs: Record<string, Value> = {
    tokens: result.collected[0] as Value,
    logits: logits as Value,
  };
  pairUp(kept).forEach(({ key, value }, layer) => {
    const names = cacheNames(layer);
    outputs[names.newKey] = key;
    outputs[names.newValue] = value;
  });
  return finishGraph(
    'llama-decoder',
    [embeds, ...flatten(past), ...Object.values(control)],
    outputs as NamedValues,
  );
}

function addedPart(cache: Value, pastEnd: Value): Value {
  const end = constant([Number.MAX_SAFE_INTEGER], 'int64');
  return sliceBetween(cache, 2, pastEnd, end, addDims('length', addDims('produced', -1)));
}
