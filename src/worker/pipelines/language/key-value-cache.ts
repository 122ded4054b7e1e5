/**
 * The keys and values of what a decoder has read. `length` says how much of it counts, so a point in
 * the sequence can be remembered and returned to at no cost: what was written after it is written
 * over.
 */
import type { HostTensor, SessionTensor } from '../../runtime/index.ts';
import { DeviceTensor, RuntimeError } from '../../runtime/index.ts';

/** Sizes of a decoder's cache. */
export interface CacheShape {
  readonly layerCount: number;
  readonly keyValueHeadCount: number;
  readonly headSize: number;
  readonly dtype: 'float32' | 'float16';
}

/** A point in a sequence that a cache can return to. */
export interface CacheMark {
  readonly length: number;
}

/** Room is made in steps, so that a cache is not laid out anew for every token. */
const stepTokens = 128;

/** Never none: the WebGPU provider ends the process over an input without elements (1.30). */
const firstTokens = 16;

type Buffer =
  | { readonly dtype: 'float32'; readonly data: Float32Array }
  | { readonly dtype: 'float16'; readonly data: Uint16Array };

function makeBuffer(shape: CacheShape, capacity: number): Buffer {
  const count = shape.keyValueHeadCount * capacity * shape.headSize;
  return shape.dtype === 'float32'
    ? { dtype: 'float32', data: new Float32Array(count) }
    : { dtype: 'float16', data: new Uint16Array(count) };
}

/** Copies `count` numbers; both sides hold the same kind. */
function copyNumbers(
  source: Buffer | HostTensor,
  from: number,
  count: number,
  target: Buffer,
  to: number,
): void {
  if (source.dtype === 'float32' && target.dtype === 'float32') {
    target.data.set(source.data.subarray(from, from + count), to);
  } else if (source.dtype === 'float16' && target.dtype === 'float16') {
    target.data.set(source.data.subarray(from, from + count), to);
  } else {
    throw new RuntimeError(`a cache of ${target.dtype} cannot take ${source.dtype}`);
  }
}

function copyOf(buffer: Buffer): Buffer {
  return buffer.dtype === 'float32'
    ? { dtype: 'float32', data: buffer.data.slice() }
    : { dtype: 'float16', data: buffer.data.slice() };
}

/** A cache in this process's memory: per layer and kind [1, keyValueHeadCount, capacity, headSize]. */
export class KeyValueCache {
  readonly shape: CacheShape;
  #length = 0;
  #capacity = firstTokens;
  #buffers: Buffer[];

  constructor(shape: CacheShape) {
    this.shape = shape;
    this.#buffers = Array.from({ length: 2 * shape.layerCount }, () =>
      makeBuffer(shape, firstTokens),
    );
  }

  /** Tokens in the cache. */
  get length(): number {
    return this.#length;
  }

  /** Tokens there is room for. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#buffers.reduce((sum, buffer) => sum + buffer.data.byteLength, 0);
  }

  /** Remembers this point of the sequence. */
  mark(): CacheMark {
    return { length: this.#length };
  }

  /**
   * Goes back to a point remembered on this cache: what came after is forgotten.
   *
   * @throws RuntimeError if the cache has been cut to before that point since.
   */
  restore(mark: CacheMark): void {
    if (mark.length > this.#length) {
      throw new RuntimeError(
        `the cache holds ${this.#length} tokens and cannot go forward to ${mark.length}`,
      );
    }
    this.#length = mark.length;
  }

  /** Forgets everything; the memory is kept for the next sequence. */
  clear(): void {
    this.#length = 0;
  }

  /** A cache with the same content that goes its own way. */
  fork(): KeyValueCache {
    const copy = new KeyValueCache(this.shape);
    copy.#buffers = this.#buffers.map(copyOf);
    copy.#capacity = this.#capacity;
    copy.#length = this.#length;
    return copy;
  }

  #buffer(index: number): Buffer {
    const buffer = this.#buffers[index];
    if (!buffer) throw new RuntimeError(`the cache has no part ${index}`);
    return buffer;
  }

  #grow(tokens: number): void {
    if (tokens <= this.#capacity) return;
    // At least a quarter more, so that a long sequence is not moved over and over.
    const wanted = Math.max(tokens, this.#capacity * 1.25);
    const capacity = Math.ceil(wanted / stepTokens) * stepTokens;
    const { keyValueHeadCount, headSize } = this.shape;
    this.#buffers = this.#buffers.map((old) => {
      const buffer = makeBuffer(this.shape, capacity);
      for (let head = 0; head < keyValueHeadCount; head += 1) {
        const from = head * this.#capacity * headSize;
        copyNumbers(old, from, this.#length * headSize, buffer, head * capacity * headSize);
      }
      return buffer;
    });
    this.#capacity = capacity;
  }

  /** The tensor of a layer (`part` 0: keys, 1: values), all of its capacity. */
  tensor(layer: number, part: 0 | 1): HostTensor {
    const { keyValueHeadCount, headSize } = this.shape;
    return {
      ...this.#buffer(2 * layer + part),
      dims: [1, keyValueHeadCount, this.#capacity, headSize],
    };
  }

  /**
   * Appends tokens to every layer.
   *
   * @param added per layer keys, then values: [1, keyValueHeadCount, count, headSize] each.
   */
  append(added: readonly SessionTensor[], count: number): void {
    const { keyValueHeadCount, headSize } = this.shape;
    this.#grow(this.#length + count);
    added.forEach((tensor, index) => {
      if (tensor instanceof DeviceTensor)
        throw new RuntimeError('a device tensor cannot be appended');
      const buffer = this.#buffer(index);
      for (let head = 0; head < keyValueHeadCount; head += 1) {
        const to = (head * this.#capacity + this.#length) * headSize;
        copyNumbers(tensor, head * count * headSize, count * headSize, buffer, to);
      }
    });
    this.#length += count;
  }
}
