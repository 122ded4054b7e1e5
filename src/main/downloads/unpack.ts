/** Takes the files that are wanted out of a package that came, whole and checked. */
import { createWriteStream } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { DownloadFault } from './fault.ts';
import { notEnough } from './fetch-file.ts';

/** What its maker says about the package stays beside what is taken out of it. */
const licenceFile = /^(licen[cs]e|third-?party-?notices?)(\.\w+)?$/i;

export interface UnpackOptions {
  /** Files within the package; each lands in the folder under its last name. */
  readonly entries: readonly string[];
  readonly freeBytes: (folder: string) => Promise<number>;
  readonly reserveBytes: number;
  readonly signal: AbortSignal;
}

/**
 * @returns names of the files that were written, each forced to the disk
 * @throws {DownloadFault} `wrong` where one is not in it, `full`; the signal's reason
 */
export async function unpack(
  archive: string,
  folder: string,
  { entries, freeBytes, reserveBytes, signal }: UnpackOptions,
): Promise<string[]> {
  const zip = await openPromise(archive, { autoClose: false, strictFileNames: true });
  try {
    const found: Entry[] = [];
    for await (const entry of zip.eachEntry()) {
      if (entries.includes(entry.fileName) || licenceFile.test(entry.fileName)) found.push(entry);
    }
    const names = found.map(({ fileName }) => fileName);
    const lacking = entries.find((entry) => !names.includes(entry));
    if (lacking !== undefined) {
      throw new DownloadFault('wrong', `${path.basename(archive)} has no ${lacking}.`);
    }
    const needed = found.reduce((sum, entry) => sum + entry.uncompressedSize, reserveBytes);
    const free = await freeBytes(folder);
    if (free < needed) throw new DownloadFault('full', notEnough(free, needed));
    for (const entry of found) await write(zip, entry, folder, signal);
    return names.map((name) => path.basename(name));
  } finally {
    zip.close();
  }
}

async function write(
  zip: ZipFile,
  entry: Entry,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const place = path.join(folder, path.basename(entry.fileName));
  const fresh = `${place}.part`;
  const content = await zip.openReadStreamPromise(entry);
  await pipeline(content, createWriteStream(fresh, { mode: 0o600 }), { signal });
  const handle = await open(fresh, 'r+');
  await handle.sync().finally(() => handle.close());
  await rename(fresh, place);
}
