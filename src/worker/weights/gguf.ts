/**
 * Reads GGUF files, llama.cpp's: metadata and where tensors lie. Nothing in the header is trusted before it has been
 * checked against the file. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { closeSync, fstatSync, readSync } from 'node:fs';
import { blockKinds, readBlocks, type BlockKind } from './gguf-blocks.ts';
import { openRegularFile } from './open-file.ts';
import { WeightError } from './weight-error.ts';

/** A value of the metadata. */
export type GgufValue = string | number | boolean | readonly GgufValue[];

/** A tensor: sizes as elsewhere here, rows first. */
export interface GgufTensor {
  readonly kind: BlockKind;
  readonly shape: readonly number[];
  /** Bytes from the file's start. */
  readonly offset: number;
  readonly length: number;
}

/** What a file says, checked. */
export interface GgufFile {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

const magic = 0x46554747;
/** The vocabularies of known models take some 10 MB. */
const headerLimitBytes = 64_000_000;
const mostEntries = 10_000;
const mostTensors = 100_000;
const mostDepth = 2;

/** Walks through a header; every length is held against what is there. */
class Cursor {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #path: string;
  at = 0;

  constructor(bytes: Uint8Array, path: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#path = path;
  }

  /** Where the next `count` bytes begin. */
  #take(count: number): number {
    const from = this.at;
    if (count > this.#bytes.length - from) {
      throw new WeightError(`${this.#path}: the header ends in the middle, or is over its limit`);
    }
    this.at = from + count;
    return from;
  }

  uint32 = (): number => this.#view.getUint32(this.#take(4), true);

