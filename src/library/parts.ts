/** Parts that were fetched: a folder each, whole once its part.json is there. Several models may use one. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../base/json-file.ts';
import { writeJsonFileSync } from '../base/whole-file.ts';
import { partRoleSchema } from '../shared/domain/catalogue.ts';

/** What makes a folder a whole part. */
export const partFileName = 'part.json';

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
  return existsSync(path.join(folder, partFileName));
}

/** @throws StudioError `storage` where its part.json cannot be read */
export function readPart(folder: string): StoredPart {
  return readJsonFile(path.join(folder, partFileName), storedPartSchema, 'storage');
}

/** Makes a folder a whole part: the last thing that is written. */
export function writePart(folder: string, part: StoredPart): void {
  writeJsonFileSync(path.join(folder, partFileName), part);
}

/**
 * Absolute paths of the whole parts: those in the folder of parts, and those that were moved elsewhere.
 * @param roots folders elsewhere that are looked into
 */
export function partFolders(parts: string, roots = partRoots(parts)): string[] {
  return [parts, ...roots].flatMap(partsIn);
}

/**
 * Where a part is, whole; else where it is fetched to.
 * @param name of its folder
 * @param roots folders elsewhere that are looked into
 */
export function placeOfPart(parts: string, name: string, roots = partRoots(parts)): string {
  const places = [parts, ...roots].map((root) => path.join(root, name));
  return places.find(isPartFolder) ?? path.join(parts, name);
}

const rootsName = 'roots.json';
const rootsSchema = z.object({ roots: z.array(z.string()) });

/** Folders elsewhere that parts were moved to. One whose drive is away holds none for the time being. */
export function partRoots(parts: string): readonly string[] {
  const file = path.join(parts, rootsName);
  if (!existsSync(file)) return [];
  return readJsonFile(file, rootsSchema, 'storage').roots;
}

/** Remembers a folder that parts are moved to. */
export function addPartRoot(parts: string, root: string): void {
  const roots = partRoots(parts);
  if (root === parts || roots.includes(root)) return;
  mkdirSync(parts, { recursive: true });
  writeJsonFileSync(path.join(parts, rootsName), { roots: [...roots, root] });
}

function partsIn(root: string): string[] {
  try {
    const names = readdirSync(root, { withFileTypes: true }).filter((each) => !each.isFile());
    return names.map(({ name }) => path.join(root, name)).filter(isPartFolder);
  } catch {
    return [];
  }
}
