/**
 * The Llama graphs without a cache: embedding look-up, and scoring of whole sequences. The decoder
 * is in decoder.ts. Proved against transformers' LlamaForCausalLM.
 */
import type { Graph, Value } from '../../graph/index.ts';
import {
  cast,
  constant,
  finishGraph,
  input,
  shapeOf,
  simplifiedLayerNormalization,
} from '../../graph/index.ts';
import type { Attend } from './attention.ts';
import { groupedAttention, twoPartAttention } from './attention.ts';
import type { BuildTarget } from '../target.ts';
import type { LlamaConfig } from './config.ts';
import type { GraphForm, LlamaOptions } from './form.ts';
import { graphForm } from './form.ts';
import { groupedPositions, lengthOf, twoPartPositions } from './positions.ts';
import { rotaryTables } from './rotary.ts';
import { decoderStack, finalNorm, type LayerRange } from './stack.ts';
import { embedding, head } from './weights.ts';

/** input_ids int64 [batch, length] -> inputs_embeds float32 [batch, length, hidden]. */
export function buildEmbedding(config: LlamaConfig): Graph {
  const ids = input('input_ids', 'int64', ['batch', 'length']);
  return finishGraph('llama-embedding', [ids], {
    inputs_embeds: embedding(config, 'float32')(ids),
  });
}

function wholeSequence(config: LlamaConfig, form: GraphForm, given: Value, embeds: Value): Attend {
  const rotary = rotaryTables(config, form.positions, form.dtype);
  if (form.attention === 'grouped') {
    return groupedAttention(
      config,
      rotary,
      groupedPositions(lengthOf(given), shapeOf(given, 0, 1)),
    );
  }
  const zero = constant(0, 'int64');
  const call = { x: embeds, pastLength: zero, start: zero, fed: 'length', added: 'length' };
  return twoPartAttention(config, rotary, twoPartPositions(config, form, call));
}

/**
 * Whole sequences at once, no cache: input_ids int64 [batch, length], or inputs_embeds float32
 * [batch, length, hidden], -> logits float32 [batch, length, vocabulary].
 */
export function buildScoring(
  config: LlamaConfig,
  target: BuildTarget,
  options: LlamaOptions,
  from: 'input_ids' | 'inputs_embeds' = 'inputs_embeds',
): Graph {
  const form = graphForm(config, target, options);
  const given =
    from === 'input_ids'
      ? input(from, 'int64', ['batch', 'length'])
      : input(from, 'float32', ['batch', 'length', config.hiddenSize]);
  const embeds =
    from === 'input_ids' ? embedding(config, form.dtype)(given) : cast(given, form.dtype);
  const attend = wholeSequence(config, form, given, embeds);
  const { hidden } = decoderStack(config, form)(embeds, attend, undefined);
  return finishGraph('llama-scoring', [given], {
    logits: cast(head(config, form)(hidden), 'float32'),
  });
}

/** Some layers over a whole sequence: inputs_embeds float32 [1, length, hidden] -> sum of the same shape. */
export function buildLayers(
  config: LlamaConfig,
  target: BuildTarget,
  options: LlamaOptions,
  range: LayerRange,
): Graph {
  const form = graphForm(config, target, options);
  const given = input('inputs_embeds', 'float32', [1, 'length', config.hiddenSize]);
  const embeds = cast(given, form.dtype);
  const attend = wholeSequence(config, form, given, embeds);
  const { sum } = decoderStack(config, form, range)(embeds, attend, undefined);
  return finishGraph('llama-layers', [given], { sum: cast(sum, 'float32') });
}

/** What follows the layers: sum float32 [1, length, hidden] -> logits float32 [1, length, vocabulary]. */
export function buildHead(config: LlamaConfig, target: BuildTarget, options: LlamaOptions): Graph {
  const form = graphForm(config, target, options);
  const sum = input('sum', 'float32', [1, 'length', config.hiddenSize]);
  const normalised = simplifiedLayerNormalization(
    cast(sum, form.dtype),
    finalNorm(config, form),
    config.normEpsilon,
  );
  return finishGraph('llama-head', [sum], {
    logits: cast(head(config, form)(normalised), 'float32'),
  });
}
