import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import {
  findTensor,
  firstNotFinite,
  openCheckpoint,
  readFloats,
  readTensorBytes,
  toHalf,
  WeightError,
  writeSafetensors,
  type Checkpoint,
  type TensorToWrite,
} from '../weights/index.ts';
import { pause } from './pause.ts';
import { ShardWriter } from './shards.ts';

/** Weights in a folder besides those of the network, for instance a head that evaluations use. */
const smallFileBytes = 2_000_000;
const weightNames = ['model', 'diffusion_pytorch_model'] as const;

export interface HalfOptions {
  /** Which tensors are written; all where it is left out. */
  readonly keep?: (name: string) => boolean;
  /** The weights to store; the folder's own where it is left out. */
  readonly checkpoint?: Checkpoint;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies a Hugging Face folder with its weights in half precision, in shards that git takes. Weights in other formats
 * and of other variants (`model.fp16.safetensors`, `pytorch_model.bin`) are left out. Holds one shard.
 * @throws WeightError naming a tensor that half precision cannot hold; the signal's reason
 */
export async function storeAsHalf(
  from: string,
  to: string,
  { keep = () => true, checkpoint = openCheckpoint(from), signal }: HalfOptions = {},
): Promise<void> {
  mkdirSync(to, { recursive: true });
  copySmallFiles(from, to);
  const isDiffusers = readdirSync(from).some((file) => file.startsWith(`${weightNames[1]}.`));
  const stem = weightNames[isDiffusers ? 1 : 0];
  const writer = new ShardWriter(to, { stem, alone: true });
  for (const name of [...checkpoint.names()].filter(keep)) {
    await pause(signal);
    writer.add(halfTensor(checkpoint, name));
  }
  writer.finish();
}

/** One file of tensors in half precision. */
export async function storeFileAsHalf(
  from: string,
  to: string,
  { keep = () => true, checkpoint = openCheckpoint(from), signal }: HalfOptions = {},
): Promise<void> {
  const tensors: TensorToWrite[] = [];
  for (const name of [...checkpoint.names()].filter(keep)) {
    await pause(signal);
    tensors.push(halfTensor(checkpoint, name));
  }
  mkdirSync(path.dirname(to), { recursive: true });
  writeSafetensors(to, tensors);
}

/** Configurations, tokenizers and small extra weights. A config's note of its author's own path is left out. */
export function copySmallFiles(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = path.join(from, entry.name);
    const target = path.join(to, entry.name);
    if (!statSync(source).isFile()) continue;
    const isText = /\.(json|txt|model)$/.test(entry.name) && !entry.name.endsWith('.index.json');
    const isExtra =
      entry.name.endsWith('.safetensors') &&
      !weightNames.some((name) => entry.name.startsWith(name)) &&
      statSync(source).size < smallFileBytes;
    if (entry.name === 'config.json')
      writeFileSync(target, withoutPath(readFileSync(source, 'utf8')));
    else if (isText || isExtra) copyFileSync(source, target);
  }
}

function withoutPath(text: string): string {
  // As text: numbers keep their form, since transformers refuses 1 where a float belongs.
  const cut = text.replace(/^\s*"_name_or_path": "[^"\n]*",?\n/m, '');
  return cut.replace(/,(\s*}\s*)$/, '$1');
}

/** A tensor as it is written in half precision; one that is no floating point, or half already, stays. */
export function halfTensor(checkpoint: Checkpoint, name: string): TensorToWrite {
  const { dtype, shape } = findTensor(checkpoint, name);
  const tensor =
    dtype !== 'float32' && dtype !== 'bfloat16'
      ? { name, dtype, shape, bytes: readTensorBytes(checkpoint, name) }
      : ({ name, dtype: 'float16', shape, bytes: halves(readFloats(checkpoint, name)) } as const);
  const at = firstNotFinite(tensor.dtype, tensor.bytes);
  if (at < 0) return tensor;
  const value = readFloats(checkpoint, name)[at];
  throw new WeightError(
    `${checkpoint.source ?? checkpoint.folder}: tensor "${name}" holds ${value} at place ${at}, which half precision cannot hold`,
  );
}

/** @throws WeightError for infinities and NaN, naming the file and the tensor */
export function refuseNotFinite(checkpoint: Checkpoint, name: string, floats: Float32Array): void {
  const at = floats.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw new WeightError(
    `${checkpoint.source ?? checkpoint.folder}: tensor "${name}" holds ${floats[at]} at place ${at}`,
  );
}

function halves(values: Float32Array): Uint8Array {
  return new Uint8Array(toHalf(values).buffer);
}
