/** What can be fetched: the catalogue that comes with the app, and the person's own entries beside it. */
import { existsSync } from 'node:fs';
import { readJsonFile } from '../base/json-file.ts';
import {
  catalogueSchema,
  partRoles,
  type Catalogue,
  type CataloguePart,
  type CatalogueSystem,
  type PartRole,
} from '../shared/domain/catalogue.ts';
import { StudioError, reasonOf } from '../shared/errors.ts';

export const catalogueName = 'catalogue.json';

export interface ReadCatalogue extends Pick<Catalogue, 'parts' | 'systems'> {
  /** What is wrong with a file, in sentences; its entries are left out. */
  readonly faults: readonly string[];
}

/**
 * Reads catalogues; entries of later files take the place of earlier ones of the same id. A file that is not there is
 * passed over, one that is broken costs its own entries.
 */
export function readCatalogue(files: readonly string[]): ReadCatalogue {
  const parts = new Map<string, CataloguePart>();
  const systems = new Map<string, CatalogueSystem>();
  const faults: string[] = [];
  for (const file of files.filter((each) => existsSync(each))) {
    try {
      const catalogue = readJsonFile(file, catalogueSchema, 'bad-input');
      for (const part of catalogue.parts) parts.set(part.id, part);
      for (const system of catalogue.systems) {
        checkParts(file, system, parts);
        systems.set(system.id, system);
      }
    } catch (error) {
      faults.push(reasonOf(error));
    }
  }
  return { parts: [...parts.values()], systems: [...systems.values()], faults };
}

/** The parts of a system, by what they are in it. */
export function partsOfSystem(
  system: CatalogueSystem,
  parts: readonly CataloguePart[],
): readonly CataloguePart[] {
  return partRoles.flatMap((role) => parts.filter(({ id }) => id === system.parts[role]));
}

function checkParts(
  file: string,
  system: CatalogueSystem,
  parts: ReadonlyMap<string, CataloguePart>,
): void {
  for (const role of partRoles) {
    const id = system.parts[role];
    if (id !== undefined) checkPart(file, system.id, role, id, parts.get(id));
  }
}

function checkPart(
  file: string,
  system: string,
  role: PartRole,
  id: string,
  part: CataloguePart | undefined,
): void {
  if (part?.role === role) return;
  const why = part === undefined ? 'is not there' : `is a part of another kind (${part.role})`;
  throw new StudioError('bad-input', `${file}: the ${role} of "${system}", "${id}", ${why}`);
}
