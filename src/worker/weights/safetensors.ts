/**
 * Reads and writes safetensors files: 8 bytes of header length, a JSON header, raw little-endian
 * tensors. Format: https://huggingface.co/docs/safetensors. Nothing in the header is trusted before
 * it has been checked against the file.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { replaceFileSync } from '../../base/whole-file.ts';
import { excess } from '../../base/json-file.ts';
import { byteLength } from '../tensor/stored-tensor.ts';
import type { DataType } from '../tensor/stored-tensor.ts';
import { isCounts } from './counts.ts';
import { openRegularFile } from './open-file.ts';
import { WeightError } from './weight-error.ts';

/** A tensor of a file: its type, its shape, and where its bytes lie (from the file's start). */
export interface TensorEntry {
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
}

/** What a safetensors header says, checked. */
export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A third of the reference implementation's limit: some 300,000 tensors, of which no model has a hundredth. */
const headerLimitBytes = 32_000_000;
/** A tensor is some eight values, in lists in an object in the header's. */
const headerLimits = { values: 2_000_000, depth: 8 } as const;
const mostTensors = 100_000;

/** A map: a file may call its type `constructor`. */
const typeNames = new Map<string, DataType>([
  ['F64', 'float64'],
  ['F32', 'float32'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['I64', 'int64'],
  ['I32', 'int32'],
  ['I8', 'int8'],
  ['U8', 'uint8'],
  ['BOOL', 'bool'],
]);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as JSON, shortened. */
function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}

/** NumPy's limit. */
const mostDimensions = 64;

function parseEntry(where: string, entry: unknown, dataStart: number): TensorEntry {
  if (!isRecord(entry)) throw new WeightError(`${where}: the header entry is not an object`);
  const { dtype: typeName, shape, data_offsets: offsets } = entry;
  const dtype = typeof typeName === 'string' ? typeNames.get(typeName) : undefined;
  if (!dtype)
    throw new WeightError(
      `${where}: type ${typeof typeName === 'string' ? typeName.slice(0, 40) : brief(typeName)} is not supported`,
    );
  if (!isCounts(shape)) {
    throw new WeightError(`${where}: shape ${brief(shape)} is not a list of sizes`);
  }
  const [begin, end] = isCounts(offsets) && offsets.length === 2 ? offsets : [];
  if (begin === undefined || end === undefined) {
    throw new WeightError(`${where}: data_offsets ${brief(offsets)} are not two offsets`);
  }
  if (shape.length > mostDimensions)
    throw new WeightError(
      `${where}: ${shape.length} dimensions are over the limit of ${mostDimensions}`,
    );
  const count = shape.reduce((product, dim) => product * dim, 1);
  const length = byteLength(dtype, count);
  if (end - begin !== length) {
    throw new WeightError(
      `${where}: ${String(typeName)} [${shape.join(', ')}] needs ${length} bytes, its offsets span ${end - begin}`,
    );
  }
  return { dtype, shape, offset: dataStart + begin, length };
}

function checkLayout(
  file: string,
  tensors: ReadonlyMap<string, TensorEntry>,
  fileBytes: number,
): void {
  const byOffset = [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.length - b.length);
  let previous: readonly [string, TensorEntry] | undefined;
  for (const [name, entry] of byOffset) {
    if (entry.offset + entry.length > fileBytes) {
      throw new WeightError(
        `${file}: tensor "${name}" ends at byte ${entry.offset + entry.length}, the file has ${fileBytes} (truncated?)`,
      );
    }
    if (previous && entry.offset < previous[1].offset + previous[1].length && entry.length > 0) {
      throw new WeightError(`${file}: tensors "${previous[0]}" and "${name}" overlap`);
    }
    if (entry.length > 0) previous = [name, entry];
  }
}

function parseJson(file: string, bytes: Buffer): Record<string, unknown> {
  let text: string;
  let parsed: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new WeightError(`${file}: the header is not UTF-8`, { cause });
  }
  const fault = excess(text, headerLimits);
  if (fault !== null) throw new WeightError(`${file}: the header: ${fault}`);
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new WeightError(`${file}: the header is not JSON`, { cause });
  }
  if (!isRecord(parsed)) throw new WeightError(`${file}: the header is not an object`);
  return parsed;
}

