/** A download from one end to the other: file after file, part after part, each part whole with its part.json. */
import { createHash } from 'node:crypto';
import { rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { isPartFolder, placeOfPart, writePart, type PartFile } from '../../library/parts.ts';
import { DownloadFault } from './fault.ts';
import { fetchFile, notEnough, type FetchOptions, type Limits } from './fetch-file.ts';
import type { HubReach } from './hub.ts';
import { usualSilenceMs } from './http.ts';
import type { Job, JobPart } from './job.ts';
import { bytesOf, receivedOf } from './job-size.ts';
import { lookAtPart } from './look.ts';
import type { Digest } from './plan.ts';
import { unpack } from './unpack.ts';
import { hashFile } from '../../base/chunks.ts';

export interface JobOptions {
  readonly partsFolder: string;
  readonly limits: Limits;
  readonly reach: HubReach;
  readonly freeBytes: (folder: string) => Promise<number>;
  readonly wait: (ms: number) => Promise<void>;
  /** All that is on the disk of the job, and what is being fetched. */
  readonly onReceived: (received: number, file: string) => void;
  readonly onChecking: () => void;
  readonly onRetry?: FetchOptions['onRetry'];
  /** The hub told of other files than before. */
  readonly onPlan: (job: Job) => void;
}

/** @throws {DownloadFault} what stands in the way; the signal's reason */
export async function runJob(job: Job, options: JobOptions): Promise<void> {
  await checkSpace(job, options);
  let current = job;
  for (let index = 0; index < current.parts.length; index += 1) {
    const part = current.parts[index];
    if (part === undefined) break;
    try {
      await fetchPart(current, index, options);
    } catch (error) {
      options.reach.signal.throwIfAborted();
      if (!(error instanceof DownloadFault) || error.kind !== 'changed') throw error;
      // Asked again: the listing tells what the file is now.
      current = await planAgain(current, part, options.reach);
      options.onPlan(current);
      await fetchPart(current, index, options);
    }
  }
}

async function planAgain(job: Job, part: JobPart, reach: HubReach): Promise<Job> {
  const looked = await lookAtPart(part.part, '', reach, part.commit);
  const parts = job.parts.map((each) => (each === part ? { ...part, files: looked.files } : each));
  return { ...job, parts };
}

async function fetchPart(job: Job, index: number, options: JobOptions): Promise<void> {
  const part = job.parts[index];
  if (part === undefined) return;
  const folder = placeOfPart(options.partsFolder, part.folder);
  let before = bytesOf({ parts: job.parts.slice(0, index) });
  if (!isPartFolder(folder)) {
    for (const plan of part.files) {
      const done = before;
      const tell = (received: number): void => options.onReceived(done + received, plan.path);
      await fetchFile(folder, plan, fetchOptions(options, tell));
      before += plan.bytes;
    }
    options.onChecking();
    const { files, ...about } = await describe(part, folder);
    const taken = await takeOut(part, folder, options);
    writePart(folder, { ...about, files: taken ?? files });
  }
  // What it was taken out of has done its part.
  if (part.part.source !== null) {
    for (const { path: file } of part.files) rmSync(path.join(folder, file), { force: true });
  }
  options.onReceived(bytesOf({ parts: job.parts.slice(0, index + 1) }), part.folder);
}

function fetchOptions(options: JobOptions, onReceived: (bytes: number) => void): FetchOptions {
  const { reach, limits, freeBytes, wait, onChecking, onRetry } = options;
  const { host } = new URL(reach.hub);
  return {
    signal: reach.signal,
    headersFor: (address) => (address.host === host ? (reach.headers ?? {}) : {}),
    proxy: reach.proxy ?? null,
    silenceMs: reach.silenceMs ?? usualSilenceMs,
    ...{ limits, freeBytes, wait, onReceived, onChecking, ...(onRetry && { onRetry }) },
  };
}

/** Before anything is fetched: half of a model that does not fit is worth nothing. */
async function checkSpace(job: Job, options: JobOptions): Promise<void> {
  const missing = bytesOf(job) - receivedOf(job, options.partsFolder);
  const free = await options.freeBytes(options.partsFolder);
  const needed = missing + options.limits.reserveBytes;
  if (missing > 0 && free < needed) throw new DownloadFault('full', notEnough(free, needed));
}

/** Of a package: the files that are wanted of it. Null for what is used as it came. */
async function takeOut(
  { part, files }: JobPart,
  folder: string,
  { limits, reach, freeBytes }: JobOptions,
): Promise<PartFile[] | null> {
  const [archive] = files;
  if (part.source === null || archive === undefined) return null;
  const wanted = { entries: part.files, freeBytes, ...limits, signal: reach.signal };
  const names = await unpack(path.join(folder, archive.path), folder, wanted);
  const taken: PartFile[] = [];
  for (const name of names) {
    const place = path.join(folder, name);
    taken.push({ path: name, bytes: statSync(place).size, digest: await digestOf(place) });
  }
  return taken;
}

async function describe({ part, commit, files }: JobPart, folder: string) {
  const { id, role, name, repository, licence } = part;
  const described: PartFile[] = [];
  for (const { path: file, bytes, digest } of files) {
    // Nobody published what pieces should be: what came is what it is compared with later.
    const own = digest ?? (await digestOf(path.join(folder, file)));
    described.push({ path: file, bytes, digest: own });
  }
  return { id, role, name, repository, commit, licence: licence.name, files: described };
}

/** SHA-256 of a file. */
export async function digestOf(file: string): Promise<Digest> {
  const hash = await hashFile(createHash('sha256'), file);
  return { algorithm: 'sha256', hex: hash.digest('hex') };
}
