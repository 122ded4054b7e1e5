/** Models on disk: which there are, how large, and what is wrong with them. */
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ModelSummary } from '../shared/domain/model-manifest.ts';
import { homeOf } from './model-home.ts';
import { isModelFolder, locateParts, readManifest, type ModelFolder } from './model-folder.ts';
import { placesOf } from './model-places.ts';
import { reasonOf } from '../shared/errors.ts';

/** A folder in which each folder is a model. */
export interface ModelsFolder {
  readonly folder: string;
  /** Whether what stands there came with the app. */
  readonly embedded: boolean;
}

/** The model that is used until a person chooses another. */
export const defaultModel = 'textbind-mini';

/** The first of some places that is not to be touched, since its drive does not answer; null where there is none. */
export type Silence = (places: readonly string[]) => Promise<string | null>;

/** Where nobody looked before: each is touched. */
export const noSilence: Silence = () => Promise.resolve(null);

/** What is said of a place whose drive does not answer. */
export function silentWords(place: string): string {
  return `${place} does not answer: its drive is asleep, slow or away.`;
}

/** Lists the models of the folders, in order, by name; broken ones with their fault. */
export async function listModels(
  folders: readonly ModelsFolder[],
  silence = noSilence,
): Promise<ModelSummary[]> {
  const lists = await Promise.all(
    folders.map(async ({ folder, embedded }) => {
      const names = await modelNames(folder);
      return Promise.all(
        names.map((name) => summaryOf(path.join(folder, name), embedded, silence)),
      );
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
  return places.find(isModelFolder) ?? places[0] ?? name;
}

async function modelNames(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const names = entries.filter((entry) => !entry.isFile()).map((entry) => entry.name);
    return names.filter((name) => isModelFolder(path.join(folder, name))).sort();
  } catch {
    return [];
  }
}

/** What one model is; with its fault where it is broken. */
export async function summaryOf(
  folder: string,
  embedded: boolean,
  silence = noSilence,
): Promise<ModelSummary> {
  const read = attempt(() => readManifest(folder));
  if ('fault' in read) {
    const name = path.basename(folder);
    const bytesOnDisk = await bytesOfPlaces([folder]);
    return { folder, bytesOnDisk, embedded, name, licence: '', canDraw: false, fault: read.fault };
  }
  const { name, licence, imageDecoder } = read.value;
  const moved = attempt(() => homeOf(folder));
  const home = 'fault' in moved || moved.value === null ? {} : { home: moved.value };
  const silent = await silence(placesOf(folder, read.value));
  const located =
    silent === null
      ? attempt(() => locateParts(folder, read.value))
      : { fault: silentWords(silent) };
  const parts = 'fault' in located ? [] : partsOf(located.value);
  const bytesOnDisk = await bytesOfPlaces([folder, ...parts]);
  const fault = 'fault' in located ? located.fault : null;
  const canDraw = imageDecoder !== null;
  return { folder, bytesOnDisk, embedded, name, licence, canDraw, fault, ...home };
}

/** Bytes of all files of a model, those too that textbind.json names elsewhere. */
export function bytesOnDisk(model: ModelFolder): Promise<number> {
  return bytesOfPlaces([model.folder, ...partsOf(model)]);
}

/** Where a model's parts lie: in its folder, or anywhere else that its textbind.json names. */
function partsOf({ visionModel, qformer, languageModel, processor, imageDecoder }: ModelFolder) {
  const decoder = [imageDecoder?.base, imageDecoder?.refiner].filter(
    (part) => typeof part === 'string',
  );
  return [visionModel, ...qformer, languageModel, processor, ...decoder];
}

/** What a reader gives, or the sentence with which it refused. */
function attempt<T>(read: () => T): { readonly value: T } | { readonly fault: string } {
  try {
    return { value: read() };
  } catch (error) {
    return { fault: reasonOf(error) };
  }
}

/** Entries of a model's folder that are counted: none has a thousandth of that. */
const mostEntries = 100_000;

/**
 * Bytes of files and of all files below folders, as far as they can be seen, each file once. A link to a file counts as
 * the file (the Hugging Face cache is made of such), a link to a folder is not followed.
 */
export async function bytesOfPlaces(places: readonly string[]): Promise<number> {
  const files = new Map<string, number>();
  const folders = new Set<string>();
  let seen = 0;
  const count = async (place: string): Promise<void> => {
    const file = await stat(place, { bigint: true }).catch(() => null);
    if (file?.isFile()) files.set(`${file.dev}:${file.ino}`, Number(file.size));
  };
  const waiting = [...places];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const real = await realpath(next).catch(() => null);
    if (real === null || folders.has(real)) continue;
    folders.add(real);
    const entries = await readdir(real, { withFileTypes: true }).catch(() => null);
    if (entries === null) await count(real);
    seen += entries?.length ?? 1;
    if (seen > mostEntries) break;
    for (const entry of entries ?? []) {
      const place = path.join(real, entry.name);
      if (entry.isDirectory()) waiting.push(place);
      else await count(place);
    }
  }
  return [...files.values()].reduce((sum, bytes) => sum + bytes, 0);
}
