/** Parts that were fetched: a folder each, whole once its part.json is there. Several models may use one. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../base/json-file.ts';
import { writeJsonFileSync } from '../base/whole-file.ts';
import { partRoleSchema } from '../shared/domain/catalogue.ts';

const partName = 'part.json';

export const partFileSchema = z.object({
  path: z.string(),
  bytes: z.number().int().nonnegative(),
  /** What the hub says of the whole, or of pieces what was found when they came. */
  digest: z.object({ algorithm: z.enum(['sha256', 'sha512', 'git']), hex: z.string() }),
});
export type PartFile = z.infer<typeof partFileSchema>;

export const storedPartSchema = z.object({
  id: z.string(),
  role: partRoleSchema,
  name: z.string(),
  repository: z.string(),
  commit: z.string(),
  licence: z.string(),
  files: z.array(partFileSchema),
});
export type StoredPart = z.infer<typeof storedPartSchema>;

/** Whether a folder holds a whole part. */
export function isPartFolder(folder: string): boolean {
  return existsSync(path.join(folder, partName));
}

/** @throws StudioError `storage` where its part.json cannot be read */
export function readPart(folder: string): StoredPart {
  return readJsonFile(path.join(folder, partName), storedPartSchema, 'storage');
}

/** Makes a folder a whole part: the last thing that is written. */
export function writePart(folder: string, part: StoredPart): void {
  writeJsonFileSync(path.join(folder, partName), part);
}

/** Absolute paths of the whole parts in a folder. */
export function partFolders(parts: string): string[] {
  try {
    const names = readdirSync(parts, { withFileTypes: true }).filter((each) => !each.isFile());
    return names.map(({ name }) => path.join(parts, name)).filter(isPartFolder);
  } catch {
    return [];
  }
}
