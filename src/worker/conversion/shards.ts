import { join } from 'node:path';
import { writeJsonFileSync } from '../../base/whole-file.ts';
import { writeSafetensors, type TensorToWrite } from '../weights/index.ts';

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

/** Writes tensors into files of limited size, and at last the index that names them. Holds one file's tensors. */
export class ShardWriter {
  readonly #folder: string;
  readonly #options: ShardOptions;
  readonly #map: Record<string, string> = {};
  #open: TensorToWrite[] = [];
  #openBytes = 0;
  #shards = 0;
  #totalBytes = 0;

  constructor(folder: string, options: ShardOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  add(tensor: TensorToWrite): void {
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
      writeSafetensors(join(this.#folder, `${stem}.safetensors`), this.#open);
      return this.#totalBytes;
    }
    if (this.#open.length > 0) this.#close();
    const index = { metadata: { total_size: this.#totalBytes }, weight_map: this.#map };
    writeJsonFileSync(join(this.#folder, `${stem}.safetensors.index.json`), index);
    return this.#totalBytes;
  }

  #close(): void {
    this.#shards += 1;
    const name = `${this.#options.stem}-${String(this.#shards).padStart(5, '0')}.safetensors`;
    writeSafetensors(join(this.#folder, name), this.#open);
    for (const tensor of this.#open) this.#map[tensor.name] = name;
    this.#open = [];
    this.#openBytes = 0;
  }
}
