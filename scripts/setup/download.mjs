// Downloads with progress, resuming and an integrity check, using Node's own fetch.
import { createHash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SetupError } from './steps.mjs';

const attempts = 4;

/**
 * Fetches `url` to `target`; a part file left by an earlier try is continued. The target exists only
 * once its sha512 is right.
 * @param {string} url
 * @param {string} target
 * @param {string} integrity "sha512-" and base64, as in npm's metadata
 */
export async function download(url, target, integrity) {
  if (existsSync(target) && (await integrityOf(target)) === integrity) return;
  mkdirSync(path.dirname(target), { recursive: true });
  const part = `${target}.part`;
  let lastError;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      await fetchPart(url, part);
      const actual = await integrityOf(part);
      if (actual === integrity) {
        renameSync(part, target);
        return;
      }
      rmSync(part);
      lastError = new Error(`checksum of ${url} is ${actual}, expected ${integrity}`);
    } catch (error) {
      lastError = error;
    }
    if (attempt < attempts) {
      process.stdout.write(`    try ${attempt} failed (${describe(lastError)}), continuing\n`);
      await new Promise((resolve) => setTimeout(resolve, 1000 * attempt));
    }
  }
  throw new SetupError(
    `could not download ${url}: ${describe(lastError)}`,
    'Check the network connection and run the same command again; the download continues where it stopped.',
    lastError,
  );
}

/** @param {unknown} error */
function describe(error) {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** @param {string} url @param {string} part */
async function fetchPart(url, part) {
  const have = existsSync(part) ? statSync(part).size : 0;
  /** @type {Record<string, string>} */
  const headers = have > 0 ? { range: `bytes=${have}-` } : {};
  const response = await fetch(url, { headers });
  if (response.status === 416) return; // Complete already: the checksum decides.
  if (!response.ok || response.body === null)
    throw new Error(`the server answered ${response.status}`);
  const resumed = response.status === 206;
  const total = Number(response.headers.get('content-length') ?? 0) + (resumed ? have : 0);
  const progress = progressLine(path.basename(url), total, resumed ? have : 0);
  const body = Readable.fromWeb(
    /** @type {import('node:stream/web').ReadableStream} */ (response.body),
  );
  body.on('data', (/** @type {Buffer} */ chunk) => progress(chunk.length));
  await pipeline(body, createWriteStream(part, { flags: resumed ? 'a' : 'w' }));
}

/**
 * Prints "name: 40 of 187 MB" at most every two seconds.
 * @param {string} name @param {number} total bytes, 0 where unknown @param {number} begin bytes
 */
function progressLine(name, total, begin) {
  let done = begin;
  let last = Date.now();
  const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(0);
  return (/** @type {number} */ bytes) => {
    done += bytes;
    if (Date.now() - last < 2000) return;
    last = Date.now();
    const of = total > 0 ? ` of ${megabytes(total)}` : '';
    process.stdout.write(`    ${name}: ${megabytes(done)}${of} MB\n`);
  };
}

/** @param {string} file */
async function integrityOf(file) {
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return `sha512-${hash.digest('base64')}`;
}
