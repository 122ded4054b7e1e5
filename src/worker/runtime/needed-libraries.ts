/** What a shared library for Linux asks the system's loader for. Format: ELF, 64 bit, little-endian (elf(5)). */
import { closeSync, openSync, readSync } from 'node:fs';
import { RuntimeError } from './runtime-error.ts';

const dynamicSegment = 2;
const loadedSegment = 1;
const neededTag = 1;
const stringTableTag = 5;
/** No library has more of either; a broken file claims to. */
const most = { headers: 1000, dynamicBytes: 1 << 20, nameBytes: 256 } as const;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly bytes: number;
}

/**
 * Names of the libraries that one needs, in its order.
 *
 * @throws RuntimeError for what is no such library
 */
export function neededLibraries(file: string): string[] {
  const handle = openSync(file, 'r');
  try {
    const read = (at: number, bytes: number): Buffer => {
      const buffer = Buffer.alloc(bytes);
      readSync(handle, buffer, 0, bytes, at);
      return buffer;
    };
    return namesIn(file, read);
  } finally {
    closeSync(handle);
  }
}

function namesIn(file: string, read: (at: number, bytes: number) => Buffer): string[] {
  const segments = segmentsOf(file, read);
  const dynamic = segments.find(({ type }) => type === dynamicSegment);
  if (dynamic === undefined) return [];
  const entries = read(dynamic.offset, Math.min(dynamic.bytes, most.dynamicBytes));
  const tags = Array.from({ length: Math.floor(entries.length / 16) }, (_, index) => ({
    tag: Number(entries.readBigInt64LE(index * 16)),
    value: Number(entries.readBigUInt64LE(index * 16 + 8)),
  }));
  const table = tags.find(({ tag }) => tag === stringTableTag)?.value ?? 0;
  return tags
    .filter(({ tag }) => tag === neededTag)
    .map(({ value }) => {
      const name = read(offsetOf(table + value, segments), most.nameBytes);
      return name.subarray(0, name.indexOf(0)).toString('latin1');
    });
}

function segmentsOf(file: string, read: (at: number, bytes: number) => Buffer): Segment[] {
  const header = read(0, 64);
  const is64 = header.subarray(0, 6).equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]));
  const count = header.readUInt16LE(56);
  if (!is64 || count > most.headers)
    throw new RuntimeError(`${file} is no library for 64-bit Linux`);
  const size = header.readUInt16LE(54);
  const table = read(Number(header.readBigUInt64LE(32)), count * size);
  return Array.from({ length: count }, (_, index) => {
    const at = index * size;
    return {
      type: table.readUInt32LE(at),
      offset: Number(table.readBigUInt64LE(at + 8)),
      address: Number(table.readBigUInt64LE(at + 16)),
      bytes: Number(table.readBigUInt64LE(at + 32)),
    };
  });
}

/** Where an address of the loaded library lies in its file. */
function offsetOf(address: number, segments: readonly Segment[]): number {
  const holder = segments.find(
    (segment) =>
      segment.type === loadedSegment &&
      address >= segment.address &&
      address < segment.address + segment.bytes,
  );
  return holder === undefined ? address : address - holder.address + holder.offset;
}
