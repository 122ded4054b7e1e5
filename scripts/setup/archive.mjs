// Reading one file out of a .tgz, and chosen files out of a .zip: the two formats that the fallback
// runtime comes in. Plain Node, whole archives in memory (about 200 MB).
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { createGunzip, inflateRawSync } from 'node:zlib';

const tarBlock = 512;

/**
 * Copies the first file of a .tgz whose name ends with `suffix` to `target`.
 * @param {string} tgz @param {string} suffix @param {string} target
 * @returns {Promise<void>} rejects where there is no such file
 */
export async function extractFromTgz(tgz, suffix, target) {
  let header = Buffer.alloc(0);
  let skip = 0; // bytes of other files (padded to blocks) still to pass over
  let remaining = -1; // bytes of the wanted file still to copy; -1 until it is found
  /** @type {import('node:fs').WriteStream | undefined} */
  let output;
  const gunzip = createReadStream(tgz).pipe(createGunzip());
  for await (let chunk of gunzip) {
    while (chunk.length > 0) {
      if (remaining >= 0 && output !== undefined) {
        const piece = chunk.subarray(0, remaining);
        remaining -= piece.length;
        if (!output.write(piece))
          await new Promise((resolve) => output?.once('drain', () => resolve(undefined)));
        chunk = chunk.subarray(piece.length);
        if (remaining === 0) {
          const stream = output;
          await new Promise((resolve) => stream.end(() => resolve(undefined)));
          return;
        }
      } else if (skip > 0) {
        const passed = Math.min(skip, chunk.length);
        skip -= passed;
        chunk = chunk.subarray(passed);
      } else {
        const wanted = tarBlock - header.length;
        header = Buffer.concat([header, chunk.subarray(0, wanted)]);
        chunk = chunk.subarray(wanted);
        if (header.length < tarBlock) break;
        const name = header.toString('utf8', 0, 100).replace(/\0.*$/s, '');
        const size = parseInt(header.toString('ascii', 124, 136), 8) || 0;
        if (name.endsWith(suffix)) {
          remaining = size;
          output = createWriteStream(target);
        } else skip = Math.ceil(size / tarBlock) * tarBlock;
        header = Buffer.alloc(0);
      }
    }
  }
  throw new Error(`${tgz} has no ${suffix}`);
}

/**
 * Writes the files of a .zip for which `place` names a target path; keeps the executable bit.
 * @param {string} zip
 * @param {(name: string) => string | undefined} place
 * @returns {number} how many files were written
 */
export function extractFromZip(zip, place) {
  const data = readFileSync(zip);
  let written = 0;
  for (const entry of zipEntries(data)) {
    const target = entry.name.endsWith('/') ? undefined : place(entry.name);
    if (target === undefined) continue;
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, readEntry(data, entry), { mode: entry.mode & 0o111 ? 0o755 : 0o644 });
    written++;
  }
  return written;
}

/**
 * @typedef {{ name: string, method: number, size: number, offset: number, mode: number }} Entry
 * @param {Buffer} data
 * @returns {Generator<Entry>}
 */
function* zipEntries(data) {
  // The end record is the last 22 bytes where the archive has no comment; search backwards for it.
  const end = data.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0) throw new Error('not a zip archive');
  let count = data.readUInt16LE(end + 10);
  let position = data.readUInt32LE(end + 16);
  for (; count > 0 && data.readUInt32LE(position) === 0x02014b50; count--) {
    const nameLength = data.readUInt16LE(position + 28);
    const extraLength = data.readUInt16LE(position + 30);
    const commentLength = data.readUInt16LE(position + 32);
    yield {
      name: data.toString('utf8', position + 46, position + 46 + nameLength),
      method: data.readUInt16LE(position + 10),
      size: data.readUInt32LE(position + 20),
      offset: data.readUInt32LE(position + 42),
      mode: data.readUInt16LE(position + 40),
    };
    position += 46 + nameLength + extraLength + commentLength;
  }
}

/** @param {Buffer} data @param {Entry} entry */
function readEntry(data, entry) {
  const begin =
    entry.offset + 30 + data.readUInt16LE(entry.offset + 26) + data.readUInt16LE(entry.offset + 28);
  const packed = data.subarray(begin, begin + entry.size);
  if (entry.method === 0) return packed;
  if (entry.method === 8) return inflateRawSync(packed);
  throw new Error(`${entry.name}: unknown compression ${entry.method}`);
}
