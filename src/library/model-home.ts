/** Where a model keeps its own files: in its folder, or on another drive that they were moved to. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../base/json-file.ts';
import { writeJsonFileSync } from '../base/whole-file.ts';
import { manifestName } from './model-folder.ts';

const homeName = 'moved.json';
/** Written while a model is on its way. */
export const movingName = 'moving.json';
const homeSchema = z.object({ home: z.string() });
/** What stays in the folder wherever the rest is; the cache can be built anew. */
const staying: ReadonlySet<string> = new Set([manifestName, homeName, movingName, '.cache']);

/** The folder elsewhere; null where a model's files lie in its own folder. */
export function homeOf(model: string): string | null {
  const file = path.join(model, homeName);
  return existsSync(file) ? readJsonFile(file, homeSchema, 'storage').home : null;
}

/** @param home null for the model's own folder */
export function setHome(model: string, home: string | null): void {
  const file = path.join(model, homeName);
  if (home === null) rmSync(file, { force: true });
  else writeJsonFileSync(file, { home });
}

/** Absolute places of a model's own files and folders, without what only says what it is. */
export function ownEntries(model: string): string[] {
  const home = homeOf(model) ?? model;
  if (!existsSync(home)) return [];
  return readdirSync(home)
    .filter((name) => !staying.has(name) && !name.endsWith('.part'))
    .map((name) => path.join(home, name));
}
