import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import path from 'node:path';
import type { StoredPart } from '../../library/parts.ts';
import { hashFile } from '../../base/chunks.ts';

/**
 * Reads a part's files again.
 * @param onBytes told how many were read
 * @returns what is wrong, in sentences
 */
export async function verifyPart(
  folder: string,
  { name, files }: StoredPart,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<string[]> {
  const faults: string[] = [];
  let read = 0;
  for (const { path: file, bytes, digest } of files) {
    const place = path.join(folder, file);
    const size = statSync(place, { throwIfNoEntry: false })?.size;
    if (size !== bytes) {
      faults.push(`${name}: ${file} has ${size ?? 'no'} bytes, it should have ${bytes}.`);
      continue;
    }
    const hash = createHash(digest.algorithm === 'git' ? 'sha1' : digest.algorithm);
    if (digest.algorithm === 'git') hash.update(`blob ${bytes}\0`);
    await hashFile(hash, place, { signal }, (more) => {
      read += more;
      onBytes(read);
    });
    if (hash.digest('hex') !== digest.hex) {
      faults.push(`${name}: ${file} is not as it was fetched. Fetch it again.`);
    }
  }
  return faults;
}
