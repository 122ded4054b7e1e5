/**
 * A checkpoint on disk as a source of weights: one safetensors or PyTorch file, a sharded one with its
 * index, or several laid over each other.
 */
import { closeSync, existsSync, readSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../base/json-file.ts';
import type { StoredTensor, WeightSource } from '../tensor/stored-tensor.ts';
import { toFloat32 } from './convert.ts';
import { openRegularFile } from './open-file.ts';
import type { QuantisedMatrix } from './quantise.ts';
import { readBytes, readSafetensorsHeader } from './safetensors.ts';
import type { TensorEntry } from './safetensors.ts';
import { readTorchTensors } from './torch-file.ts';
import { WeightError } from './weight-error.ts';

/** Weights in files under one folder, which a session needs to find them. */
export interface Checkpoint extends WeightSource {
  /** The folder that the files of all tensors are relative to. */
  readonly folder: string;
  /** A matrix that is stored in blocks which ours of so many bits hold exactly; undefined for every other. */
  readonly blocks?: (name: string, bits: 4 | 8) => QuantisedMatrix | undefined;
}

/** A tensor and the absolute path of its file. */
interface Located {
  readonly path: string;
  readonly entry: TensorEntry;
}

/** Files that Hugging Face libraries write, in the order they are looked for. */
const usualNames = [
  'model.safetensors.index.json',
  'model.safetensors',
  'diffusion_pytorch_model.safetensors.index.json',
  'diffusion_pytorch_model.safetensors',
  'model.fp16.safetensors',
  'diffusion_pytorch_model.fp16.safetensors',
  'pytorch_model.bin.index.json',
  'pytorch_model.bin',
  'pytorch_model.pt',
  'diffusion_pytorch_model.bin',
];

/** How a zip begins, and a pickle of PyTorch before 1.6. A safetensors header of so many bytes is beyond its limit. */
const zipSignature = 0x04034b50;
const oldTorchSignature = 0x0a8a0280;

function findFile(path: string): string {
  if (!existsSync(path)) throw new WeightError(`${path} does not exist`);
  if (!statSync(path).isDirectory()) return path;
  const found = usualNames.map((name) => join(path, name)).find((file) => existsSync(file));
  if (!found) throw new WeightError(`${path}: none of ${usualNames.join(', ')} is there`);
  return found;
}

/** model.safetensors.index.json: which file of its folder holds which tensor. */
const indexSchema = z.looseObject({
  weight_map: z.record(
    z.string(),
    z.string().refine((shard) => basename(shard) === shard, 'the shard is not a file name'),
  ),
});

function shardsOf(index: string): Map<string, string> {
  return new Map(Object.entries(readJsonFile(index, indexSchema, 'model-invalid').weight_map));
}

/**
 * PyTorch's files are told by their first bytes, a zip's or an older pickle's, and not by their names: in the Hugging
 * Face cache a name is a link to a file without an ending.
 */
function readTensors(path: string): ReadonlyMap<string, TensorEntry> {
  return isTorchFile(path) ? readTorchTensors(path) : readSafetensorsHeader(path).tensors;
}

function isTorchFile(path: string): boolean {
  const start = Buffer.alloc(4);
  const descriptor = openRegularFile(path);
  try {
    readSync(descriptor, start, 0, 4, 0);
  } finally {
    closeSync(descriptor);
  }
  return [zipSignature, oldTorchSignature].includes(start.readUInt32LE());
}

function locate(file: string): Map<string, Located> {
  if (!file.endsWith('.json')) {
    const path = realpathSync(file);
    return new Map([...readTensors(path)].map(([name, entry]) => [name, { path, entry }]));
  }
  const shards = shardsOf(file);
  const headers = new Map(
    [...new Set(shards.values())].map((shard) => {
      const path = join(dirname(file), shard);
      if (!existsSync(path)) throw new WeightError(`${file} names ${shard}, which is missing`);
      return [shard, { path: realpathSync(path), tensors: readTensors(path) }] as const;
    }),
  );
  const located = new Map<string, Located>();
  for (const [name, shard] of shards) {
    const opened = headers.get(shard);
    const entry = opened?.tensors.get(name);
    if (!opened || !entry) throw new WeightError(`${file}: "${name}" is not in ${shard}`);
    located.set(name, { path: opened.path, entry });
  }
  return located;
}

function commonFolder(paths: readonly string[]): string {
  const [first = '', ...rest] = paths.map((path) => dirname(path).split(sep));
  let parts = [...first];
  for (const other of rest) {
    let length = 0;
    while (length < parts.length && parts[length] === other[length]) length += 1;
    parts = parts.slice(0, length);
  }
  return parts.join(sep) || sep;
}

function fromLocated(located: ReadonlyMap<string, Located>, source: string): Checkpoint {
  const folder = commonFolder([...new Set([...located.values()].map(({ path }) => path))]);
  return {
    folder,
    source,
    names: () => located.keys(),
    find(name) {
      const found = located.get(name);
      if (!found) return undefined;
      const { dtype, shape, offset, length } = found.entry;
      const file = relative(folder, found.path).split(sep).join('/');
      return { dtype, shape, location: { kind: 'file', file, offset, length } };
    },
  };
}

/**
 * Opens weights: a folder in Hugging Face's layout, a safetensors or PyTorch file, or an index. Given
 * several, later ones replace tensors of earlier ones (a fine-tuned checkpoint over its base).
 *
 * @throws WeightError naming the file and what is wrong with it.
 */
export function openCheckpoint(...paths: readonly string[]): Checkpoint {
  const located = new Map<string, Located>();
  const files = paths.map(findFile);
  for (const file of files) for (const [name, each] of locate(file)) located.set(name, each);
  if (located.size === 0) throw new WeightError(`${paths.join(', ')}: no tensors`);
  return fromLocated(located, files.join(' and '));
}

/** The same weights under other names: `toStored` gives the stored name of a name asked for. */
export function renamed(
  checkpoint: Checkpoint,
  toStored: (name: string) => string,
  fromStored: (name: string) => string | undefined,
): Checkpoint {
  return {
    folder: checkpoint.folder,
    source: checkpoint.source,
    find: (name) => checkpoint.find(toStored(name)),
    names: () => [...checkpoint.names()].map(fromStored).filter((name) => name !== undefined),
  };
}

/** The tensors whose names start with `prefix`, without it. */
export function withPrefix(checkpoint: Checkpoint, prefix: string): Checkpoint {
  return renamed(
    checkpoint,
    (name) => prefix + name,
    (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : undefined),
  );
}

/**
 * How one tensor is stored.
 *
 * @throws WeightError naming a tensor that is not there.
 */
export function findTensor(checkpoint: Checkpoint, name: string): StoredTensor {
  const stored = checkpoint.find(name);
  if (!stored) {
    const where = checkpoint.source ?? checkpoint.folder;
    throw new WeightError(`${where}: the checkpoint lacks tensor "${name}"`);
  }
  return stored;
}

/** At most the first `limit` bytes of one tensor. */
export function readPartOfTensor(checkpoint: Checkpoint, name: string, limit: number): Uint8Array {
  const { location } = findTensor(checkpoint, name);
  if (location.kind === 'bytes') return location.bytes.subarray(0, limit);
  const length = Math.min(location.length, limit);
  return readBytes(join(checkpoint.folder, location.file), location.offset, length);
}

/** The bytes of one tensor. */
export function readTensorBytes(checkpoint: Checkpoint, name: string): Uint8Array {
  const { location } = findTensor(checkpoint, name);
  if (location.kind === 'bytes') return location.bytes;
  return readBytes(join(checkpoint.folder, location.file), location.offset, location.length);
}

/** One floating-point tensor as float32. */
export function readFloats(checkpoint: Checkpoint, name: string): Float32Array {
  return toFloat32(findTensor(checkpoint, name).dtype, readTensorBytes(checkpoint, name));
}
