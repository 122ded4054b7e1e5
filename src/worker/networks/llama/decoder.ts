/** The decoder that makes N tokens within one run. */
import type { Dim, Graph, Value } from '../../graph/index.ts';
import {
  add,
  addDims,
  cast,
  constant,
  dimOf,
  equal,
  filled,
  finishGraph,
  gather,
  GraphError,
  input,
  loop,
  not,
  reduceMax,
  reshape,
  slice,
  sliceBetween,
  squeeze,
  unsqueeze,
} from '../../graph/index.ts';
import type { Attend, LayerCache } from './attention.ts';
import { groupedAttention, twoPartAttention } from './attention.ts';
import type { BuildTarget } from '../target.ts';
import type { LlamaConfig } from './config.ts';
import type { GraphForm, LlamaOptions } from './form.ts';
import { graphForm } from './form.ts';
import { groupedPositions, lengthOf, prefixPositions, twoPartPositions } from './positions.ts';
import { rotaryTables } from './rotary.ts';
import { sample } from './sample.ts';
import { decoderStack } from './stack.ts';
import { embedding, head } from './weights.ts';

/** Names of a layer's cache inputs, and of the outputs that go with them. */
export interface CacheNames {
  readonly pastKey: string;
  readonly pastValue: string;
  readonly newKey: string;
  readonly newValue: string;
}

/** The names for one layer. */
export function cacheNames(layer: number): CacheNames {
  return {
    pastKey: `past.${layer}.key`,
    pastValue: `past.${layer}.value`,
    newKey: `new.${layer}.key`,
    newValue: `new.${layer}.value`,
  };
}

/** Inputs that steer decoding; scalars but for the two lists. */
interface Controls {
  readonly pastLength: Value;
  readonly maxTokens: Value;
  readonly stopIds: Value;
  readonly uniforms: Value;
  readonly temperature: Value;
  readonly topK: Value;
  readonly topP: Value;
}

function controlInputs(): Controls {
  return {
    pastLength: input('past_length', 'int64', []),
    maxTokens: input('max_tokens', 'int64', []),
    stopIds: input('stop_ids', 'int64', ['stops']),
    uniforms: input('uniforms', 'float32', ['uniforms']),
    temperature: input('temperature', 'float32', []),
    topK: input('top_k', 'int64', []),
    topP: input('top_p', 'float32', []),
  };
}

function cacheInputs(config: LlamaConfig, dtype: GraphForm['dtype']): LayerCache[] {
  const shape = [1, config.keyValueHeadCount, 'capacity', config.headSize];
  return Array.from({ length: config.layerCount }, (_, layer) => {
    const { pastKey, pastValue } = cacheNames(layer);
    return { key: input(pastKey, dtype, shape), value: input(pastValue, dtype, shape) };
  });
}

function flatten(caches: readonly LayerCache[]): Value[] {
  return caches.flatMap(({ key, value }) => [key, value]);
}

function pairUp(values: readonly Value[]): LayerCache[] {
  const caches: LayerCache[] = [];
  values.forEach((key, index) => {
    const value = values[index + 1];
    if (index % 2 === 0 && value) caches.push({ key, value });
  });
  return caches;
}

/** How a form of attention goes through the loop. */
interface CacheFlow {
  /** What the loop's first iteration finds as cache. */
  readonly initial: readonly Value[];
  /** Attention in an iteration that starts at position `start` (int64 scalar) and feeds x. */
  readonly attend: (x: Value, start: Value) => Attend;
  /** The tokens that the run added, of a cache after the loop. */
  readonly added: (cache: Value) => Value;
}

type OpenCache = (
  config: LlamaConfig,
  form: GraphForm,
  past: readonly LayerCache[],
  pastLength: Value,
) => CacheFlow;

/** Tokens that a run feeds: all that is given, and all but the last that it makes. */
const fedByRun = addDims('length', addDims('produced', -1));

/** The loop carries the whole cache; each iteration's attention copies it to make it longer. */
const wholeCache: OpenCache = (config, form, past, pastLength) => {
  const rotary = rotaryTables(config, form.positions, form.dtype);
  const pastEnd = reshape(pastLength, [1]);
  const [first, last] = [constant([0], 'int64'), constant([Number.MAX_SAFE_INTEGER], 'int64')];
  return {
    initial: flatten(past).map((value) => sliceBetween(value, 2, first, pastEnd, 'past')),
    attend: (x, start) =>
      groupedAttention(config, rotary, groupedPositions(add(start, lengthOf(x)), undefined)),
    added: (cache) => sliceBetween(cache, 2, pastEnd, last, fedByRun),
  };
};

