/**
 * Turns a Llama folder in Hugging Face's layout into one with quantised weights; as a command:
 * `node src/worker/conversion/quantise-command.ts FROM TO [4|8]`.
 *
 * Query, key and value become one matrix, gate and up another (fewer and larger products); the
 * embedding, and the head where it is apart, keep 8 bits; norms and biases stay single precision.
 * Names: `X.weight.q4` (or `.q8`), `X.weight.scales`, `X.weight.zeros`.
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeJsonFileSync } from '../../base/whole-file.ts';
import {
  findTensor,
  firstNotFinite,
  openCheckpoint,
  quantiseMatrix,
  readFloats,
  WeightError,
  type Checkpoint,
  type QuantisedMatrix,
  type TensorToWrite,
} from '../weights/index.ts';
import { pause } from './pause.ts';
import {
  groupShape,
  hasBias,
  planOf,
  readRawConfig,
  sizedGroup,
  sizedPlain,
  type Group,
  type LayerBits,
  type QuantisePlan,
} from './quantise-plan.ts';
import { ShardWriter, wholeTensors } from './shards.ts';

/** How to quantise. */
export interface QuantiseOptions extends Partial<LayerBits> {
  readonly blockSize?: number;
  /** A file is closed before it grows over this; one tensor alone may exceed it. */
  readonly maxShardBytes?: number;
  /** Weights in place of the folder's own: a fine-tuned checkpoint laid over them. */
  readonly checkpoint?: Checkpoint;
  /** Goes on where an earlier run of the same work was cut off: files that it left whole are not written again. */
  readonly resume?: boolean;
  /** Ends the work between two matrices. */
  readonly signal?: AbortSignal | undefined;
  /** Told the bytes of each group of matrices, those that were there already too. */
  readonly onBytes?: (bytes: number) => void;
}

const stem = 'model';

function concatenated<Numbers extends Float32Array | Uint16Array | Uint8Array>(
  arrays: readonly Numbers[],
  whole: Numbers,
): Numbers {
  let offset = 0;
  for (const array of arrays) {
    whole.set(array, offset);
    offset += array.length;
  }
  return whole;
}

function lengthOf(arrays: readonly { readonly length: number }[]): number {
  return arrays.reduce((sum, { length }) => sum + length, 0);
}

function joined(arrays: readonly Float32Array[]): Float32Array {
  const [first, ...others] = arrays;
  // A head alone takes half a gigabyte in single precision: not twice.
  if (first !== undefined && others.length === 0) return first;
  return concatenated(arrays, new Float32Array(lengthOf(arrays)));
}

