/**
 * A GGUF file of a Llama network as a folder in Hugging Face's layout: config.json, tokenizer and, where they are asked
 * for, the weights. Blocks are dequantised tensor by tensor; rows of query and key go back into the order that Hugging
 * Face has them in (llama.cpp's convert_hf_to_gguf.py, `permute`). What our networks do not build is refused by name.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeJsonFileSync } from '../../base/whole-file.ts';
import {
  exactBits,
  exactBlocks,
  findTensor,
  openGguf,
  readGgufBytes,
  readGgufTensor,
  toHalf,
  WeightError,
  type Checkpoint,
  type GgufFile,
  type GgufTensor,
  type SizedTensor,
} from '../weights/index.ts';
import { GgufMetadata } from './gguf-metadata.ts';
import { writeGgufTokenizer } from './gguf-tokenizer.ts';
import { pause } from './pause.ts';
import { shardedBytes, ShardWriter } from './shards.ts';

/** Entries that would make another network of it, and what they are where they change nothing. */
const harmless: Readonly<Record<string, readonly unknown[]>> = {
  'llama.expert_count': [0],
  'llama.expert_used_count': [0],
  'llama.attention.sliding_window': [0],
  'llama.attention.causal': [true],
  'llama.logit_scale': [1],
  // One of several files that llama-gguf-split made.
  'split.count': [0, 1],
};

/** A number that went through float32 and back, as it was written: 1e-5 and not 9.999999747e-6. */
function shortest(value: number): number {
  return Number(value.toPrecision(7));
}

interface Sizes {
  readonly headCount: number;
  readonly keyValueHeadCount: number;
}

function configOf(metadata: GgufMetadata): Record<string, unknown> & Sizes {
  metadata.text('general.architecture', ['llama']);
  for (const [key, values] of Object.entries(harmless)) {
    const value = metadata.find(key);
    if (value === undefined || values.includes(value)) continue;
    throw new WeightError(
      `${metadata.file.path}: ${key} is ${JSON.stringify(value)}, which is not supported`,
    );
  }
  const hidden = metadata.count('llama.embedding_length');
  const headCount = metadata.count('llama.attention.head_count');
  const keyValueHeadCount = metadata.count('llama.attention.head_count_kv', headCount);
  const headSize = metadata.count('llama.attention.key_length', hidden / headCount);
  for (const key of ['llama.attention.value_length', 'llama.rope.dimension_count']) {
    if (metadata.count(key, headSize) === headSize) continue;
    throw new WeightError(
      `${metadata.file.path}: ${key} is ${metadata.number(key)}, only a head's size ${headSize} is supported`,
    );
  }
  const { tensors } = metadata.file;
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_act: 'silu',
    hidden_size: hidden,
    intermediate_size: metadata.count('llama.feed_forward_length'),
    num_hidden_layers: metadata.count('llama.block_count'),
    num_attention_heads: headCount,
    num_key_value_heads: keyValueHeadCount,
    head_dim: headSize,
    max_position_embeddings: metadata.count('llama.context_length'),
    rms_norm_eps: shortest(metadata.number('llama.attention.layer_norm_rms_epsilon')),
    rope_theta: shortest(metadata.number('llama.rope.freq_base', 10_000)),
    rope_scaling: scalingOf(metadata),
    vocab_size: tensors.get('token_embd.weight')?.shape[0],
    tie_word_embeddings: !tensors.has('output.weight'),
    attention_bias: tensors.has('blk.0.attn_q.bias'),
    mlp_bias: tensors.has('blk.0.ffn_up.bias'),
    bos_token_id: metadata.count('tokenizer.ggml.bos_token_id', 1),
    eos_token_id: metadata.count('tokenizer.ggml.eos_token_id', 2),
    headCount,
    keyValueHeadCount,
  };
}

