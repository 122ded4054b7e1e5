/**
 * A file whose parts came whole and whose digest is wrong: a hub tells the digest of the whole alone, so parts are
 * fetched a second time one by one; where the two differ a third time decides, and that part alone is put right.
 */
import { open, rm, type FileHandle } from 'node:fs/promises';
import { DownloadFault } from './fault.ts';
import { Part, readRange, writeAt } from './part.ts';
import { RangesRefused } from './receive.ts';
import type { WholeCheck } from './whole-check.ts';

export interface Repairing {
  readonly parts: readonly Part[];
  /** Of the file that is being put right. */
  readonly handle: FileHandle;
  readonly check: WholeCheck;
  /** A file for what comes the second time. */
  readonly aside: string;
  readonly receive: (
    part: Part,
    write: (data: Uint8Array, at: number) => Promise<void>,
  ) => Promise<void>;
}

/** @throws {DownloadFault} `wrong` where the hub gives the same again, `network` where it gives something else each time */
export async function repair(repairing: Repairing): Promise<void> {
  const { parts, check, aside } = repairing;
  try {
    for (const part of parts) {
      if (!(await isReplaced(part, repairing))) continue;
      check.restart();
      await check.finish();
      if (check.isRight) return;
    }
  } finally {
    await rm(aside, { force: true });
  }
  throw new DownloadFault(
    'wrong',
    'What the hub gives is not what its listing says, each time the same. It was deleted.',
  );
}

async function isReplaced(part: Part, repairing: Repairing): Promise<boolean> {
  const first = part.sha256();
  const { handle, aside } = repairing;
  const copy = await open(aside, 'w+', 0o600);
  try {
    const second = await again(part, repairing, (data, at) => writeAt(copy, data, at - part.at));
    if (second === first) return false;
    const third = await again(part, repairing, async () => undefined);
    if (third === first) return false;
    if (third !== second) {
      throw new DownloadFault('network', 'The connection changes what it carries.');
    }
    part.forget();
    for await (const data of readRange(copy, 0, part.bytes)) {
      await writeAt(handle, data, part.at + part.received);
      part.take(data);
    }
    return true;
  } finally {
    await copy.close();
  }
}

/** @returns the digest of what comes this time */
async function again(
  part: Part,
  { receive }: Repairing,
  write: (data: Uint8Array, at: number) => Promise<void>,
): Promise<string> {
  const other = new Part(part);
  try {
    await receive(other, write);
  } catch (error) {
    if (!(error instanceof RangesRefused)) throw error;
    throw new DownloadFault('network', 'The server gave the whole file in place of a piece.');
  }
  return other.sha256();
}
