import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { PartRecord } from './journal.ts';
import type { PartPlan } from './plan.ts';

const chunkBytes = 1 << 20;

/** A piece of a file on its way: how much of it is on the disk, and the digest of that. */
export class Part implements PartPlan {
  readonly segment: number;
  readonly at: number;
  readonly bytes: number;
  received = 0;
  #hash: Hash = createHash('sha256');
  /** Of a whole part that a journal tells of: its bytes are read once, where the whole is checked. */
  #known: string | null = null;

  constructor({ segment, at, bytes }: PartPlan) {
    this.segment = segment;
    this.at = at;
    this.bytes = bytes;
  }

  get isWhole(): boolean {
    return this.received === this.bytes;
  }

  /** Counts bytes that are written. */
  take(data: Uint8Array): void {
    this.#hash.update(data);
    this.received += data.length;
  }

  /** Of what was received, lower case hexadecimal. */
  sha256(): string {
    return this.#known ?? this.#hash.copy().digest('hex');
  }

  record(): PartRecord {
    const { segment, at, bytes, received } = this;
    return { segment, at, bytes, received, sha256: this.sha256() };
  }

  /** It is to be fetched from its beginning. */
  forget(): void {
    this.received = 0;
    this.#known = null;
    this.#hash = createHash('sha256');
  }

  /**
   * Goes on from what a journal says, as far as the disk agrees: after a crash it may not hold what was written.
   * @returns whether it does
   */
  async recall(record: PartRecord, handle: FileHandle): Promise<boolean> {
    this.forget();
    if (record.received === this.bytes) {
      this.received = this.bytes;
      this.#known = record.sha256;
      return true;
    }
    for await (const data of readRange(handle, this.at, record.received)) this.take(data);
    if (this.received === record.received && this.sha256() === record.sha256) return true;
    this.forget();
    return false;
  }
}

/** The bytes of a file from `at`, up to `length`; fewer where it ends before. */
export async function* readRange(
  handle: FileHandle,
  at: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(1, length)));
  for (let done = 0; done < length;) {
    const wanted = Math.min(buffer.length, length - done);
    const { bytesRead } = await handle.read(buffer, 0, wanted, at + done);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    done += bytesRead;
  }
}

/** Writes all of it: one call may write less. */
export async function writeAt(handle: FileHandle, data: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < data.length;) {
    const { bytesWritten } = await handle.write(data, done, data.length - done, at + done);
    done += bytesWritten;
  }
}
