/**
 * The directory of a zip archive whose entries are stored as they are, as PyTorch writes them: names,
 * and where each entry's bytes lie in the file. Format: PKWARE APPNOTE 6.3, with its 64-bit extension.
 */
import { closeSync, fstatSync, readSync } from 'node:fs';
import { openRegularFile } from './open-file.ts';
import { WeightError } from './weight-error.ts';

/** Bytes of an entry, from the start of the archive. */
export interface ZipEntry {
  readonly offset: number;
  readonly length: number;
}

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
const unknown32 = 0xffffffff;
/** The end record has 22 bytes and a comment of at most 65,535. */
const tailBytes = 22 + 65535;
/** PyTorch writes one entry a tensor: the largest checkpoints have some thousands, of about 100 bytes. */
const directoryLimitBytes = 32_000_000;
const mostEntries = 100_000;

class ZipFile {
  readonly name: string;
  readonly bytes: number;
  readonly #descriptor: number;

  constructor(name: string, descriptor: number) {
    this.name = name;
    this.#descriptor = descriptor;
    this.bytes = fstatSync(descriptor).size;
  }

  read(offset: number, length: number): Buffer {
    if (offset < 0 || offset + length > this.bytes) {
      throw this.fault(
        `bytes ${offset} to ${offset + length} are outside its ${this.bytes} (truncated?)`,
      );
    }
    const buffer = Buffer.alloc(length);
    readSync(this.#descriptor, buffer, 0, length, offset);
    return buffer;
  }

  fault(what: string): WeightError {
    return new WeightError(`${this.name}: ${what}`);
  }
}

interface Directory {
  readonly offset: number;
  readonly length: number;
  readonly entries: number;
}

function toNumber(zip: ZipFile, value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw zip.fault(`${value} is no possible offset`);
  return Number(value);
}

function findDirectory(zip: ZipFile): Directory {
  const tailStart = Math.max(zip.bytes - tailBytes, 0);
  const tail = zip.read(tailStart, zip.bytes - tailStart);
  let at = tail.length - 22;
  while (at >= 0 && tail.readUInt32LE(at) !== endSignature) at -= 1;
  if (at < 0) throw zip.fault('is not a zip archive, or its end is missing (truncated?)');
  const entries = tail.readUInt16LE(at + 10);
  const length = tail.readUInt32LE(at + 12);
  const offset = tail.readUInt32LE(at + 16);
  if (entries !== 0xffff && length !== unknown32 && offset !== unknown32)
    return { offset, length, entries };
  const locatorAt = tailStart + at - 20;
  const locator = zip.read(locatorAt, 20);
  if (locator.readUInt32LE(0) !== locator64Signature)
    throw zip.fault('its 64-bit directory is missing');
  const end64 = zip.read(toNumber(zip, locator.readBigUInt64LE(8)), 56);
  if (end64.readUInt32LE(0) !== end64Signature) throw zip.fault('its 64-bit directory is missing');
  return {
    entries: toNumber(zip, end64.readBigUInt64LE(32)),
    length: toNumber(zip, end64.readBigUInt64LE(40)),
    offset: toNumber(zip, end64.readBigUInt64LE(48)),
  };
}

/**
 * 64-bit values stand in an extra field, in the order length, packed length, place, and only where the usual field is
 * full: so the function given back is called with the usual fields in that order.
 */
function wideValues(zip: ZipFile, extra: Buffer): (narrow: number) => number {
  let field: Buffer | undefined;
  for (let at = 0; at + 4 <= extra.length;) {
    const size = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1) field = extra.subarray(at + 4, at + 4 + size);
    at += 4 + size;
  }
  let used = 0;
  return (narrow) => {
    if (narrow !== unknown32) return narrow;
    if (!field || used + 8 > field.length) throw zip.fault('a 64-bit size is missing');
    used += 8;
    return toNumber(zip, field.readBigUInt64LE(used - 8));
  };
}

function dataOffset(zip: ZipFile, localOffset: number): number {
  const local = zip.read(localOffset, 30);
  if (local.readUInt32LE(0) !== localSignature)
    throw zip.fault(`no entry starts at byte ${localOffset}`);
  return localOffset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
}

function readEntries(zip: ZipFile): Map<string, ZipEntry> {
  const directory = findDirectory(zip);
  if (directory.length > directoryLimitBytes)
    throw zip.fault(`its directory has ${directory.length} bytes`);
  if (directory.entries > mostEntries)
    throw zip.fault(`has ${directory.entries} entries, the most is ${mostEntries}`);
  const bytes = zip.read(directory.offset, directory.length);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let index = 0; index < directory.entries; index += 1) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== centralSignature) {
      throw zip.fault(`entry ${index} of ${directory.entries} is malformed`);
    }
    const nameLength = bytes.readUInt16LE(at + 28);
    const extraLength = bytes.readUInt16LE(at + 30);
    const commentLength = bytes.readUInt16LE(at + 32);
    const nameEnd = at + 46 + nameLength;
    const name = bytes.toString('utf8', at + 46, nameEnd);
    const widen = wideValues(zip, bytes.subarray(nameEnd, nameEnd + extraLength));
    const length = widen(bytes.readUInt32LE(at + 24));
    const packed = widen(bytes.readUInt32LE(at + 20));
    const local = widen(bytes.readUInt32LE(at + 42));
    if (bytes.readUInt16LE(at + 10) !== 0 || length !== packed) {
      throw zip.fault(`entry "${name}" is compressed; PyTorch stores entries as they are`);
    }
    const offset = dataOffset(zip, local);
    if (offset + length > zip.bytes)
      throw zip.fault(`entry "${name}" lies outside the file (truncated?)`);
    entries.set(name, { offset, length });
    at = nameEnd + extraLength + commentLength;
  }
  return entries;
}

/**
 * The entries of a zip archive by name.
 *
 * @throws WeightError if the archive is truncated, malformed or compressed.
 */
export function readZipDirectory(file: string): ReadonlyMap<string, ZipEntry> {
  const descriptor = openRegularFile(file);
  try {
    return readEntries(new ZipFile(file, descriptor));
  } finally {
    closeSync(descriptor);
  }
}
