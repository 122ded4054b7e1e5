/** What is known of a file that is being fetched, beside it: NAME.part.json. Written only after the bytes it tells of. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { readJsonFile } from '../../base/json-file.ts';
import { writeWholeFile } from '../../base/whole-file.ts';

const partRecordSchema = z.object({
  segment: z.number().int().nonnegative(),
  at: z.number().int().nonnegative(),
  bytes: z.number().int().positive(),
  received: z.number().int().nonnegative(),
  /** Of the bytes received, lower case hexadecimal. */
  sha256: z.string(),
});
export type PartRecord = z.infer<typeof partRecordSchema>;

const journalSchema = z.object({
  fingerprint: z.string(),
  /** ETag of each source, where it gives one. */
  etags: z.record(z.string(), z.string()),
  parts: z.array(partRecordSchema),
});
export type Journal = z.infer<typeof journalSchema>;

export const journalOf = (file: string): string => `${file}.part.json`;
export const partOf = (file: string): string => `${file}.part`;

/** Null where there is none that can be used, or none for this plan. */
export function readJournal(file: string, fingerprint: string): Journal | null {
  const place = journalOf(file);
  if (!existsSync(place) || !existsSync(partOf(file))) return null;
  try {
    const journal = readJsonFile(place, journalSchema, 'storage');
    return journal.fingerprint === fingerprint ? journal : null;
  } catch {
    // It begins anew: what is not known to be right is not used.
    return null;
  }
}

export function writeJournal(file: string, journal: Journal): Promise<void> {
  return writeWholeFile(journalOf(file), JSON.stringify(journal));
}

/** Removes what is there of a file that did not become whole. */
export async function discardPart(file: string): Promise<void> {
  await rm(journalOf(file), { force: true });
  await rm(partOf(file), { force: true });
}