/** Checks and parses the header of an open file. */
function readHeaderOf(file: string, descriptor: number): SafetensorsHeader {
  const fileBytes = fstatSync(descriptor).size;
  const prefix = Buffer.alloc(8);
  if (fileBytes < 8 || readSync(descriptor, prefix, 0, 8, 0) !== 8) {
    throw new WeightError(`${file}: ${fileBytes} bytes are too few for a safetensors file`);
  }
  const headerBytes = prefix.readBigUInt64LE();
  if (headerBytes > BigInt(headerLimitBytes)) {
    throw new WeightError(
      `${file}: a header of ${headerBytes} bytes is over the limit of ${headerLimitBytes}`,
    );
  }
  const length = Number(headerBytes);
  if (8 + length > fileBytes) {
    throw new WeightError(
      `${file}: a header of ${length} bytes does not fit a file of ${fileBytes} (truncated?)`,
    );
  }
  const header = Buffer.alloc(length);
  readSync(descriptor, header, 0, length, 8);
  const { __metadata__: metadata = {}, ...entries } = parseJson(file, header);
  const count = Object.keys(entries).length;
  if (count > mostTensors)
    throw new WeightError(`${file}: ${count} tensors are over the limit of ${mostTensors}`);
  const tensors = new Map(
    Object.entries(entries).map(([name, entry]) => [
      name,
      parseEntry(`${file}: tensor "${name}"`, entry, 8 + length),
    ]),
  );
  checkLayout(file, tensors, fileBytes);
  const texts = Object.entries(isRecord(metadata) ? metadata : {}).map(
    ([key, value]) => [key, String(value)] as const,
  );
  return { tensors, metadata: Object.fromEntries(texts) };
}

/**
 * Reads the header of a safetensors file.
 *
 * @throws WeightError if the file is truncated, its header malformed, or tensors overlap or lie
 * outside the file; it names the file, the tensor and both values.
 */
export function readSafetensorsHeader(file: string): SafetensorsHeader {
  const descriptor = openRegularFile(file);
  try {
    return readHeaderOf(file, descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The bytes of part of a file; a copy. */
export function readBytes(file: string, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const descriptor = openRegularFile(file);
  try {
    let done = 0;
    while (done < length) {
      // One read call gives at most 2 GiB.
      const count = readSync(
        descriptor,
        bytes,
        done,
        Math.min(length - done, 1 << 30),
        offset + done,
      );
      if (count === 0)
        throw new WeightError(`${file}: ends at byte ${offset + done}, wanted ${offset + length}`);
      done += count;
    }
  } finally {
    closeSync(descriptor);
  }
  return bytes;
}

/** A tensor to be written. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: readonly number[];
  /** Little-endian. */
  readonly bytes: Uint8Array;
}

/** A tensor of which only the size is known. */
export interface SizedTensor extends Omit<TensorToWrite, 'bytes'> {
  readonly bytes: { readonly length: number };
}

const namesOfTypes = new Map<DataType, string>(
  [...typeNames].map(([name, dtype]) => [dtype, name]),
);

function headerFor(
  tensors: readonly SizedTensor[],
  metadata: Readonly<Record<string, string>>,
): Buffer {
  const entries: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) entries['__metadata__'] = metadata;
  let offset = 0;
  for (const { name, dtype, shape, bytes } of tensors) {
    const expected = byteLength(
      dtype,
      shape.reduce((product, dim) => product * dim, 1),
    );
    if (bytes.length !== expected) {
      throw new WeightError(`tensor "${name}": ${bytes.length} bytes given, ${expected} needed`);
    }
    entries[name] = {
      dtype: namesOfTypes.get(dtype),
      shape,
      data_offsets: [offset, offset + bytes.length],
    };
    offset += bytes.length;
  }
  const json = Buffer.from(JSON.stringify(entries));
  // Spaces up to a multiple of 8, as the reference implementation writes, keep tensors aligned.
  return Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) {
    done += writeSync(descriptor, bytes, done, Math.min(bytes.length - done, 1 << 30));
  }
}

/** Bytes of the file that {@link writeSafetensors} makes of such tensors. */
export function safetensorsBytes(tensors: readonly SizedTensor[]): number {
  return tensors.reduce((sum, { bytes }) => sum + bytes.length, 8 + headerFor(tensors, {}).length);
}

/** Whether a file has just these tensors in this order, as {@link writeSafetensors} would have written them. */
export function hasSafetensors(file: string, tensors: readonly SizedTensor[]): boolean {
  const header = headerFor(tensors, {});
  const descriptor = openRegularFile(file);
  try {
    if (fstatSync(descriptor).size !== safetensorsBytes(tensors)) return false;
  } finally {
    closeSync(descriptor);
  }
  const start = readBytes(file, 0, 8 + header.length);
  return Buffer.from(start.subarray(8)).equals(header);
}

/** Writes a safetensors file; it appears whole. */
export function writeSafetensors(
  file: string,
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): void {
  const header = headerFor(tensors, metadata);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  replaceFileSync(file, (temporary) => {
    const descriptor = openSync(temporary, 'wx');
    try {
      writeAll(descriptor, prefix);
      writeAll(descriptor, header);
      for (const { bytes } of tensors) writeAll(descriptor, bytes);
    } finally {
      closeSync(descriptor);
    }
  });
}
