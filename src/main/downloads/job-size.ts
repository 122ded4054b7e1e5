/** How large a download is, how much of it is on the disk, and what is free there. */
import { existsSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { isPartFolder, placeOfPart } from '../../library/parts.ts';
import type { Job } from './job.ts';
import { partOf, readJournal } from './journal.ts';
import { fingerprintOf, type FilePlan } from './plan.ts';

/** Bytes of all files of a download. */
export function bytesOf({ parts }: Pick<Job, 'parts'>): number {
  return parts.reduce(
    (sum, { files }) => sum + files.reduce((all, { bytes }) => all + bytes, 0),
    0,
  );
}

/** Bytes of a download that are on the disk, as its journals say. @param roots folders elsewhere that are looked into */
export function receivedOf(
  { parts }: Pick<Job, 'parts'>,
  partsFolder: string,
  roots?: readonly string[],
): number {
  const of = (folder: string, plan: FilePlan): number => {
    const place = placeOfPart(partsFolder, folder, roots);
    const file = path.join(place, plan.path);
    // A package goes when what is wanted was taken out of it.
    if (existsSync(file) || isPartFolder(place)) return plan.bytes;
    if (!existsSync(partOf(file))) return 0;
    const journal = readJournal(file, fingerprintOf(plan));
    return (journal?.parts ?? []).reduce((sum, part) => sum + part.received, 0);
  };
  return parts.reduce(
    (sum, { folder, files }) => sum + files.reduce((all, plan) => all + of(folder, plan), 0),
    0,
  );
}

/** Free bytes where a folder is, or will be. */
export async function freeBytesAt(folder: string): Promise<number> {
  let place = folder;
  while (!existsSync(place) || !statSync(place).isDirectory()) place = path.dirname(place);
  const { bavail, bsize } = await statfs(place);
  return bavail * bsize;
}