/** The loop carries only what the run adds; the rest is read where it lies. */
const addedCache: OpenCache = (config, form, past, pastLength) => {
  const rotary = rotaryTables(config, form.positions, form.dtype);
  const [firstPast] = past;
  if (!firstPast) throw new GraphError('a decoder without layers has nothing to attend to');
  const positions = prefixPositions(firstPast, pastLength);
  const empty = filled(0, form.dtype, [1, config.keyValueHeadCount, 0, config.headSize]);
  return {
    initial: flatten(past).map(() => empty),
    attend: (x, start) => {
      const fed = dimOf(x, 1);
      const call = {
        x,
        pastLength,
        start,
        prefix: { positions, caches: past },
        fed,
        added: addDims('cached', fed),
      };
      return twoPartAttention(config, rotary, twoPartPositions(config, form, call));
    },
    added: (cache) => cache,
  };
};

/** One iteration: feeds what is carried in, samples a token, and carries out its embedding. */
function writeToken(
  config: LlamaConfig,
  form: GraphForm,
  control: ReturnType<typeof controlInputs>,
  flow: CacheFlow,
) {
  const stack = decoderStack(config, form);
  const [lookUp, project] = [embedding(config, form.dtype), head(config, form)];
  return (
    iteration: Value,
    [current, start, , ...caches]: readonly [Value, Value, Value, ...Value[]],
  ) => {
    const { hidden, present } = stack(current, flow.attend(current, start), pairUp(caches));
    const row = reshape(project(slice(hidden, 1, -1)), [1, config.vocabularySize]);
    const logits = cast(row, 'float32');
    const token = sample(logits, { ...control, uniform: gather(control.uniforms, iteration) });
    const stops = reduceMax(cast(equal(control.stopIds, token), 'int32'), [0], false);
    return {
      keepGoing: not(cast(stops, 'bool')),
      carried: [
        unsqueeze(lookUp(token), 0),
        add(start, lengthOf(current)),
        logits,
        ...flatten(present),
      ],
      collected: [squeeze(token, 0)] as const,
    };
  };
}

/**
 * The decoder. Feeds `inputs_embeds`, samples a token, feeds that, and so on up to `max_tokens`
 * tokens or one of `stop_ids`, all within one run (the ONNX Loop), so the cache crosses the border
 * of the session once a run and not once a token. The prompt goes through the same kernels in the
 * first iteration, so the weights are held once.
 *
 *  Loop, carried: embeds [1, t, hidden] (t = length, then 1), start, logits, the caches
 *    embeds -- stack -- last row -- head -- sample -- token -+- collected
 *                                                            +- embedding -- next embeds
 *                                                            +- equal to a stop id? end
 *
 * Inputs: inputs_embeds float32 [1, length, hidden]; past.N.key / value [1, g, capacity, d], of which
 * the first `past_length` tokens count; max_tokens, top_k int64, temperature, top_p float32 scalars;
 * stop_ids int64 [stops]; uniforms float32 [at least max_tokens].
 * Outputs: tokens int64 [produced]; logits float32 [1, vocabulary] of the last token sampled;
 * new.N.key / value [1, g, length + produced - 1, d]: what was fed in this run. The last token is not
 * among it: it has not been fed.
 */
export function buildDecoder(
  config: LlamaConfig,
  target: BuildTarget,
  options: LlamaOptions,
): Graph {
  const form = graphForm(config, target, options);
  const { hiddenSize, vocabularySize } = config;
  const embeds = input('inputs_embeds', 'float32', [1, 'length', hiddenSize]);
  const past = cacheInputs(config, form.dtype);
  const control = controlInputs();
  const makeFlow = form.attention === 'grouped' ? wholeCache : addedCache;
  const flow = makeFlow(config, form, past, control.pastLength);
  const cacheShape = (length: Dim): Dim[] => [1, config.keyValueHeadCount, length, config.headSize];
  const afterShape = cacheShape(
    form.attention === 'grouped' ? addDims('past', fedByRun) : fedByRun,
  );
  const noLogits = constant(new Float32Array(vocabularySize), 'float32', [1, vocabularySize]);

  const result = loop(
    {
      maxTrips: control.maxTokens,
      keepGoing: constant(1, 'bool'),
      carried: [
        { initial: cast(embeds, form.dtype), shape: [1, 'fed', hiddenSize] },
        { initial: control.pastLength },
        { initial: noLogits },
        ...flow.initial.map((initial) => ({ initial, shape: cacheShape('cached') })),
      ],
      trips: 'produced',
      finalShapes: [
        [1, 'fed', hiddenSize],
        [],
        [1, vocabularySize],
        ...flow.initial.map(() => afterShape),
      ],
    },
    writeToken(config, form, control, flow),
  );
  const [, , logits, ...caches] = result.carried;
  const outputs: Record<string, Value> = {
    tokens: result.collected[0],
    logits,
  };
  pairUp(caches.map(flow.added)).forEach(({ key, value }, layer) => {
    const { newKey, newValue } = cacheNames(layer);
    outputs[newKey] = key;
    outputs[newValue] = value;
  });
  return finishGraph(
    'llama-decoder',
    [embeds, ...flatten(past), ...Object.values({ ...control })],
    outputs,
  );
}
