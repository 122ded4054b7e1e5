import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  modelManifestSchema,
  type ModelManifest,
  type ModelSummary,
} from '../../shared/domain/model-manifest.ts';

/** A folder in which each folder is a model. */
export interface ModelsFolder {
  readonly folder: string;
  /** Whether what stands there came with the app. */
  readonly embedded: boolean;
}

/** The model that is used until a person chooses another. */
export const defaultModel = 'textbind-mini';
const manifestName = 'textbind.json';

/** Lists the models of the folders, in order, by name; broken ones with their fault. */
export async function listModels(folders: readonly ModelsFolder[]): Promise<ModelSummary[]> {
  const lists = await Promise.all(
    folders.map(async ({ folder, embedded }) => {
      const names = await modelNames(folder);
      return Promise.all(names.map((name) => summarise(path.join(folder, name), embedded)));
    }),
  );
  return lists.flat();
}

/**
 * The folder of a model that a setting names: null the default one, a path itself, else a name looked for in the
 * folders. What is found nowhere is given back within the first folder, so that opening it says what is missing.
 */
export function resolveModelFolder(
  folders: readonly ModelsFolder[],
  chosen: string | null,
): string {
  if (chosen !== null && path.isAbsolute(chosen)) return chosen;
  const name = chosen ?? defaultModel;
  const places = folders.map(({ folder }) => path.join(folder, name));
  return places.find((place) => existsSync(path.join(place, manifestName))) ?? places[0] ?? name;
}

async function modelNames(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const names = entries.filter((entry) => !entry.isFile()).map((entry) => entry.name);
    return names.filter((name) => existsSync(path.join(folder, name, manifestName))).sort();
  } catch {
    return [];
  }
}

async function summarise(folder: string, embedded: boolean): Promise<ModelSummary> {
  const bytesOnDisk = await folderBytes(folder);
  const base = { folder, bytesOnDisk, embedded };
  const read = await readManifest(folder);
  if ('fault' in read) {
    const name = path.basename(folder);
    return { ...base, name, licence: '', canDraw: false, fault: read.fault };
  }
  const { name, licence, imageDecoder } = read.manifest;
  const fault = missingPart(folder, read.manifest);
  return { ...base, name, licence, canDraw: imageDecoder !== null, fault };
}

async function readManifest(
  folder: string,
): Promise<{ manifest: ModelManifest } | { fault: string }> {
  const file = path.join(folder, manifestName);
  try {
    const parsed = modelManifestSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
    if (parsed.success) return { manifest: parsed.data };
    const issue = parsed.error.issues[0];
    const field = issue?.path.join('.') ?? '';
    return { fault: `${manifestName}${field === '' ? '' : `, ${field}`}: ${issue?.message}` };
  } catch (error) {
    return { fault: `${manifestName}: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** A sentence about the first part that the manifest names and that is not there; null when all are. */
function missingPart(folder: string, manifest: ModelManifest): string | null {
  const { visionModel, qformer, checkpoint, languageModel, processor, imageDecoder } = manifest;
  const parts = {
    visionModel,
    qformer,
    checkpoint,
    languageModel,
    processor,
    'imageDecoder.base': imageDecoder?.base,
    'imageDecoder.refiner': imageDecoder?.refiner,
  };
  for (const [field, part] of Object.entries(parts)) {
    if (typeof part !== 'string') continue;
    const place = path.resolve(folder, part);
    if (!existsSync(place)) return `${manifestName}, ${field}: ${place} does not exist`;
  }
  return null;
}

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => (await stat(path.join(entry.parentPath, entry.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
