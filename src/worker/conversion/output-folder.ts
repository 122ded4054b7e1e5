/**
 * Where an import writes: a folder of its own beside the target, which takes the target's place when it is whole.
 * What stands there is never written to, and is deleted only after the new one is in place, and only if it is a model.
 */
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { modelManifestSchema } from '../../shared/domain/model-manifest.ts';
import { StudioError } from '../../shared/errors.ts';
import { readJson } from '../../base/json-file.ts';

const manifestName = 'textbind.json';
/** What an import writes at the top of a model's folder besides its manifest. */
export const partNames = [
  'vision',
  'processor',
  'qformer',
  'checkpoint',
  'language',
  'image-decoder',
  'image-refiner',
] as const;
const ownNames: ReadonlySet<string> = new Set([manifestName, ...partNames, '.cache']);
/** A source is looked through for links into the target, up to so many entries. */
const mostEntries = 100_000;

/** The folders of one import. */
export interface OutputFolder {
  readonly target: string;
  /** Being written; it did not exist before. */
  readonly staged: string;
  /** Where what stood at the target is for the moment between two renames. */
  readonly replaced: string;
}

/**
 * Chooses the folders, and refuses a target that must not be replaced. Nothing is written.
 * @param out the target; its links are followed
 * @param sources files and folders that are read from
 * @param options `id`: a word in the names of the folders, by which an import that was cut off is found again
 * @throws StudioError `bad-input` with a sentence that says why not
 */
export function planOutput(
  out: string,
  sources: readonly string[],
  options: { readonly replace: boolean; readonly id?: string | undefined },
): OutputFolder {
  const target = realPlace(out);
  if (isThere(target)) checkReplaceable(target, options.replace);
  for (const source of sources) checkApart(target, source);
  const stem = path.join(path.dirname(target), `.${path.basename(target)}`);
  const id = options.id ?? randomBytes(6).toString('hex');
  return { target, staged: `${stem}.importing-${id}`, replaced: `${stem}.replaced-${id}` };
}

/** Makes the folder to write into. One that is there already is an error, unless it is gone on with. */
export function createStaged({ staged }: OutputFolder, resume = false): void {
  mkdirSync(path.dirname(staged), { recursive: true });
  mkdirSync(staged, { recursive: resume });
}

/** Puts what was written in place. Where that fails, what stood there is back. */
export function putInPlace({ target, staged, replaced }: OutputFolder): void {
  const replaces = isThere(target);
  if (replaces) renameSync(target, replaced);
  try {
    renameSync(staged, target);
  } catch (error) {
    if (replaces) renameSync(replaced, target);
    throw error;
  }
  rmSync(replaced, { recursive: true, force: true });
}

/** Removes what an import that did not come to its end has written; what stood at the target is there again. */
export function discard({ target, staged, replaced }: OutputFolder): void {
  rmSync(staged, { recursive: true, force: true });
  if (!isThere(replaced)) return;
  if (isThere(target)) rmSync(replaced, { recursive: true, force: true });
  else renameSync(replaced, target);
}

function isThere(place: string): boolean {
  return lstatSync(place, { throwIfNoEntry: false }) !== undefined;
}

/** The path without links, also of what does not exist yet. */
function realPlace(place: string): string {
  const absolute = path.resolve(place);
  if (existsSync(absolute)) return realpathSync(absolute);
  if (isThere(absolute)) {
    throw new StudioError('bad-input', `${absolute}: is a link to what does not exist`);
  }
  const parent = path.dirname(absolute);
  return parent === absolute ? absolute : path.join(realPlace(parent), path.basename(absolute));
}

function checkReplaceable(target: string, replace: boolean): void {
  const refuse = (why: string): never => {
    throw new StudioError('bad-input', `${target}: ${why}`);
  };
  if (!lstatSync(target).isDirectory()) refuse('is not a folder');
  const names = readdirSync(target);
  if (names.length === 0) return;
  if (!replace) refuse('is there already and not empty (--overwrite replaces a model)');
  if (!names.includes(manifestName)) {
    refuse(
      `is not a model (there is no ${manifestName}), so it is not replaced; choose another folder`,
    );
  }
  const manifest = modelManifestSchema.safeParse(
    readJson(path.join(target, manifestName), 'model-invalid'),
  );
  if (!manifest.success) {
    refuse(`its ${manifestName} is not a model's, so it is not replaced; choose another folder`);
  }
  const foreign = names.find((name) => !ownNames.has(name));
  if (foreign !== undefined) {
    refuse(`holds ${foreign}, which no import wrote, so it is not replaced; move that away first`);
  }
}

/** Fails where the source and the target share files: replacing the target would delete what is read. */
function checkApart(target: string, source: string): void {
  const real = realpathSync(source);
  const refuse = (place: string, how: string): never => {
    throw new StudioError(
      'bad-input',
      `${target}: ${place} ${how}; importing there would destroy it, choose another folder`,
    );
  };
  if (isWithin(real, target)) refuse(source, real === target ? 'is the same folder' : 'lies in it');
  if (isWithin(target, real)) refuse(source, 'holds it');
  if (!lstatSync(real).isDirectory()) return;
  let seen = 0;
  const look = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      seen += 1;
      if (seen > mostEntries) {
        throw new StudioError('bad-input', `${source}: holds more than ${mostEntries} files`);
      }
      const place = path.join(folder, entry.name);
      if (entry.isDirectory()) look(place);
      else if (entry.isSymbolicLink() && existsSync(place)) {
        const linked = realpathSync(place);
        if (isWithin(linked, target)) refuse(place, `is a link to ${linked} in it`);
      }
    }
  };
  look(real);
}

/** Whether `place` is `folder` or lies in it. */
function isWithin(place: string, folder: string): boolean {
  const relative = path.relative(folder, place);
  return (
    relative === '' ||
    (!relative.startsWith(`..${path.sep}`) && relative !== '..' && !path.isAbsolute(relative))
  );
}
