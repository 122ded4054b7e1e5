import type { PageFile } from './pages.ts';

/** A value as SQLite stores it. */
export type StoredValue = null | number | string | Uint8Array;

/** One row of a table, its columns in order. A column that is the integer key is stored as null: see `key`. */
export interface RawRow {
  readonly key: number;
  readonly values: readonly StoredValue[];
  /** Its end lay on pages that cannot be read: the last text is cut, what stood behind it is null. */
  readonly isCut: boolean;
}

/** What a walk through one table gave. */
export interface WalkedTable {
  readonly rows: readonly RawRow[];
  /** Pages that belong to it and could not be read, whole or in part. */
  readonly badPages: readonly number[];
}

const interior = 0x05;
const leaf = 0x0d;

/** Reads every row that can be reached from a table's root page, going on past pages that cannot be read. */
export function walkTable(file: PageFile, root: number, visited: Set<number>): WalkedTable {
  const rows: RawRow[] = [];
  const badPages: number[] = [];
  const waiting = [root];
  for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
    if (visited.has(number)) continue;
    visited.add(number);
    const page = readPage(file, number);
    if (page === null) badPages.push(number);
    else if (page.kind === 'interior') {
      if (!page.whole) badPages.push(number);
      waiting.push(...page.children.toReversed());
    } else {
      if (!page.whole) badPages.push(number);
      rows.push(...page.rows);
    }
  }
  return { rows, badPages };
}

/** The rows of one page on its own, where it is a leaf of some table; for pages that nothing leads to any more. */
export function leafRows(file: PageFile, number: number): readonly RawRow[] {
  const page = readPage(file, number);
  return page?.kind === 'leaf' ? page.rows : [];
}

/** The pages that stand on the list of free pages: their content was deleted. */
export function freePages(file: PageFile): ReadonlySet<number> {
  const free = new Set<number>();
  let trunk = file.hasHeader ? (file.page(1)?.readUInt32BE(32) ?? 0) : 0;
  while (isPage(file, trunk) && !free.has(trunk)) {
    free.add(trunk);
    const page = file.page(trunk);
    if (page === null) break;
    const count = Math.min(page.readUInt32BE(4), file.usableSize / 4 - 2);
    for (let index = 0; index < count; index += 1) free.add(page.readUInt32BE(8 + 4 * index));
    trunk = page.readUInt32BE(0);
  }
  return free;
}

type ReadPage =
  | { readonly kind: 'interior'; readonly children: readonly number[]; readonly whole: boolean }
  | { readonly kind: 'leaf'; readonly rows: readonly RawRow[]; readonly whole: boolean };

/** A page of a table, or null where it is none. `whole` says whether each of its cells could be read. */
function readPage(file: PageFile, number: number): ReadPage | null {
  const page = isPage(file, number) ? file.page(number) : null;
  if (page === null) return null;
  // The first page begins with the file's header.
  const start = number === 1 ? 100 : 0;
  const type = page[start];
  if (type !== interior && type !== leaf) return null;
  const cells = cellOffsets(file, page, start, type === interior ? 12 : 8);
  if (cells === null) return null;
  if (type === leaf) {
    const rows = cells.map((at) => readCell(file, page, at));
    const good = rows.filter((row) => row !== null);
    const whole = good.length === rows.length && good.every(({ isCut }) => !isCut);
    return { kind: 'leaf', rows: good, whole };
  }
  const children = [...cells.map((at) => page.readUInt32BE(at)), page.readUInt32BE(start + 8)];
  const good = children.filter((child) => isPage(file, child));
  return { kind: 'interior', children: good, whole: good.length === children.length };
}

function cellOffsets(
  file: PageFile,
  page: Buffer,
  start: number,
  headerBytes: number,
): readonly number[] | null {
  const count = page.readUInt16BE(start + 3);
  const first = start + headerBytes;
  if (first + 2 * count > file.usableSize) return null;
  const offsets = Array.from({ length: count }, (_, index) => page.readUInt16BE(first + 2 * index));
  const inside = offsets.every((at) => at >= first + 2 * count && at + 4 <= file.usableSize);
  return inside ? offsets : null;
}

