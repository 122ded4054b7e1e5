/**
 * What 4 bits cost in each layer of a language model, measured on a text: the model reads it once as it is and once for
 * each layer with that layer alone in 4 bits, and its expectations are compared. One layer is in memory at a time: all
 * these readings go through it before the next is opened.
 */
import { quantiseGroup } from './conversion/quantise-model.ts';
import { layerGroups } from './conversion/quantise-plan.ts';
import type { LayerCost } from './conversion/layer-bits.ts';
import type { MeasureLayers } from './conversion/import-model.ts';
import { openLanguageTokenizer } from './inputs/tokenizer.ts';
import { cpuTarget, type LlamaConfig } from './networks/index.ts';
import { embeddingModel, headModel, layersModel, type NetworkModel } from './networks/models.ts';
import { readLanguageConfig } from './pipelines/language/language-weights.ts';
import { openNetwork } from './pipelines/network.ts';
import { float32Tensor, hostOutput, int64Tensor, type HostTensor } from './runtime/index.ts';
import { sampleText } from './sample-text.ts';
import { readTensorBytes, type Checkpoint } from './weights/index.ts';

const mostTokens = 256;
/** The first tokens have little to go by: what is expected there says little. */
const warmUpTokens = 16;
const blockSize = 32;

/** Measures a model on {@link sampleText}. */
export const measureLayers: MeasureLayers = async (folder, weights, signal) => {
  const tokenizer = await openLanguageTokenizer(folder);
  const ids = tokenizer.encode(sampleText).slice(0, mostTokens);
  return layerCosts(readLanguageConfig(folder, weights), weights, ids, signal);
};

/** @throws the signal's reason between two layers */
export async function layerCosts(
  config: LlamaConfig,
  weights: Checkpoint,
  ids: readonly number[],
  signal?: AbortSignal,
): Promise<readonly LayerCost[]> {
  const embeds = await runOnce(embeddingModel(config, weights), 'inputs_embeds', [
    { input_ids: int64Tensor(ids, [1, ids.length]) },
  ]);
  // First the reading in which nothing is rounded, then one for each layer that has been passed.
  let sums = embeds;
  for (let layer = 0; layer < config.layerCount; layer += 1) {
    signal?.throwIfAborted();
    const feeds = sums.map((sum) => feedOf(sum, config, 'inputs_embeds'));
    const exact = await runOnce(layerModel(config, weights, layer, ids.length), 'sum', feeds);
    const few = roundedLayer(config, weights, layer);
    const rounded = await runOnce(
      layerModel(few.config, few.weights, layer, ids.length),
      'sum',
      feeds.slice(0, 1),
    );
    sums = [...exact, ...rounded];
  }
  return compareAll(config, weights, sums, ids.length);
}

function layerModel(
  config: LlamaConfig,
  weights: Checkpoint,
  layer: number,
  positions: number,
): NetworkModel {
  const range = { first: layer, end: layer + 1 };
  return layersModel(config, weights, cpuTarget, range, { positions });
}

function feedOf(sum: Float32Array, { hiddenSize }: LlamaConfig, name: string) {
  return { [name]: float32Tensor(sum, [1, sum.length / hiddenSize, hiddenSize]) };
}

/** Opens a network, runs it over some inputs, and closes it. */
async function runOnce(
  network: NetworkModel,
  output: string,
  feeds: readonly Readonly<Record<string, HostTensor>>[],
): Promise<Float32Array[]> {
  const session = await openNetwork(network, { provider: 'cpu' });
  try {
    const results: Float32Array[] = [];
    for (const feed of feeds) {
      const outputs = await session.run(feed, [output]);
      results.push(hostOutput(outputs, output, 'float32').data);
    }
    return results;
  } finally {
    await session.release();
  }
}

/** One layer's matrices in 4 bits, in memory; its norms as they are. */
function roundedLayer(config: LlamaConfig, weights: Checkpoint, layer: number) {
  const groups = layerGroups(layer, 4);
  const tensors = new Map(
    groups
      .flatMap((group) => quantiseGroup(weights, group, blockSize))
      .map((tensor) => [tensor.name, tensor]),
  );
  const find: Checkpoint['find'] = (name) => {
    const stored = tensors.get(name) ?? weights.find(name);
    if (stored === undefined) return undefined;
    const bytes = 'bytes' in stored ? stored.bytes : readTensorBytes(weights, name);
    return { dtype: stored.dtype, shape: stored.shape, location: { kind: 'bytes', bytes } };
  };
  const layerBits = Array<4 | 8>(config.layerCount).fill(4);
  const quantisation = { layerBits, blockSize, embeddingBits: 16 } as const;
  return { config: { ...config, quantisation }, weights: { ...weights, find } };
}

/** Holds the readings with one layer rounded against the first, in which none is. */
async function compareAll(
  config: LlamaConfig,
  weights: Checkpoint,
  sums: readonly Float32Array[],
  positions: number,
): Promise<LayerCost[]> {
  const session = await openNetwork(headModel(config, weights, cpuTarget, { positions }), {
    provider: 'cpu',
  });
  try {
    const logitsOf = async (sum: Float32Array): Promise<Float32Array> => {
      const outputs = await session.run(feedOf(sum, config, 'sum'), ['logits']);
      return hostOutput(outputs, 'logits', 'float32').data;
    };
    const [exact = new Float32Array(), ...rounded] = sums;
    const expected = await logitsOf(exact);
    const costs: LayerCost[] = [];
    for (const sum of rounded) {
      costs.push(compareLogits(expected, await logitsOf(sum), positions));
    }
    return costs;
  } finally {
    await session.release();
  }
}

/** Mean divergence of expectations, and the share of tokens whose likeliest is the same. */
export function compareLogits(
  expected: Float32Array,
  found: Float32Array,
  positions: number,
): LayerCost {
  const width = expected.length / positions;
  const first = Math.min(warmUpTokens, positions - 1);
  let [divergence, same] = [0, 0];
  for (let at = first; at < positions; at += 1) {
    const [left, right] = [expected, found].map((all) =>
      softened(all.subarray(at * width, (at + 1) * width)),
    );
    if (left === undefined || right === undefined) continue;
    divergence += divergenceOf(left.logs, right.logs);
    if (left.likeliest === right.likeliest) same += 1;
  }
  const count = positions - first;
  return { divergence: divergence / count, agreement: same / count };
}

/** Logarithms of the probabilities of a row of logits, and the likeliest token. */
function softened(row: Float32Array): {
  readonly logs: Float64Array;
  readonly likeliest: number;
} {
  const highest = row.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const likeliest = row.indexOf(highest);
  let sum = 0;
  for (const logit of row) sum += Math.exp(logit - highest);
  const whole = highest + Math.log(sum);
  return { logs: Float64Array.from(row, (logit) => logit - whole), likeliest };
}

function divergenceOf(expected: Float64Array, found: Float64Array): number {
  return expected.reduce((sum, log, id) => sum + Math.exp(log) * (log - (found[id] ?? 0)), 0);
}
