import type { Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';

/** The pieces of a stream of bytes. Node types them `any`; a stream that was given no encoding gives buffers. */
export function chunksOf(stream: Readable): AsyncIterable<Buffer> {
  return stream;
}

/** Feeds a file to a hash, piece by piece. @param onChunk told of each piece's length */
export async function hashFile(
  hash: Hash,
  file: string,
  options: { readonly signal?: AbortSignal; readonly highWaterMark?: number } = {},
  onChunk?: (bytes: number) => void,
): Promise<Hash> {
  for await (const chunk of chunksOf(createReadStream(file, options))) {
    hash.update(chunk);
    onChunk?.(chunk.length);
  }
  return hash;
}

/**
 * The text of a stream that is short.
 * @param tooLong what is thrown where it is longer than `mostBytes`; the stream ends then
 */
export async function shortText(
  stream: Readable,
  mostBytes: number,
  tooLong: () => Error,
): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(stream)) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
