// One file out of a .tgz, and chosen files out of a .zip: the two formats that the fallback runtime comes in. The
// packages that read them are loaded when they are needed: set-up begins before there are any.
import { createWriteStream, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

/**
 * Copies the first file of a .tgz whose name ends with `suffix` to `target`.
 * @param {string} tgz @param {string} suffix @param {string} target
 * @returns {Promise<void>} rejects where there is no such file, or the archive is cut
 */
export async function extractFromTgz(tgz, suffix, target) {
  const { extract } = await import('tar');
  const folder = `${target}.unpacked`;
  mkdirSync(folder, { recursive: true });
  /** @type {string | undefined} */
  let found;
  try {
    await extract({
      file: tgz,
      cwd: folder,
      strict: true,
      filter(name) {
        if (found === undefined && name.endsWith(suffix)) found = name;
        return name === found;
      },
    });
    if (found === undefined) throw new Error(`${tgz} has no ${suffix}`);
    renameSync(path.join(folder, found), target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Writes the files of a .zip for which `place` names a target path; keeps the executable bit.
 * @param {string} file
 * @param {(name: string) => string | undefined} place
 * @returns {Promise<number>} how many files were written
 */
export async function extractFromZip(file, place) {
  const { openPromise } = await import('yauzl');
  const zip = await openPromise(file);
  let written = 0;
  for await (const entry of zip.eachEntry()) {
    const target = entry.fileName.endsWith('/') ? undefined : place(entry.fileName);
    if (target === undefined) continue;
    mkdirSync(path.dirname(target), { recursive: true });
    // The upper half is the mode of the system that packed it.
    const executable = ((entry.externalFileAttributes >>> 16) & 0o111) !== 0;
    const mode = executable ? 0o755 : 0o644;
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target, { mode }));
    written++;
  }
  return written;
}
