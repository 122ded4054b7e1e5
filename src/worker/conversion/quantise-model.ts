/**
 * Turns a Llama folder in Hugging Face's layout into one with quantised weights; as a command:
 * `node src/worker/conversion/quantise-command.ts FROM TO [4|8]`.
 *
 * Query, key and value become one matrix, gate and up another (fewer and larger products); the
 * embedding, and the head where it is apart, keep 8 bits; norms and biases stay single precision.
 * Names: `X.weight.q4` (or `.q8`), `X.weight.scales`, `X.weight.zeros`.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../base/json-file.ts';
import { writeJsonFileSync } from '../../base/whole-file.ts';
import {
  firstNotFinite,
  openCheckpoint,
  quantiseMatrix,
  readFloats,
  WeightError,
  type Checkpoint,
  type TensorToWrite,
} from '../weights/index.ts';
import { pause } from './pause.ts';
import { ShardWriter } from './shards.ts';

/** How to quantise. */
export interface QuantiseOptions {
  readonly bits?: 4 | 8;
  /** Layers below this one get 4 bits: of a model whose base had no more, and that a training left as they were. */
  readonly lowLayers?: number;
  readonly blockSize?: number;
  /** A file is closed before it grows over this; one tensor alone may exceed it. */
  readonly maxShardBytes?: number;
  /** Weights in place of the folder's own: a fine-tuned checkpoint laid over them. */
  readonly checkpoint?: Checkpoint;
  /** Ends the work between two matrices. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Matrices that are quantised together, and the name of the result. */
interface Group {
  readonly name: string;
  readonly parts: readonly string[];
  readonly bits: 4 | 8;
}

const fused: readonly (readonly [string, readonly string[]])[] = [
  ['self_attn.qkv_proj', ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj']],
  ['self_attn.o_proj', ['self_attn.o_proj']],
  ['mlp.gate_up_proj', ['mlp.gate_proj', 'mlp.up_proj']],
  ['mlp.down_proj', ['mlp.down_proj']],
];

function layerGroups(layers: number, bits: 4 | 8, lowLayers: number): Group[] {
  return Array.from({ length: layers }, (_, layer) =>
    fused.map(([name, parts]) => ({
      name: `model.layers.${layer}.${name}`,
      parts: parts.map((part) => `model.layers.${layer}.${part}`),
      bits: layer < lowLayers ? 4 : bits,
    })),
  ).flat();
}

function concatenated(arrays: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let offset = 0;
  for (const array of arrays) {
    whole.set(array, offset);
    offset += array.length;
  }
  return whole;
}

function bytesOf(array: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function shapeOf(checkpoint: Checkpoint, name: string): readonly number[] {
  const stored = checkpoint.find(name);
  if (!stored) {
    const where = checkpoint.source ?? checkpoint.folder;
    throw new WeightError(`${where}: the checkpoint lacks tensor "${name}"`);
  }
  return stored.shape;
}

function quantiseGroup(checkpoint: Checkpoint, group: Group, blockSize: number): TensorToWrite[] {
  const shapes = group.parts.map((part) => shapeOf(checkpoint, `${part}.weight`));
  const k = shapes[0]?.[1] ?? 0;
  if (shapes.some((shape) => shape.length !== 2 || shape[1] !== k)) {
    throw new WeightError(
      `${group.name}: the shapes of ${group.parts.join(', ')} do not fit together`,
    );
  }
  const n = shapes.reduce((sum, shape) => sum + (shape[0] ?? 0), 0);
  const weights = concatenated(
    group.parts.map((part) => finiteFloats(checkpoint, `${part}.weight`)),
  );
  const { quantised, scales, zeros } = quantiseMatrix(weights, n, k, group.bits, blockSize);
  const blocks = Math.ceil(k / blockSize);
  const tensors: TensorToWrite[] = [
    {
      name: `${group.name}.weight.q${group.bits}`,
      dtype: 'uint8',
      shape: [n, blocks, quantised.length / n / blocks],
      bytes: quantised,
    },
    {
      name: `${group.name}.weight.scales`,
      dtype: 'float16',
      shape: [n, blocks],
      bytes: bytesOf(scales),
    },
    {
      name: `${group.name}.weight.zeros`,
      dtype: 'uint8',
      shape: [n, zeros.length / n],
      bytes: zeros,
    },
  ];
  if (group.parts.every((part) => checkpoint.find(`${part}.bias`))) {
    const bias = concatenated(group.parts.map((part) => finiteFloats(checkpoint, `${part}.bias`)));
    tensors.push({
      name: `${group.name}.bias`,
      dtype: 'float32',
      shape: [n],
      bytes: bytesOf(bias),
    });
  }
  return tensors;
}

/** One tensor's numbers. Rounding to blocks would hide a NaN, or spread it over a block. */
function finiteFloats(checkpoint: Checkpoint, name: string): Float32Array {
  const floats = readFloats(checkpoint, name);
  const at = firstNotFinite('float32', bytesOf(floats));
  if (at < 0) return floats;
  throw new WeightError(
    `${checkpoint.source ?? checkpoint.folder}: tensor "${name}" holds ${floats[at]} at place ${at}`,
  );
}

function plainTensor(checkpoint: Checkpoint, name: string): TensorToWrite {
  const floats = finiteFloats(checkpoint, name);
  return { name, dtype: 'float32', shape: shapeOf(checkpoint, name), bytes: bytesOf(floats) };
}

interface RawConfig extends Record<string, unknown> {
  readonly num_hidden_layers: number;
  readonly hidden_size: number;
  readonly tie_word_embeddings: boolean;
}

function readConfig(folder: string): RawConfig {
  const file = join(folder, 'config.json');
  if (!existsSync(file)) throw new WeightError(`${file} does not exist`);
  const raw = readJsonFile(file, z.record(z.string(), z.unknown()), 'model-invalid');
  if (raw['model_type'] !== 'llama') {
    throw new WeightError(
      `${file}: model_type is ${JSON.stringify(raw['model_type'])}, only "llama" can be quantised`,
    );
  }
  if (raw['quantization_config']) throw new WeightError(`${file}: the model is quantised already`);
  const { num_hidden_layers: layers, hidden_size: hidden } = raw;
  if (typeof layers !== 'number' || layers > 256 || typeof hidden !== 'number') {
    throw new WeightError(
      `${file}: num_hidden_layers (at most 256) and hidden_size must be numbers`,
    );
  }
  return {
    ...raw,
    num_hidden_layers: layers,
    hidden_size: hidden,
    tie_word_embeddings: raw['tie_word_embeddings'] === true,
  };
}

/** Tokenizer files and the like: all that is neither weights nor the config. */
function copyRest(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const isWeights = /\.(safetensors|bin|pt|pth|gguf)$|\.index\.json$/.test(entry.name);
    const source = join(from, entry.name);
    // A file of the Hugging Face cache is a link; its target is what is copied.
    if (!isWeights && entry.name !== 'config.json' && statSync(source).isFile()) {
      copyFileSync(source, join(to, entry.name));
    }
  }
}

/** The matrices of a network and the bits that each gets, and the tensors that stay as they are. */
function planOf(
  checkpoint: Checkpoint,
  config: RawConfig,
  { bits, lowLayers, blockSize }: { bits: 4 | 8; lowLayers: number; blockSize: number },
) {
  // Look-up and head read the same bytes only when rows are whole blocks.
  const embeddingBits = config.hidden_size % blockSize === 0 ? 8 : 16;
  const outer = config.tie_word_embeddings
    ? ['model.embed_tokens']
    : ['model.embed_tokens', 'lm_head'];
  const outerGroups = outer.map((name) => ({ name, parts: [name], bits: 8 }) as const);
  const groups: Group[] = [
    ...(embeddingBits === 8 ? outerGroups : []),
    ...layerGroups(config.num_hidden_layers, bits, lowLayers),
  ];
  const plain = [...checkpoint.names()].filter((name) => /norm\.weight$/.test(name));
  if (embeddingBits === 16) plain.push(...outer.map((name) => `${name}.weight`));
  return { embeddingBits, groups, plain };
}

/**
 * Quantises a language model, one group of matrices after another: what is held is one group and one shard. The
 * config comes last, so a folder with one is whole.
 *
 * @returns bytes of all tensors written.
 * @throws WeightError if the folder is not a Llama model, tensors are missing, or one holds infinities or NaN; the
 * signal's reason where it was stopped, and then the folder is left half written.
 */
export async function quantiseModel(
  from: string,
  to: string,
  options: QuantiseOptions = {},
): Promise<number> {
  const { bits = 4, lowLayers = 0, blockSize = 32, onProgress, signal } = options;
  const config = readConfig(from);
  const checkpoint = options.checkpoint ?? openCheckpoint(from);
  const { embeddingBits, groups, plain } = planOf(checkpoint, config, {
    bits,
    lowLayers,
    blockSize,
  });
  mkdirSync(to, { recursive: true });
  const writer = new ShardWriter(to, {
    stem: 'model',
    ...(options.maxShardBytes === undefined ? {} : { maxBytes: options.maxShardBytes }),
  });
  for (const name of plain) writer.add(plainTensor(checkpoint, name));
  for (const [index, group] of groups.entries()) {
    await pause(signal);
    for (const tensor of quantiseGroup(checkpoint, group, blockSize)) writer.add(tensor);
    onProgress?.(index + 1, groups.length);
  }
  const bytes = writer.finish();
  copyRest(from, to);
  const [rows = 0] = shapeOf(checkpoint, 'model.embed_tokens.weight');
  const quantization = {
    quant_method: 'textbind-blocks',
    bits,
    ...(lowLayers > 0 ? { low_layers: lowLayers } : {}),
    block_size: blockSize,
    embedding_bits: embeddingBits,
  };
  // A fine-tuned checkpoint may have rows for added tokens that its base's config does not count.
  const vocabulary = rows > Number(config['vocab_size'] ?? 0) ? { vocab_size: rows } : {};
  writeJsonFileSync(join(to, 'config.json'), {
    ...config,
    ...vocabulary,
    quantization_config: quantization,
  });
  return bytes;
}