function readCell(file: PageFile, page: Buffer, at: number): RawRow | null {
  try {
    const payload = readVarint(page, at);
    const key = readVarint(page, payload.next);
    const bytes = readPayload(file, page, key.next, payload.value);
    if (bytes === null) return null;
    const values = readRecord(bytes, payload.value);
    return { key: key.value, values, isCut: bytes.length < payload.value };
  } catch {
    // A length pointed outside the page: this cell is lost, the others are not.
    return null;
  }
}

/** A cell's payload, with what overflows into other pages (section 1.6); shorter where such a page is lost. */
function readPayload(file: PageFile, page: Buffer, at: number, length: number): Buffer | null {
  const { usableSize } = file;
  if (length < 0 || length > file.pageCount * usableSize) return null;
  const local = localBytes(length, usableSize);
  if (at + local > usableSize) return null;
  const pieces = [page.subarray(at, at + local)];
  let missing = length - local;
  let next = missing > 0 ? page.readUInt32BE(at + local) : 0;
  while (missing > 0) {
    const overflow = isPage(file, next) ? file.page(next) : null;
    if (overflow === null) break;
    const taken = Math.min(missing, usableSize - 4);
    pieces.push(overflow.subarray(4, 4 + taken));
    missing -= taken;
    next = overflow.readUInt32BE(0);
  }
  return Buffer.concat(pieces);
}

function localBytes(length: number, usableSize: number): number {
  const most = usableSize - 35;
  if (length <= most) return length;
  const least = Math.floor(((usableSize - 12) * 32) / 255) - 23;
  const fitting = least + ((length - least) % (usableSize - 4));
  return fitting <= most ? fitting : least;
}

/**
 * A record's values (section 2.1). Throws where it is not one.
 * @param length bytes of the whole record, of which the last may be missing
 */
function readRecord(bytes: Buffer, length: number): StoredValue[] {
  const header = readVarint(bytes, 0);
  const types: number[] = [];
  let at = header.next;
  while (at < header.value) {
    const type = readVarint(bytes, at);
    types.push(type.value);
    at = type.next;
  }
  const described = types.reduce((sum, type) => sum + bytesOf(type), header.value);
  if (at !== header.value || described !== length) throw new Error('Not a record');
  return types.map((type) => {
    const end = at + bytesOf(type);
    const value = end <= bytes.length ? readValue(bytes, at, type) : cutText(bytes, at, type);
    at = end;
    return value;
  });
}

/** What is left of a text whose end is lost; null for everything else. */
function cutText(bytes: Buffer, at: number, type: number): string | null {
  const isText = type >= 13 && type % 2 === 1;
  return isText && at < bytes.length ? `${bytes.subarray(at).toString('utf8')} […]` : null;
}

function bytesOf(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2);
  const bytes = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type];
  if (bytes === undefined) throw new Error('Not a record');
  return bytes;
}

function readValue(bytes: Buffer, at: number, type: number): StoredValue {
  if (type === 0) return null;
  if (type <= 5) return bytes.readIntBE(at, bytesOf(type));
  if (type === 6) return Number(bytes.readBigInt64BE(at));
  if (type === 7) return bytes.readDoubleBE(at);
  if (type <= 9) return type - 8;
  const content = bytes.subarray(at, at + bytesOf(type));
  return type % 2 === 0 ? new Uint8Array(content) : content.toString('utf8');
}

/** A variable-length integer: 7 bits a byte, the ninth whole. Beyond 2^53 it is not exact, which no length of ours is. */
function readVarint(bytes: Buffer, at: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let index = 0; index < 9; index += 1) {
    const byte = bytes.readUInt8(at + index);
    if (index === 8) return { value: value * 256 + byte, next: at + 9 };
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, next: at + index + 1 };
  }
  throw new Error('Unreachable');
}

function isPage(file: PageFile, number: number): boolean {
  return number >= 1 && number <= file.pageCount;
}
