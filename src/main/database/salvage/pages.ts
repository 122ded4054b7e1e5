import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';

/** A database file as its pages, read past SQLite: what SQLite refuses as a whole is often readable in part. */
export interface PageFile {
  /** Bytes. */
  readonly pageSize: number;
  /** Bytes of a page that hold content; the rest is reserved. */
  readonly usableSize: number;
  /** Pages are numbered from 1 to this. */
  readonly pageCount: number;
  /** `user_version`, or null where the header cannot be read. */
  readonly form: number | null;
  /** Whether the first page begins as a database does. */
  readonly hasHeader: boolean;
  /** The page as the last commit left it; null where the file ends before it does. */
  page(number: number): Buffer | null;
  close(): void;
}

const magic = Buffer.from('SQLite format 3\0', 'latin1');
/** What our databases have always had; taken where the header is gone. Bytes. */
const usualPageSize = 4096;

/**
 * Opens a database's pages: the file, and over it the committed part of its write-ahead log.
 * Layout: https://www.sqlite.org/fileformat2.html, sections 1.3 and 4.
 * @throws the system's error where the file cannot be read at all
 */
export function openPages(file: string): PageFile {
  const descriptor = openSync(file, 'r');
  const { size } = fstatSync(descriptor);
  const logged = readLog(`${file}-wal`);
  const first = logged?.pages.get(1) ?? readAt(descriptor, 0, 100);
  const hasHeader = first.length >= 100 && first.subarray(0, 16).equals(magic);
  const pageSize = logged?.pageSize ?? (hasHeader ? sizeOf(first) : null) ?? usualPageSize;
  const reserved = hasHeader ? first.readUInt8(20) : 0;
  return {
    pageSize,
    usableSize: pageSize - (reserved <= 32 ? reserved : 0),
    pageCount: Math.max(Math.ceil(size / pageSize), logged?.pageCount ?? 0),
    form: hasHeader ? first.readUInt32BE(60) : null,
    hasHeader,
    page(number) {
      const inLog = logged?.pages.get(number);
      if (inLog !== undefined) return inLog;
      const bytes = readAt(descriptor, (number - 1) * pageSize, pageSize);
      return bytes.length === pageSize ? bytes : null;
    },
    close: () => closeSync(descriptor),
  };
}

/** Page size from a header (1 stands for 65,536), or null where it is none. */
function sizeOf(header: Buffer): number | null {
  const written = header.readUInt16BE(16);
  const size = written === 1 ? 65_536 : written;
  return size >= 512 && (size & (size - 1)) === 0 ? size : null;
}

function readAt(descriptor: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  try {
    return bytes.subarray(0, readSync(descriptor, bytes, 0, length, position));
  } catch {
    // A sector that the disk cannot read is a page like any other that is lost.
    return bytes.subarray(0, 0);
  }
}

interface LoggedPages {
  readonly pageSize: number;
  readonly pageCount: number;
  readonly pages: ReadonlyMap<number, Buffer>;
}

/** The pages of every commit in a write-ahead log; what follows the first frame that is not whole is no commit. */
function readLog(file: string): LoggedPages | null {
  if (!existsSync(file)) return null;
  let log: Buffer;
  try {
    log = readFileSync(file);
  } catch {
    return null;
  }
  if (log.length < 32 || log.readUInt32BE(0) >>> 1 !== 0x377f0682 >>> 1) return null;
  const bigEndian = (log.readUInt32BE(0) & 1) === 1;
  const pageSize = log.readUInt32BE(8);
  if (pageSize < 512 || pageSize > 65_536) return null;
  let sum = checksum([0, 0], log.subarray(0, 24), bigEndian);
  if (!matches(log, 24, sum)) return null;
  const salts = log.subarray(16, 24);
  const pages = new Map<number, Buffer>();
  const pending = new Map<number, Buffer>();
  let pageCount = 0;
  for (let at = 32; at + 24 + pageSize <= log.length; at += 24 + pageSize) {
    const content = log.subarray(at + 24, at + 24 + pageSize);
    sum = checksum(checksum(sum, log.subarray(at, at + 8), bigEndian), content, bigEndian);
    if (!log.subarray(at + 8, at + 16).equals(salts) || !matches(log, at + 16, sum)) break;
    pending.set(log.readUInt32BE(at), content);
    const committedPages = log.readUInt32BE(at + 4);
    if (committedPages === 0) continue;
    for (const [number, bytes] of pending) pages.set(number, bytes);
    pending.clear();
    pageCount = committedPages;
  }
  return pages.size === 0 ? null : { pageSize, pageCount, pages };
}

type Sum = readonly [number, number];

/** The log's checksum over a whole number of 8-byte words (section 4.2). */
function checksum([first, second]: Sum, bytes: Buffer, bigEndian: boolean): Sum {
  let [s0, s1] = [first, second];
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    const [x0, x1] = bigEndian
      ? [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)]
      : [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
    s0 = (s0 + x0 + s1) >>> 0;
    s1 = (s1 + x1 + s0) >>> 0;
  }
  return [s0, s1];
}

function matches(log: Buffer, at: number, [s0, s1]: Sum): boolean {
  return log.readUInt32BE(at) === s0 && log.readUInt32BE(at + 4) === s1;
}
