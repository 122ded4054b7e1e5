import { constants, createReadStream, createWriteStream } from 'node:fs';
import { copyFile, mkdir, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { StudioError } from '../../shared/errors.ts';

/** Folders of tools that are no part of a model. */
const leftOut: ReadonlySet<string> = new Set(['.git', '.cache']);
const mostDepth = 16;
/** A disk is read and written more quickly in large pieces. */
const pieceBytes = 1024 * 1024;

export interface CopyOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told the bytes of each piece that has been copied. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * Copies a folder with what its links point to: the Hugging Face cache is all links. Pipes, sockets and links to
 * nowhere are passed over; a circle of links is an error.
 * @throws StudioError `bad-input` for a circle; the signal's reason, and then the copy is incomplete
 */
export async function copyFolder(
  from: string,
  to: string,
  options: CopyOptions = {},
  inside: readonly string[] = [],
): Promise<void> {
  const real = await realpath(from);
  if (inside.includes(real) || inside.length >= mostDepth) {
    throw new StudioError('bad-input', `${from}: its links lead back to it, or too deep`);
  }
  await mkdir(to, { recursive: true });
  for (const name of (await readdir(from)).sort()) {
    const source = path.join(from, name);
    const kind = await stat(source).catch(() => null);
    if (kind?.isDirectory() === true && !leftOut.has(name)) {
      await copyFolder(source, path.join(to, name), options, [...inside, real]);
    } else if (kind?.isFile() === true) {
      await copyOneFile(source, path.join(to, name), options);
    }
  }
}

/** Copies one file: by sharing its blocks where the file system can, else piece by piece, so that it can be stopped. */
export async function copyOneFile(
  from: string,
  to: string,
  { signal, onBytes }: CopyOptions = {},
): Promise<void> {
  signal?.throwIfAborted();
  const { size } = await stat(from);
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
    onBytes?.(size);
  } catch {
    await copyInPieces(from, to, { signal, onBytes });
  }
}

async function copyInPieces(
  from: string,
  to: string,
  { signal, onBytes }: CopyOptions,
): Promise<void> {
  async function* counted(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of pieces) {
      onBytes?.(piece.length);
      yield piece;
    }
  }
  try {
    await pipeline(
      createReadStream(from, { highWaterMark: pieceBytes }),
      counted,
      createWriteStream(to),
      {
        ...(signal === undefined ? {} : { signal }),
      },
    );
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