function scalingOf(metadata: GgufMetadata): object | null {
  const kind = metadata.find('llama.rope.scaling.type') ?? 'none';
  if (kind === 'none') return null;
  metadata.text('llama.rope.scaling.type', ['none', 'linear']);
  return { type: 'linear', factor: metadata.number('llama.rope.scaling.factor') };
}

const layerNames: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  ffn_norm: 'post_attention_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};
const outerNames: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
};

/** Hugging Face's name of a tensor; undefined for one that a Llama network does not have. */
function storedName(name: string): string | undefined {
  const [, layer, part = '', kind] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name) ?? [];
  const known = Object.hasOwn(layerNames, part) ? layerNames[part] : undefined;
  if (layer !== undefined && known !== undefined) return `model.layers.${layer}.${known}.${kind}`;
  return Object.hasOwn(outerNames, name) ? outerNames[name] : undefined;
}

/** Puts rows of query or key, which lie pair by pair, as Hugging Face has them: first halves of all pairs, then second. */
function apart<Numbers extends Float32Array | Uint16Array | Uint8Array>(
  values: Numbers,
  rows: number,
  heads: number,
): Numbers {
  const width = values.length / rows;
  const size = rows / heads;
  const before = values.slice();
  for (let row = 0; row < rows; row += 1) {
    const [head, within] = [Math.floor(row / size), row % size];
    const [side, pair] = [Math.floor(within / (size / 2)), within % (size / 2)];
    const from = head * size + 2 * pair + side;
    values.set(before.subarray(from * width, (from + 1) * width), row * width);
  }
  return values;
}

/**
 * A GGUF file's weights under Hugging Face's names; a tensor is read and dequantised, or its blocks laid out as ours,
 * each time it is asked for.
 */
function ggufCheckpoint(file: GgufFile, sizes: Sizes): Checkpoint {
  const byName = new Map<string, { readonly own: string; readonly tensor: GgufTensor }>();
  for (const [own, tensor] of file.tensors) {
    const name = storedName(own);
    if (name === undefined) {
      throw new WeightError(`${file.path}: tensor "${own}" is not supported`);
    }
    byName.set(name, { own, tensor });
  }
  const ordered = <Numbers extends Float32Array | Uint16Array | Uint8Array>(
    own: string,
    { shape: [rows = 1] }: GgufTensor,
    values: Numbers,
  ): Numbers => {
    if (/\.attn_q\./.test(own)) return apart(values, rows, sizes.headCount);
    return /\.attn_k\./.test(own) ? apart(values, rows, sizes.keyValueHeadCount) : values;
  };
  const numbers = (own: string, tensor: GgufTensor): Float32Array =>
    ordered(own, tensor, readGgufTensor(file, tensor));
  return {
    folder: '/',
    source: file.path,
    names: () => byName.keys(),
    find: (name) => {
      const found = byName.get(name);
      if (found === undefined) return undefined;
      const { own, tensor } = found;
      return {
        dtype: 'float32',
        shape: tensor.shape,
        location: {
          kind: 'bytes',
          get bytes() {
            return new Uint8Array(numbers(own, tensor).buffer);
          },
        },
      };
    },
    blocks(name, bits) {
      const { own, tensor } = byName.get(name) ?? {};
      if (own === undefined || tensor === undefined || !holds(tensor, bits)) return undefined;
      const [n = 0, k = 0] = tensor.shape;
      const matrix = exactBlocks(tensor.kind, readGgufBytes(file, tensor), [n, k], bits);
      if (matrix === undefined) return undefined;
      const { quantised, scales, zeros } = matrix;
      for (const values of [quantised, scales, zeros]) ordered(own, tensor, values);
      return matrix;
    },
  };
}

/** Whether our blocks of so many bits hold a tensor's numbers exactly. */
function holds({ kind, shape }: GgufTensor, bits: 4 | 8): boolean {
  return shape.length === 2 && (exactBits(kind) ?? Infinity) <= bits;
}

