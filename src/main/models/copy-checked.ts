import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { StudioError } from '../../shared/errors.ts';
import { chunksOf, hashFile } from '../../base/chunks.ts';

const highWaterMark = 1 << 20;

export interface CheckedCopyOptions {
  readonly signal: AbortSignal;
  /** Bytes that are copied and compared; a byte counts half when it is copied. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Copies a file, or a folder with what its links point to, forces it to the disk, and reads it again.
 * @returns bytes that were copied
 * @throws {StudioError} `storage` where what is read is not what was copied; the signal's reason
 */
export async function copyChecked(
  from: string,
  to: string,
  options: CheckedCopyOptions,
): Promise<number> {
  let done = 0;
  for (const file of await layOut(from, to, '')) {
    const before = done;
    const onBytes = (bytes: number): void => options.onBytes(before + bytes);
    done += await copyFile(path.join(from, file), path.join(to, file), { ...options, onBytes });
  }
  return done;
}

/** Makes the folders, those too that hold nothing. @returns paths of files from there; '' for a file itself */
async function layOut(from: string, to: string, inside: string): Promise<string[]> {
  const at = path.join(from, inside);
  if ((await stat(at)).isFile()) return [inside];
  await mkdir(path.join(to, inside), { recursive: true });
  const names = (await readdir(at)).sort();
  const lists = await Promise.all(names.map((name) => layOut(from, to, path.join(inside, name))));
  return lists.flat();
}

async function copyFile(from: string, to: string, options: CheckedCopyOptions): Promise<number> {
  const { signal, onBytes } = options;
  await mkdir(path.dirname(to), { recursive: true });
  const given = createHash('sha256');
  let bytes = 0;
  const handle = await open(to, 'wx');
  try {
    for await (const chunk of chunksOf(createReadStream(from, { signal, highWaterMark }))) {
      given.update(chunk);
      await handle.writeFile(chunk);
      bytes += chunk.length;
      onBytes(bytes / 2);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  let read = 0;
  const found = await hashFile(createHash('sha256'), to, { signal, highWaterMark }, (more) => {
    read += more;
    onBytes((bytes + read) / 2);
  });
  if (found.digest('hex') === given.digest('hex')) return bytes;
  throw new StudioError('storage', `${to}: the drive does not hold what was written to it.`);
}
