import { join } from 'node:path';
import { jsonText, writeJsonFileSync } from '../../base/whole-file.ts';
import {
  safetensorsBytes,
  writeSafetensors,
  type SizedTensor,
  type TensorToWrite,
} from '../weights/index.ts';

/** Files under this size can live in a git repository. */
export const usualShardBytes = 45_000_000;

export interface ShardOptions {
  /** What files are called in front of their number: `model` or `diffusion_pytorch_model`. */
  readonly stem: string;
  /** A file is closed before it grows over this; one tensor alone may exceed it. */
  readonly maxBytes?: number;
  /** Whether what fits one file becomes `STEM.safetensors` without an index. */
  readonly alone?: boolean;
}

/** What becomes of files: their tensors, and the index that names them. */
interface Sink<Tensor> {
  file(name: string, tensors: readonly Tensor[]): void;
  index(name: string, value: object): void;
}

/** Divides tensors into files of limited size, and gives at last the index that names them. Holds one file's tensors. */
class Shards<Tensor extends SizedTensor> {
  readonly #sink: Sink<Tensor>;
  readonly #options: ShardOptions;
  readonly #map: Record<string, string> = {};
  #open: Tensor[] = [];
  #openBytes = 0;
  #shards = 0;
  #totalBytes = 0;

  constructor(sink: Sink<Tensor>, options: ShardOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  add(tensor: Tensor): void {
    const limit = this.#options.maxBytes ?? usualShardBytes;
    if (this.#openBytes > 0 && this.#openBytes + tensor.bytes.length > limit) this.#close();
    this.#open.push(tensor);
    this.#openBytes += tensor.bytes.length;
    this.#totalBytes += tensor.bytes.length;
  }

  /** @returns bytes of all tensors */
  finish(): number {
    const { stem, alone } = this.#options;
    if (alone === true && this.#shards === 0) {
      this.#sink.file(`${stem}.safetensors`, this.#open);
      return this.#totalBytes;
    }
    if (this.#open.length > 0) this.#close();
    const index = { metadata: { total_size: this.#totalBytes }, weight_map: this.#map };
    this.#sink.index(`${stem}.safetensors.index.json`, index);
    return this.#totalBytes;
  }

  #close(): void {
    this.#shards += 1;
    const name = `${this.#options.stem}-${String(this.#shards).padStart(5, '0')}.safetensors`;
    this.#sink.file(name, this.#open);
    for (const tensor of this.#open) this.#map[tensor.name] = name;
    this.#open = [];
    this.#openBytes = 0;
  }
}

/** Writes tensors into files of limited size, and at last the index that names them. */
export class ShardWriter extends Shards<TensorToWrite> {
  constructor(folder: string, options: ShardOptions) {
    super(
      {
        file: (name, tensors) => writeSafetensors(join(folder, name), tensors),
        index: (name, value) => writeJsonFileSync(join(folder, name), value),
      },
      options,
    );
  }
}

/** Bytes on the disk of the files that {@link ShardWriter} makes of such tensors: nothing is read or written. */
export function shardedBytes(tensors: Iterable<SizedTensor>, options: ShardOptions): number {
  let sum = 0;
  const shards = new Shards<SizedTensor>(
    {
      file: (_, inside) => void (sum += safetensorsBytes(inside)),
      index: (_, value) => void (sum += jsonText(value).length),
    },
    options,
  );
  for (const tensor of tensors) shards.add(tensor);
  shards.finish();
  return sum;
}
