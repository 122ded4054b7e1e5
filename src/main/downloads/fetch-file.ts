/**
 * Fetches one file: several connections at once, each for a part; what has come is written down as it goes, so that a
 * quit, a crash, sleep or a lost network costs seconds; the whole is checked before it gets its name.
 */
import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { StudioError } from '../../shared/errors.ts';
import { gigabytes } from '../../shared/words.ts';
import { DownloadFault } from './fault.ts';
import { discardPart, journalOf, partOf, readJournal, writeJournal } from './journal.ts';
import { Part, readRange, writeAt } from './part.ts';
import { fingerprintOf, partsOf, type FilePlan, type Segment } from './plan.ts';
import { askForPiece, changed, RangesRefused, toFault, type Piece, type Reach } from './receive.ts';
import { repair } from './repair.ts';
import { WholeCheck } from './whole-check.ts';
import { chunksOf } from '../../base/chunks.ts';

export interface Limits {
  readonly connections: number;
  readonly partBytes: number;
  /** How often one part is tried without a byte coming. */
  readonly tries: number;
  /** The first wait between two tries; doubled each time, up to the last. Milliseconds. */
  readonly firstWaitMs: number;
  readonly lastWaitMs: number;
  /** How often what has come is written down. Milliseconds. */
  readonly saveMs: number;
  /** What stays free on the disk. Bytes. */
  readonly reserveBytes: number;
}

export const usualLimits: Limits = {
  connections: 4,
  partBytes: 32 * 1024 * 1024,
  tries: 6,
  firstWaitMs: 500,
  lastWaitMs: 30_000,
  saveMs: 1000,
  reserveBytes: 1024 ** 3,
};

/** A shorter wait is over before a person has read of it. Milliseconds. */
const seenMs = 3000;

export interface FetchOptions extends Reach {
  readonly limits: Limits;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly freeBytes: (folder: string) => Promise<number>;
  /** Bytes of this file that are on the disk; told often. */
  readonly onReceived: (bytes: number) => void;
  /** Everything has come and is being checked. */
  readonly onChecking?: () => void;
  /** A part is tried again after so many milliseconds, since this stood in its way. */
  readonly onRetry?: (fault: DownloadFault, waitMs: number) => void;
}

/**
 * Fetches a file into a folder, or goes on with one that is there in part.
 * @throws {DownloadFault} what stands in the way; what has come stays. The signal's reason
 */
export async function fetchFile(
  folder: string,
  plan: FilePlan,
  options: FetchOptions,
): Promise<void> {
  const file = path.join(folder, plan.path);
  if (await isThere(file, plan.bytes)) return options.onReceived(plan.bytes);
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await new FileFetch(file, plan, options).run();
  } catch (error) {
    options.signal.throwIfAborted();
    const fault = toFault(error);
    // What came twice the same and is wrong would be gone on with for ever.
    if (fault instanceof DownloadFault && fault.kind === 'wrong') await discardPart(file);
    throw fault;
  }
}

/** A file gets its name only when it is whole and checked. */
async function isThere(file: string, bytes: number): Promise<boolean> {
  const found = await stat(file).catch(() => null);
  return found?.isFile() === true && found.size === bytes;
}

class FileFetch {
  readonly #file: string;
  readonly #plan: FilePlan;
  readonly #options: FetchOptions;
  readonly #fingerprint: string;
  #parts: Part[] = [];
  #etags: Record<string, string> = {};
  #connections: number;
  #savedAt = performance.now();
  #saving: Promise<void> = Promise.resolve();

  constructor(file: string, plan: FilePlan, options: FetchOptions) {
    this.#file = file;
    this.#plan = plan;
    this.#options = options;
    this.#fingerprint = fingerprintOf(plan);
    this.#connections = options.limits.connections;
  }

