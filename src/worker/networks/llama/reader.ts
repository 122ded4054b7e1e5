/** Reads many positions at once with 8-bit products: what a prompt goes through before the decoder writes. */
import type { Graph, Value } from '../../graph/index.ts';
import { finishGraph, GraphError, input } from '../../graph/index.ts';
import type { Checkpoint, EightBitMatrix, QuantisedMatrix } from '../../weights/index.ts';
import { findTensor, foldToEightBits, readTensorBytes } from '../../weights/index.ts';
import { twoPartAttention, type LayerCache } from './attention.ts';
import { linearBits, type LlamaConfig } from './config.ts';
import { cacheNames } from './decoder.ts';
import { graphForm } from './form.ts';
import { prefixPositions, twoPartPositions } from './positions.ts';
import { rotaryTables } from './rotary.ts';
import { decoderStack, type LayerRange } from './stack.ts';
import { cpuTarget } from '../target.ts';
import { eightBitNames } from '../eight-bit.ts';

/**
 * Some of the layers, for what is read and not written:
 *
 *  embeds [1, length, hidden] -- layers first .. end - 1 -- sum [1, length, hidden] for the layers that follow
 *                                 |
 *                 past.N.key / value [1, g, capacity, d], `past_length` of it counting -> new.N.key / value [1, g, length, d]
 *
 * The last layers give no sum: of the last one only keys and values are needed, so the rest of it is not in the graph.
 */
export function buildReader(config: LlamaConfig, positions: number, range: LayerRange): Graph {
  const form = graphForm(config, cpuTarget, { positions, products: 'eightBits' });
  const { keyValueHeadCount, headSize, hiddenSize } = config;
  const embeds = input('inputs_embeds', 'float32', [1, 'length', hiddenSize]);
  const pastLength = input('past_length', 'int64', []);
  const shape = [1, keyValueHeadCount, 'capacity', headSize];
  const past = Array.from({ length: range.end - range.first }, (_, index): LayerCache => {
    const { pastKey, pastValue } = cacheNames(range.first + index);
    return { key: input(pastKey, 'float32', shape), value: input(pastValue, 'float32', shape) };
  });
  const [firstPast] = past;
  if (!firstPast) throw new GraphError('a reader without layers has nothing to attend to');
  const attend = twoPartAttention(
    config,
    rotaryTables(config, positions, 'float32'),
    twoPartPositions(config, form, {
      ...{ x: embeds, pastLength, start: pastLength, fed: 'length', added: 'length' },
      prefix: { positions: prefixPositions(firstPast, pastLength), caches: past },
    }),
  );
  const { sum, present } = decoderStack(config, form, range)(embeds, attend, undefined);
  const outputs: Record<string, Value> = {};
  present.forEach(({ key, value }, index) => {
    const { newKey, newValue } = cacheNames(range.first + index);
    outputs[newKey] = key;
    outputs[newValue] = value;
  });
  if (range.end < config.layerCount) outputs['sum'] = sum;
  const inputs = [embeds, pastLength, ...past.flatMap(({ key, value }) => [key, value])];
  return finishGraph('llama-reader', inputs, outputs);
}

/**
 * Layers in one session: the time that the runtime takes to open a graph grows with the square of its nodes (30 layers
 * 790 ms, five times 6 layers 260 ms, measured 2026-11-29), and the weights of a part are folded and handed over at once.
 */
const partLayers = 6;

/** Bytes of a layer's matrices with a byte for each weight. */
export function eightBitLayerBytes(config: LlamaConfig): number {
  const { hiddenSize, intermediateSize, headCount, keyValueHeadCount, headSize } = config;
  const attention = 2 * (headCount + keyValueHeadCount) * headSize * hiddenSize;
  return attention + 3 * intermediateSize * hiddenSize;
}

/** The layers in parts, each for a session of its own. */
export function readerParts(config: LlamaConfig): readonly LayerRange[] {
  const count = Math.ceil(config.layerCount / partLayers);
  return Array.from({ length: count }, (_, index) => ({
    first: index * partLayers,
    end: Math.min((index + 1) * partLayers, config.layerCount),
  }));
}

/** What files of matrices that were folded before are called, in front of their number; see `withEightBits`. */
export const storedEightBits = 'eight-bits';

