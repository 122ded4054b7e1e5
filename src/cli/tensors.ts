import { existsSync } from 'node:fs';
import {
  openCheckpoint,
  readFloats,
  readSafetensorsHeader,
  readTensorBytes,
  writeSafetensors,
} from '../worker/weights/index.ts';
import type { FloatTensor } from '../worker/pipelines/network.ts';
import { UsageError } from './usage.ts';

/** The tensors of a safetensors file, read when asked for. */
export interface TensorFile {
  readonly names: readonly string[];
  has(name: string): boolean;
  /** Any floating-point tensor, as float32. */
  floats(name: string): FloatTensor;
  /** An int64 or int32 tensor. */
  integers(name: string): { readonly dims: readonly number[]; readonly data: number[] };
}

/** @throws UsageError for a file or a tensor that is not there or of the wrong type */
export function openTensorFile(file: string): TensorFile {
  if (!existsSync(file)) throw new UsageError(`${file}: does not exist`);
  const checkpoint = openCheckpoint(file);
  const { tensors } = readSafetensorsHeader(file);
  const entry = (name: string) => {
    const found = tensors.get(name);
    if (found === undefined) {
      const names = [...tensors.keys()].join(', ');
      throw new UsageError(`${file}: there is no tensor "${name}", only ${names}`);
    }
    return found;
  };
  return {
    names: [...tensors.keys()],
    has: (name) => tensors.has(name),
    floats(name) {
      const { dtype, shape } = entry(name);
      if (dtype === 'int64' || dtype === 'int32') {
        const { data } = this.integers(name);
        return { dims: shape, data: Float32Array.from(data) };
      }
      return { dims: shape, data: readFloats(checkpoint, name) };
    },
    integers(name) {
      const { dtype, shape } = entry(name);
      // A copy begins at an aligned offset.
      const bytes = Uint8Array.from(readTensorBytes(checkpoint, name)).buffer;
      if (dtype === 'int64') {
        return { dims: shape, data: Array.from(new BigInt64Array(bytes), Number) };
      }
      if (dtype === 'int32') return { dims: shape, data: Array.from(new Int32Array(bytes)) };
      throw new UsageError(`${file}: tensor "${name}" is ${dtype}, expected int64 or int32`);
    },
  };
}

/** Writes float32 tensors by name; the file appears whole. */
export function writeTensorFile(
  file: string,
  tensors: Readonly<Record<string, FloatTensor>>,
): void {
  writeSafetensors(
    file,
    Object.entries(tensors).map(([name, { dims, data }]) => ({
      name,
      dtype: 'float32',
      shape: dims,
      bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    })),
  );
}
