import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { StudioError } from '../../shared/errors.ts';
import { ask, askForText } from '../downloads/http.ts';
import { chunksOf, hashFile } from '../../base/chunks.ts';

/** No server of ours has a longer metadata file. Bytes. */
const mostText = 64 * 1024;

/** A short text. @throws where the server refuses, or says more than metadata has */
export async function fetchText(address: URL, signal: AbortSignal): Promise<string> {
  return (await askForText(address, { signal }, mostText)).text;
}

export interface WantedFile {
  readonly address: URL;
  readonly bytes: number;
  /** Base64. */
  readonly sha512: string;
  /** Where it goes once it is whole; what is there of it waits beside, as NAME.part. */
  readonly file: string;
}

/**
 * Downloads a file and checks it. What a broken connection left is gone on with the next time; a file that is not what
 * was signed is deleted.
 * @param onBytes told how many are there
 * @throws {StudioError} `bad-input`: the file is not the one that was signed
 */
export async function fetchFile(
  wanted: WantedFile,
  signal: AbortSignal,
  onBytes: (received: number) => void,
): Promise<void> {
  const part = `${wanted.file}.part`;
  mkdirSync(path.dirname(wanted.file), { recursive: true });
  if (existsSync(part) && statSync(part).size > wanted.bytes) rmSync(part);
  const has = existsSync(part) ? statSync(part).size : 0;
  if (has < wanted.bytes) await fetchRest(wanted, part, has, signal, onBytes);
  if ((await sha512Of(part)) !== wanted.sha512) {
    rmSync(part, { force: true });
    throw new StudioError(
      'bad-input',
      'The downloaded update is not the file that was signed. It was deleted; nothing was installed.',
    );
  }
  renameSync(part, wanted.file);
}

async function fetchRest(
  { address, bytes }: WantedFile,
  part: string,
  has: number,
  signal: AbortSignal,
  onBytes: (received: number) => void,
): Promise<void> {
  const headers: Record<string, string> = has === 0 ? {} : { range: `bytes=${has}-` };
  const response = await ask(address, { headers, signal });
  const goesOn = response.statusCode === 206;
  if (!goesOn && response.statusCode !== 200) {
    response.resume();
    throw new Error(`${address.href}: the server answered ${response.statusCode}`);
  }
  // A server that knows no ranges begins at the beginning.
  let received = goesOn ? has : 0;
  const file = await open(part, goesOn ? 'a' : 'w', 0o600);
  try {
    for await (const chunk of chunksOf(response)) {
      received += chunk.length;
      if (received > bytes)
        throw new Error(`${address.href}: longer than the ${bytes} bytes signed`);
      await file.write(chunk);
      onBytes(received);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  if (received < bytes)
    throw new Error(`${address.href}: the connection ended after ${received} of ${bytes} bytes`);
}

/** SHA-512 of a file, in base64. */
export async function sha512Of(file: string): Promise<string> {
  const hash = await hashFile(createHash('sha512'), file);
  return hash.digest('base64');
}