/** Names of a folded matrix's tensors. */
export function storedEightBitNames(name: string): {
  readonly weights: string;
  readonly scales: string;
} {
  return { weights: name + eightBitNames.weights, scales: name + eightBitNames.scales };
}

/** Whether a checkpoint has the folded matrices themselves. */
export function hasStoredEightBits(checkpoint: Checkpoint): boolean {
  return (
    checkpoint.find(`model.layers.0.mlp.down_proj.weight${eightBitNames.weights}`) !== undefined
  );
}

/** Rows and columns, [k, n], of a folded matrix. */
export function eightBitShape(config: LlamaConfig, name: string): readonly [number, number] {
  const { headCount, keyValueHeadCount, headSize, hiddenSize, intermediateSize } = config;
  const k = inputFeatures(config, name);
  if (name.endsWith('.qkv_proj.weight')) return [k, (headCount + 2 * keyValueHeadCount) * headSize];
  return [k, name.endsWith('.gate_up_proj.weight') ? 2 * intermediateSize : hiddenSize];
}

/** A matrix of blocks folded to 8 bits. */
export function foldedMatrix(
  checkpoint: Checkpoint,
  config: LlamaConfig,
  name: string,
): EightBitMatrix {
  return foldToEightBits(blocksOf(checkpoint, config, name));
}

/** Weights of a part, and the folded ones among them under the names of the files that they stand for. */
export interface ReaderWeights extends Checkpoint {
  readonly memoryFiles: ReadonlyMap<string, Uint8Array>;
}

/**
 * A quantised checkpoint's weights with matrices of blocks as 8-bit numbers: folded when they are first asked for, and
 * kept as long as this is. The runtime takes external data from memory or from files, never from both, so that the
 * other tensors, which are small, are given as bytes.
 */
export function withEightBits(checkpoint: Checkpoint, config: LlamaConfig): ReaderWeights {
  const folded = new Map<string, EightBitMatrix>();
  const memoryFiles = new Map<string, Uint8Array>();
  const fold = (name: string): EightBitMatrix => {
    const known = folded.get(name) ?? foldedMatrix(checkpoint, config, name);
    folded.set(name, known);
    return known;
  };
  const find: Checkpoint['find'] = (name) => {
    const { weights: s8, scales: s8scales } = eightBitNames;
    if (name.endsWith(s8)) {
      const { weights, scales } = fold(name.slice(0, -s8.length));
      const bytes = bytesOf(weights);
      memoryFiles.set(name, bytes);
      const location = { kind: 'file', file: name, offset: 0, length: bytes.length } as const;
      return { dtype: 'int8', shape: [weights.length / scales.length, scales.length], location };
    }
    if (name.endsWith(s8scales)) {
      const bytes = bytesOf(fold(name.slice(0, -s8scales.length)).scales);
      return { dtype: 'float32', shape: [bytes.length / 4], location: { kind: 'bytes', bytes } };
    }
    const stored = checkpoint.find(name);
    if (stored === undefined) return undefined;
    return { ...stored, location: { kind: 'bytes', bytes: readTensorBytes(checkpoint, name) } };
  };
  return { ...checkpoint, find, memoryFiles };
}

function bytesOf({ buffer, byteOffset, byteLength }: Int8Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** A matrix of blocks as it is stored. */
function blocksOf(checkpoint: Checkpoint, config: LlamaConfig, name: string): QuantisedMatrix {
  const { quantisation } = config;
  if (quantisation === undefined) throw new GraphError('blocks of weights that have none');
  const bits = linearBits(quantisation, name);
  const [n = 0] = findTensor(checkpoint, `${name}.scales`).shape;
  const halves = readTensorBytes(checkpoint, `${name}.scales`).slice();
  return {
    ...{ n, k: inputFeatures(config, name), bits, blockSize: quantisation.blockSize },
    quantised: readTensorBytes(checkpoint, `${name}.q${bits}`),
    scales: new Uint16Array(halves.buffer),
    zeros: readTensorBytes(checkpoint, `${name}.zeros`),
  };
}

/** The last block of a row may be filled up, so that how long a row is follows from the network. */
function inputFeatures(config: LlamaConfig, name: string): number {
  if (name.endsWith('.down_proj.weight')) return config.intermediateSize;
  if (name.endsWith('.o_proj.weight')) return config.headCount * config.headSize;
  return config.hiddenSize;
}