  /** @throws WeightError for what is over `most` */
  count(what: string, most: number): number {
    const value = Number(this.#view.getBigUint64(this.#take(8), true));
    if (value > most) {
      throw new WeightError(`${this.#path}: ${value} ${what} are over the limit of ${most}`);
    }
    return value;
  }

  text(): string {
    const length = this.count('bytes of a text', this.#bytes.length);
    const from = this.#take(length);
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + from, length).toString('utf8');
  }

  value(type: number, depth = 0): GgufValue {
    const view = this.#view;
    switch (type) {
      case 0:
        return view.getUint8(this.#take(1));
      case 1:
        return view.getInt8(this.#take(1));
      case 2:
        return view.getUint16(this.#take(2), true);
      case 3:
        return view.getInt16(this.#take(2), true);
      case 4:
        return view.getUint32(this.#take(4), true);
      case 5:
        return view.getInt32(this.#take(4), true);
      case 6:
        return view.getFloat32(this.#take(4), true);
      case 7:
        return view.getUint8(this.#take(1)) !== 0;
      case 8:
        return this.text();
      case 9:
        return this.#list(depth);
      case 10:
        return Number(view.getBigUint64(this.#take(8), true));
      case 11:
        return Number(view.getBigInt64(this.#take(8), true));
      case 12:
        return view.getFloat64(this.#take(8), true);
      default:
        throw new WeightError(`${this.#path}: a value of type ${type} is not known`);
    }
  }

  #list(depth: number): GgufValue[] {
    if (depth >= mostDepth) throw new WeightError(`${this.#path}: lists lie too deep`);
    const type = this.uint32();
    // Every entry takes at least a byte, so that a length which the file cannot hold is seen at once.
    const count = this.count('entries of a list', this.#bytes.length - this.at);
    const list: GgufValue[] = [];
    for (let index = 0; index < count; index += 1) list.push(this.value(type, depth + 1));
    return list;
  }
}

/** Whether a file begins as a GGUF file does. */
export function isGguf(path: string): boolean {
  const descriptor = openRegularFile(path);
  try {
    const start = Buffer.alloc(4);
    return readSync(descriptor, start, 0, 4, 0) === 4 && start.readUInt32LE() === magic;
  } finally {
    closeSync(descriptor);
  }
}

/** @throws WeightError naming the file and what is wrong with it */
export function openGguf(path: string): GgufFile {
  const descriptor = openRegularFile(path);
  try {
    const { size } = fstatSync(descriptor);
    const header = Buffer.alloc(Math.min(size, headerLimitBytes));
    const read = readSync(descriptor, header, 0, header.length, 0);
    return parse(header.subarray(0, read), path, size);
  } finally {
    closeSync(descriptor);
  }
}

function parse(header: Uint8Array, path: string, size: number): GgufFile {
  const cursor = new Cursor(header, path);
  if (cursor.uint32() !== magic) throw new WeightError(`${path}: is not a GGUF file`);
  const version = cursor.uint32();
  if (version !== 2 && version !== 3) {
    throw new WeightError(`${path}: GGUF version ${version} is not supported, only 2 and 3`);
  }
  const tensorCount = cursor.count('tensors', mostTensors);
  const entryCount = cursor.count('entries of metadata', mostEntries);
  const metadata = new Map<string, GgufValue>();
  for (let index = 0; index < entryCount; index += 1) {
    const key = cursor.text();
    metadata.set(key, cursor.value(cursor.uint32()));
  }
  const listed: (Omit<GgufTensor, 'length'> & { readonly name: string })[] = [];
  for (let index = 0; index < tensorCount; index += 1) listed.push(readTensor(cursor, path));
  const alignment = metadata.get('general.alignment') ?? 32;
  if (typeof alignment !== 'number' || alignment < 1 || alignment % 8 !== 0) {
    throw new WeightError(`${path}: general.alignment is ${JSON.stringify(alignment)}`);
  }
  const start = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = new Map<string, GgufTensor>();
  for (const { name, ...tensor } of listed) {
    tensors.set(name, placed({ ...tensor, offset: start + tensor.offset }, name, path, size));
  }
  return { path, metadata, tensors };
}

function readTensor(cursor: Cursor, path: string) {
  const name = cursor.text();
  const dimensions = cursor.uint32();
  if (dimensions < 1 || dimensions > 4) {
    throw new WeightError(`${path}: tensor "${name}" has ${dimensions} dimensions`);
  }
  const sizes = Array.from({ length: dimensions }, () =>
    cursor.count('elements of a tensor', Number.MAX_SAFE_INTEGER),
  );
  const type = cursor.uint32();
  const kind = blockKinds.get(type);
  if (kind === undefined) {
    throw new WeightError(
      `${path}: tensor "${name}" is of ggml type ${type}, which is not supported`,
    );
  }
  const offset = cursor.count('bytes before a tensor', Number.MAX_SAFE_INTEGER);
  return { name, kind, shape: sizes.reverse(), offset };
}

function placed(
  { kind, shape, offset }: Omit<GgufTensor, 'length'>,
  name: string,
  path: string,
  size: number,
): GgufTensor {
  const row = shape.at(-1) ?? 0;
  const count = shape.reduce((product, dim) => product * dim, 1);
  if (row % kind.count !== 0) {
    throw new WeightError(
      `${path}: tensor "${name}" has rows of ${row}, no whole ${kind.name} blocks`,
    );
  }
  const length = (count / kind.count) * kind.bytes;
  if (!Number.isSafeInteger(length) || offset > size - length) {
    throw new WeightError(`${path}: tensor "${name}" lies outside the file of ${size} bytes`);
  }
  return { kind, shape, offset, length };
}

/** A tensor's numbers. */
export function readGgufTensor(file: GgufFile, tensor: GgufTensor): Float32Array {
  return readBlocks(tensor.kind, readGgufBytes(file, tensor));
}

/** A tensor's blocks as they lie in the file. */
export function readGgufBytes(file: GgufFile, tensor: GgufTensor): Uint8Array {
  const descriptor = openRegularFile(file.path);
  try {
    const bytes = Buffer.alloc(tensor.length);
    let done = 0;
    while (done < bytes.length) {
      const step = readSync(descriptor, bytes, done, bytes.length - done, tensor.offset + done);
      if (step === 0) throw new WeightError(`${file.path}: ends in the middle of a tensor`);
      done += step;
    }
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}
