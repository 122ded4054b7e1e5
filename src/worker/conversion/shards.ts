import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { jsonText, writeJsonFileSync } from '../../base/whole-file.ts';
import {
  hasSafetensors,
  safetensorsBytes,
  WeightError,
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

/** Options of a {@link ShardWriter}. */
export interface ShardWriterOptions extends ShardOptions {
  /** Tensors whose files are there already; see {@link wholeTensors}. They may come without their bytes. */
  readonly whole?: ReadonlySet<string>;
}

/** Writes tensors into files of limited size, and at last the index that names them. */
export class ShardWriter extends Shards<TensorToWrite | SizedTensor> {
  constructor(folder: string, options: ShardWriterOptions) {
    super(
      {
        file(name, tensors) {
          if (tensors.every((tensor) => options.whole?.has(tensor.name) === true)) return;
          writeSafetensors(join(folder, name), tensors.map(withBytes));
        },
        index: (name, value) => writeJsonFileSync(join(folder, name), value),
      },
      options,
    );
  }
}

function withBytes(tensor: TensorToWrite | SizedTensor): TensorToWrite {
  const { bytes } = tensor;
  if (bytes instanceof Uint8Array) return { ...tensor, bytes };
  throw new WeightError(`tensor "${tensor.name}" has no bytes, and its file is not there`);
}

/** Runs tensors through the same division without writing anything. */
function divide(
  tensors: Iterable<SizedTensor>,
  sink: Sink<SizedTensor>,
  options: ShardOptions,
): void {
  const shards = new Shards<SizedTensor>(sink, options);
  for (const tensor of tensors) shards.add(tensor);
  shards.finish();
}

/** Of the tensors that are to be written, those whose files an earlier run has left whole in the folder. */
export function wholeTensors(
  folder: string,
  tensors: Iterable<SizedTensor>,
  options: ShardOptions,
): ReadonlySet<string> {
  const whole = new Set<string>();
  const sink: Sink<SizedTensor> = {
    file(name, inside) {
      const file = join(folder, name);
      if (!existsSync(file) || !hasSafetensors(file, inside)) return;
      for (const tensor of inside) whole.add(tensor.name);
    },
    index: () => undefined,
  };
  divide(tensors, sink, options);
  return whole;
}

/** Bytes on the disk of the files that {@link ShardWriter} makes of such tensors: nothing is read or written. */
export function shardedBytes(tensors: Iterable<SizedTensor>, options: ShardOptions): number {
  let sum = 0;
  const sink: Sink<SizedTensor> = {
    file: (_, inside) => void (sum += safetensorsBytes(inside)),
    index: (_, value) => void (sum += jsonText(value).length),
  };
  divide(tensors, sink, options);
  return sum;
}