/** The fewest bits with which every matrix of the layers keeps its numbers; undefined where some would not. */
function keptBits(file: GgufFile): 4 | 8 | undefined {
  const matrices = [...file.tensors].filter(
    ([name, { shape }]) => name.startsWith('blk.') && shape.length === 2,
  );
  const isExact = (bits: 4 | 8): boolean => matrices.every(([, tensor]) => holds(tensor, bits));
  return ([4, 8] as const).find(isExact);
}

/** A language model that a GGUF file holds. */
export interface GgufModel {
  /** Weights in single precision under Hugging Face's names. */
  readonly checkpoint: Checkpoint;
  /** Bits of our blocks in which all layers keep their numbers; undefined where half precision serves better. */
  readonly keptBits: 4 | 8 | undefined;
}

/**
 * Writes config.json and the tokenizer into a folder.
 *
 * @throws WeightError naming the file and what in it is not supported
 */
export function writeGgufConfig(path: string, folder: string): GgufModel {
  const file = openGguf(path);
  const metadata = new GgufMetadata(file);
  const { headCount, keyValueHeadCount, ...config } = configOf(metadata);
  const checkpoint = ggufCheckpoint(file, { headCount, keyValueHeadCount });
  mkdirSync(folder, { recursive: true });
  writeGgufTokenizer(metadata, folder);
  writeJsonFileSync(join(folder, 'config.json'), config);
  return { checkpoint, keptBits: keptBits(file) };
}

const written = { stem: 'model', alone: true } as const;

/** Norms and biases stay single precision; blocks lose nothing that matters in half: a 4-bit step is 60 of its own. */
function writtenType(shape: readonly number[]) {
  return shape.length === 1
    ? ({ dtype: 'float32', width: 4 } as const)
    : ({ dtype: 'float16', width: 2 } as const);
}

/** Writes weights as {@link writtenType} says. */
export async function writeGgufWeights(
  { checkpoint }: Pick<GgufModel, 'checkpoint'>,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const writer = new ShardWriter(folder, written);
  for (const name of checkpoint.names()) {
    await pause(signal);
    const stored = checkpoint.find(name);
    if (stored?.location.kind !== 'bytes') continue;
    const { bytes } = stored.location;
    const { dtype } = writtenType(stored.shape);
    const half = dtype === 'float16' ? toHalf(new Float32Array(bytes.buffer)) : null;
    const kept = half === null ? bytes : new Uint8Array(half.buffer);
    writer.add({ name, dtype, shape: stored.shape, bytes: kept });
  }
  writer.finish();
}

/** What a GGUF file would become, as far as its header tells. */
export interface GgufDescription extends GgufModel {
  readonly layers: number;
  readonly hiddenSize: number;
  /** Of config.json and the tokenizer. */
  readonly smallBytes: number;
  /** Of the weights as they are written in half precision. */
  readonly weightBytes: number;
}

/**
 * Reads the header and writes config.json and tokenizer for a moment, so that nothing is found wrong only later.
 *
 * @throws WeightError naming the file and what in it is not supported
 */
export function describeGguf(path: string): GgufDescription {
  const folder = mkdtempSync(join(tmpdir(), 'textbind-gguf-'));
  try {
    const { checkpoint, keptBits: kept } = writeGgufConfig(path, folder);
    const names = readdirSync(folder);
    const smallBytes = names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    const metadata = new GgufMetadata(openGguf(path));
    return {
      ...{ checkpoint, keptBits: kept },
      layers: metadata.count('llama.block_count'),
      hiddenSize: metadata.count('llama.embedding_length'),
      smallBytes,
      weightBytes: shardedBytes(sizedTensors(checkpoint), written),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function* sizedTensors(checkpoint: Checkpoint): Generator<SizedTensor> {
  for (const name of checkpoint.names()) {
    const { shape } = findTensor(checkpoint, name);
    const { dtype, width } = writtenType(shape);
    const length = shape.reduce((product, dim) => product * dim, width);
    yield { name, dtype, shape, bytes: { length } };
  }
}