function bytesOf(array: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

type Blocks = Pick<QuantisedMatrix, 'quantised' | 'scales' | 'zeros'>;

/** A group's blocks as they are stored, where our blocks hold all of its parts exactly. */
function storedBlocks(checkpoint: Checkpoint, group: Group, blockSize: number): Blocks | undefined {
  const parts: QuantisedMatrix[] = [];
  for (const part of group.parts) {
    const stored = checkpoint.blocks?.(`${part}.weight`, group.bits);
    if (stored?.blockSize !== blockSize) return undefined;
    refuseNotFinite(checkpoint, `${part}.weight`, 'float16', bytesOf(stored.scales));
    parts.push(stored);
  }
  const [codes, scales, zeros] = [
    parts.map(({ quantised }) => quantised),
    parts.map((part) => part.scales),
    parts.map((part) => part.zeros),
  ];
  return {
    quantised: concatenated(codes, new Uint8Array(lengthOf(codes))),
    scales: concatenated(scales, new Uint16Array(lengthOf(scales))),
    zeros: concatenated(zeros, new Uint8Array(lengthOf(zeros))),
  };
}

/** The tensors that a group of matrices becomes, as `sizedGroup` lists them. */
export function quantiseGroup(
  checkpoint: Checkpoint,
  group: Group,
  blockSize: number,
): TensorToWrite[] {
  const [n, k] = groupShape(checkpoint, group);
  const floats = (kind: string) =>
    joined(group.parts.map((part) => finiteFloats(checkpoint, `${part}.${kind}`)));
  const { quantised, scales, zeros } =
    storedBlocks(checkpoint, group, blockSize) ??
    quantiseMatrix(floats('weight'), n, k, group.bits, blockSize);
  const bytes = [quantised, bytesOf(scales), zeros];
  if (hasBias(checkpoint, group)) bytes.push(bytesOf(floats('bias')));
  return sizedGroup(checkpoint, group, blockSize).map((tensor, index) => ({
    ...tensor,
    bytes: bytes[index] ?? new Uint8Array(),
  }));
}

/** One tensor's numbers. Rounding to blocks would hide a NaN, or spread it over a block. */
function finiteFloats(checkpoint: Checkpoint, name: string): Float32Array {
  const floats = readFloats(checkpoint, name);
  refuseNotFinite(checkpoint, name, 'float32', bytesOf(floats));
  return floats;
}

function refuseNotFinite(
  checkpoint: Checkpoint,
  name: string,
  dtype: 'float32' | 'float16',
  bytes: Uint8Array,
): void {
  const at = firstNotFinite(dtype, bytes);
  if (at < 0) return;
  const value = readFloats(checkpoint, name).find((each) => !Number.isFinite(each));
  throw new WeightError(
    `${checkpoint.source ?? checkpoint.folder}: tensor "${name}" holds ${value} at place ${at}`,
  );
}

function plainTensor(checkpoint: Checkpoint, name: string): TensorToWrite {
  return { ...sizedPlain(checkpoint, name), bytes: bytesOf(finiteFloats(checkpoint, name)) };
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

/** Writes the weights by a plan; gives bytes of all tensors. */
async function writeWeights(
  to: string,
  checkpoint: Checkpoint,
  { groups, plain, blockSize }: QuantisePlan,
  { maxShardBytes, resume = false, signal, onBytes }: QuantiseOptions,
): Promise<number> {
  const shards = { stem, ...(maxShardBytes === undefined ? {} : { maxBytes: maxShardBytes }) };
  const sizes = [
    ...plain.map((name) => sizedPlain(checkpoint, name)),
    ...groups.flatMap((group) => sizedGroup(checkpoint, group, blockSize)),
  ];
  const whole = resume ? wholeTensors(to, sizes, shards) : new Set<string>();
  const writer = new ShardWriter(to, { ...shards, whole });
  for (const name of plain) writer.add(plainTensor(checkpoint, name));
  for (const group of groups) {
    await pause(signal);
    const planned = sizedGroup(checkpoint, group, blockSize);
    const isDone = planned.every(({ name }) => whole.has(name));
    const tensors = isDone ? planned : quantiseGroup(checkpoint, group, blockSize);
    for (const tensor of tensors) writer.add(tensor);
    onBytes?.(lengthOf(planned.map(({ bytes }) => bytes)));
  }
  return writer.finish();
}

/** What a run that was cut off was writing. */
function removeHalfWritten(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.part')) rmSync(join(folder, name));
  }
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
  const { bits = 4, lowLayers = 0, layerBits, blockSize = 32 } = options;
  const config = readRawConfig(from);
  const checkpoint = options.checkpoint ?? openCheckpoint(from);
  const plan = planOf(checkpoint, config, { bits, lowLayers, layerBits }, blockSize);
  mkdirSync(to, { recursive: true });
  if (options.resume === true) removeHalfWritten(to);
  const bytes = await writeWeights(to, checkpoint, plan, options);
  copyRest(from, to);
  const [rows = 0] = findTensor(checkpoint, 'model.embed_tokens.weight').shape;
  const quantization = {
    quant_method: 'textbind-blocks',
    bits,
    ...(lowLayers > 0 ? { low_layers: lowLayers } : {}),
    ...(layerBits === undefined ? {} : { layer_bits: layerBits }),
    block_size: blockSize,
    embedding_bits: plan.embeddingBits,
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