  async run(): Promise<void> {
    const journal = readJournal(this.#file, this.#fingerprint);
    const handle = await open(partOf(this.#file), journal === null ? 'w+' : 'r+', 0o600);
    try {
      await this.#recall(journal, handle);
      await this.#checkSpace();
      await writeAt(handle, Buffer.from(this.#plan.head, 'base64'), 0);
      await this.#fetchAll(handle);
      await handle.truncate(this.#plan.bytes);
      await handle.sync();
    } finally {
      await this.#saving.catch(() => undefined);
      // What has come since is not lost either; where the disk refuses, the last time stands.
      await this.#save(handle).catch(() => undefined);
      await handle.close();
    }
    await rename(partOf(this.#file), this.#file);
    await rm(journalOf(this.#file), { force: true });
  }

  /** Goes on from a journal, as far as the disk agrees with it. */
  async #recall(journal: ReturnType<typeof readJournal>, handle: FileHandle): Promise<void> {
    const plans = journal?.parts ?? partsOf(this.#plan, this.#options.limits.partBytes);
    this.#parts = plans.map((plan) => new Part(plan));
    this.#etags = { ...journal?.etags };
    for (const [index, record] of (journal?.parts ?? []).entries()) {
      this.#options.signal.throwIfAborted();
      await this.#parts[index]?.recall(record, handle);
    }
    this.#tell();
  }

  async #fetchAll(handle: FileHandle): Promise<void> {
    let check = new WholeCheck(this.#plan, handle, this.#parts);
    // A disk that twice does not give back what was written does not do so the third time.
    for (let round = 0; round < 3; round += 1) {
      try {
        await this.#fetchMissing(handle, check);
      } catch (error) {
        if (!(error instanceof RangesRefused)) throw error;
        await this.#layOutAsOne(handle);
        check = new WholeCheck(this.#plan, handle, this.#parts);
        round -= 1;
        continue;
      }
      this.#options.onChecking?.();
      const bad = await check.finish();
      this.#tell();
      if (bad.length > 0) continue;
      if (!check.isRight) await this.#repair(handle, check);
      return;
    }
    throw new DownloadFault('disk', `${this.#file}: the disk does not keep what is written to it.`);
  }

  async #fetchMissing(handle: FileHandle, check: WholeCheck): Promise<void> {
    const missing = this.#parts.filter((part) => !part.isWhole);
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, stop.signal]);
    const connection = async (): Promise<void> => {
      for (let part = missing.shift(); part !== undefined; part = missing.shift()) {
        const target = part;
        await this.#receiveWhole(target, signal, (data, at) => writeAt(handle, data, at), handle);
        check.advance();
      }
    };
    const connections = Array.from({ length: this.#connections }, () =>
      connection().catch((error: unknown) => {
        stop.abort();
        throw error;
      }),
    );
    const ends = await Promise.allSettled(connections);
    this.#options.signal.throwIfAborted();
    const reasons = ends.map((end): unknown => (end.status === 'rejected' ? end.reason : null));
    // The others were only stopped because of it.
    const first = reasons.find((reason) => reason !== null && !isAbort(reason));
    if (first !== undefined) throw toFault(first);
  }

  /** Receives a part to its end, trying again where that helps. */
  async #receiveWhole(
    part: Part,
    signal: AbortSignal,
    write: (data: Uint8Array, at: number) => Promise<void>,
    handle: FileHandle,
  ): Promise<void> {
    const { limits, wait, onRetry } = this.#options;
    for (let tries = 0; !part.isWhole;) {
      const before = part.received;
      try {
        await this.#receive(part, signal, write, handle);
      } catch (error) {
        signal.throwIfAborted();
        const fault = toFault(error);
        if (fault instanceof RangesRefused || fault.kind !== 'network') throw fault;
        tries = part.received > before ? 1 : tries + 1;
        if (tries > limits.tries) throw fault;
        const delayMs = waitMs(tries, fault.waitMs, limits);
        if (delayMs > seenMs) onRetry?.(fault, delayMs);
        await wait(delayMs, signal);
      }
    }
  }

  /** One connection's worth of a part. */
  async #receive(
    part: Part,
    signal: AbortSignal,
    write: (data: Uint8Array, at: number) => Promise<void>,
    handle: FileHandle,
  ): Promise<void> {
    const segment = this.#plan.segments[part.segment];
    if (segment === undefined) throw new StudioError('internal', 'A part of no segment.');
    const start = segment.from + part.at - segment.at;
    const first = start + part.received;
    const etag = this.#etags[segment.address] ?? null;
    const wanted = { segment, first, last: start + part.bytes - 1, etag };
    const { headersFor, proxy, silenceMs } = this.#options;
    const piece = await askForPiece(wanted, { headersFor, proxy, silenceMs, signal }).catch(
      (error: unknown) => {
        if (error instanceof DownloadFault && error.kind === 'changed') this.#hasChanged(part);
        throw error;
      },
    );
    this.#noteVersion(part, segment, piece);
    let { skip } = piece;
    try {
      for await (const chunk of chunksOf(piece.body)) {
        const data = chunk.subarray(skip, skip + part.bytes - part.received);
        skip -= Math.min(skip, chunk.length);
        await write(data, part.at + part.received);
        part.take(data);
        this.#tell();
        await this.#saveNowAndThen(handle);
        if (part.isWhole) return;
      }
    } finally {
      // What is more than was asked for is not waited for.
      piece.body.destroy();
    }
    throw new DownloadFault('network', `${new URL(segment.address).host} ended too soon.`);
  }

  /** Several are asked for at once, before the first answer tells which version the file has. */
  #noteVersion(part: Part, segment: Segment, { etag, body }: Piece): void {
    const known = this.#etags[segment.address];
    if (etag !== null && known !== undefined && known !== etag) {
      body.destroy();
      this.#hasChanged(part);
      throw changed(segment, 'it is another version now');
    }
    if (etag !== null) this.#etags[segment.address] = etag;
  }

  /** Where no digest tells in the end, pieces of two versions must not be put together. */
  #hasChanged({ segment }: Part): void {
    const address = this.#plan.segments[segment]?.address ?? '';
    delete this.#etags[address];
    if (this.#plan.digest !== null) return;
    for (const part of this.#parts) {
      if (this.#plan.segments[part.segment]?.address === address) part.forget();
    }
  }

  /** For a server that gives whole files only: one connection, from what is there at the beginning. */
  async #layOutAsOne(handle: FileHandle): Promise<void> {
    const [segment, ...others] = this.#plan.segments;
    if (segment === undefined || others.length > 0) {
      const message =
        'The server gives whole files only; the pieces that are needed cannot be had.';
      throw new DownloadFault('wrong', message);
    }
    const missing = this.#parts.findIndex((part) => !part.isWhole);
    const before = this.#parts.slice(0, missing < 0 ? undefined : missing);
    const received = before.reduce((sum, part) => sum + part.bytes, 0);
    const one = new Part({ segment: 0, at: segment.at, bytes: segment.bytes });
    for await (const data of readRange(handle, one.at, received)) one.take(data);
    this.#parts = [one];
    this.#connections = 1;
  }

  #repair(handle: FileHandle, check: WholeCheck): Promise<void> {
    return repair({
      parts: this.#parts,
      handle,
      check,
      aside: `${this.#file}.again`,
      receive: (part, write) => this.#receiveWhole(part, this.#options.signal, write, handle),
    });
  }

  #tell(): void {
    this.#options.onReceived(
      Buffer.byteLength(this.#plan.head, 'base64') +
        this.#parts.reduce((sum, part) => sum + part.received, 0),
    );
  }

  async #checkSpace(): Promise<void> {
    const missing = this.#parts.reduce((sum, part) => sum + part.bytes - part.received, 0);
    const free = await this.#options.freeBytes(path.dirname(this.#file));
    const needed = missing + this.#options.limits.reserveBytes;
    if (free >= needed) return;
    throw new DownloadFault('full', notEnough(free, needed));
  }

  async #saveNowAndThen(handle: FileHandle): Promise<void> {
    if (performance.now() - this.#savedAt < this.#options.limits.saveMs) return;
    this.#savedAt = performance.now();
    this.#saving = this.#saving.then(() => this.#save(handle));
    await this.#saving;
    const { freeBytes, limits } = this.#options;
    const free = await freeBytes(path.dirname(this.#file));
    if (free < limits.reserveBytes) {
      throw new DownloadFault('full', notEnough(free, limits.reserveBytes));
    }
  }

  /** What the journal tells of is on the disk before it is told. */
  async #save(handle: FileHandle): Promise<void> {
    const parts = this.#parts.map((part) => part.record());
    const etags = { ...this.#etags };
    await handle.datasync();
    await writeJournal(this.#file, { fingerprint: this.#fingerprint, etags, parts });
  }
}

/** The sentence for a disk that has not enough room; both in bytes. */
export function notEnough(free: number, needed: number): string {
  return `The disk has ${gigabytes(free)} free; ${gigabytes(needed)} are needed. Make room, then go on.`;
}

/** Doubled each time, and up to a half more by chance, so that many do not come back at once. */
function waitMs(tries: number, asked: number | null, { firstWaitMs, lastWaitMs }: Limits): number {
  const own = Math.min(lastWaitMs, firstWaitMs * 2 ** (tries - 1));
  return Math.max(own * (1 + Math.random() / 2), Math.min(asked ?? 0, 10 * lastWaitMs));
}

function isAbort(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'AbortError';
}
