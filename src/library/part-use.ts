/** Which fetched parts a model uses, and which models share them. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { bytesOfPlaces } from './models.ts';
import { ownEntries } from './model-home.ts';
import { isModelFolder, readManifest } from './model-folder.ts';
import { isWithin, placesOf } from './model-places.ts';
import { partFolders, readPart } from './parts.ts';
import type { PartRole } from '../shared/domain/catalogue.ts';

export interface PartUse {
  readonly folder: string;
  readonly name: string;
  readonly role: PartRole;
  readonly bytes: number;
  readonly licence: string;
  /** Names of the models that use it; of other models where one model is asked about. */
  readonly usedBy: readonly string[];
}

/** All fetched parts. @param roots folders elsewhere that are looked into */
export async function partUse(
  models: string,
  parts: string,
  roots?: readonly string[],
): Promise<PartUse[]> {
  const known = modelsIn(models);
  return Promise.all(partFolders(parts, roots).map((folder) => describe(folder, known)));
}

/** The fetched parts of one model, with the other models that use them, and the bytes of its own folder. */
export async function usedParts(
  model: string,
  models: string,
  parts: string,
  roots?: readonly string[],
): Promise<{ readonly ownBytes: number; readonly parts: readonly PartUse[] }> {
  const [own] = modelsIn(path.dirname(model)).filter(({ folder }) => folder === model);
  const others = modelsIn(models).filter(({ folder }) => folder !== model);
  const used = partFolders(parts, roots).filter((part) =>
    own?.places.some((place) => isIn(place, part)),
  );
  return {
    ownBytes: await bytesOfPlaces([model, ...ownEntries(model)]),
    parts: await Promise.all(used.map((folder) => describe(folder, others))),
  };
}

/** Folders of the models that have anything in one of the places. */
export function usersOf(models: string, places: readonly string[]): string[] {
  return modelsIn(models)
    .filter((model) => !model.places.includes('/'))
    .filter((model) => model.places.some((place) => places.some((each) => isIn(place, each))))
    .map(({ folder }) => folder);
}

/** Whether a model's textbind.json cannot be read, so that nobody knows what it uses. */
export function hasUnreadable(models: string): boolean {
  return modelsIn(models).some(({ places }) => places.includes('/'));
}

interface KnownModel {
  readonly folder: string;
  readonly name: string;
  /** Absolute places of its parts. */
  readonly places: readonly string[];
}

function modelsIn(models: string): KnownModel[] {
  let names: string[];
  try {
    names = readdirSync(models);
  } catch {
    return [];
  }
  const folders = names.map((name) => path.join(models, name)).filter(isModelFolder);
  return folders.map((folder) => ({ folder, ...namesOf(folder) }));
}

/** A model whose textbind.json is broken uses what it may: nothing is deleted under it. */
function namesOf(folder: string): Pick<KnownModel, 'name' | 'places'> {
  try {
    const manifest = readManifest(folder);
    return { name: manifest.name, places: placesOf(folder, manifest) };
  } catch {
    return { name: path.basename(folder), places: ['/'] };
  }
}

function isIn(place: string, folder: string): boolean {
  return place === '/' || isWithin(place, folder);
}

async function describe(folder: string, models: readonly KnownModel[]): Promise<PartUse> {
  const { name, role, licence } = readPart(folder);
  const users = models.filter(({ places }) => places.some((place) => isIn(place, folder)));
  const usedBy = users.map((model) => model.name);
  return { folder, name, role, licence, usedBy, bytes: await bytesOfPlaces([folder]) };
}
