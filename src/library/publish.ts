/** A model of parts that lie elsewhere becomes one of its own: what is unchanged is shared on disk, not copied. */
import { constants, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { copyFile, link, mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { replaceFolderSync, writeJsonFileSync } from '../base/whole-file.ts';
import { StudioError, reasonOf } from '../shared/errors.ts';
import type { ModelManifest } from '../shared/domain/model-manifest.ts';
import { manifestName, readModelFolder, type ModelFolder } from './model-folder.ts';

/** Of tools, and what the engine builds anew: no part of a model. */
const leftOut: ReadonlySet<string> = new Set(['.git', '.cache']);

export interface Published {
  readonly folder: string;
  /** Bytes that lie on the disk once, for this model and the one they come from. */
  readonly sharedBytes: number;
  readonly copiedBytes: number;
}

/**
 * Makes a model's folder out of one whose parts may lie anywhere. Files are hard links where the disk allows it.
 * @param from a folder with textbind.json
 * @param models the folder of models that the new one joins
 * @throws StudioError `model-invalid` where a part is missing, `storage` where it cannot be written
 */
export async function publishModel(from: string, models: string, name: string): Promise<Published> {
  const source = readModelFolder(from);
  mkdirSync(models, { recursive: true });
  const folder = path.join(models, freeName(models, name));
  const making = `${folder}.${process.pid}.part`;
  rmSync(making, { recursive: true, force: true });
  const tally = { sharedBytes: 0, copiedBytes: 0 };
  try {
    mkdirSync(making);
    const manifest = await shareParts(source, making, name, tally);
    // Last: without it the folder is no model.
    writeJsonFileSync(path.join(making, manifestName), manifest);
    readModelFolder(making);
    replaceFolderSync(folder, making);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    if (error instanceof StudioError) throw error;
    const reason = reasonOf(error);
    throw new StudioError('storage', `${folder} could not be written: ${reason}`, { cause: error });
  }
  return { folder, ...tally };
}

interface Tally {
  sharedBytes: number;
  copiedBytes: number;
}

/** Puts every part below the new folder, under names of its own, and gives the manifest that names them there. */
async function shareParts(
  source: ModelFolder,
  into: string,
  name: string,
  tally: Tally,
): Promise<ModelManifest> {
  const { manifest, imageDecoder } = source;
  const share = async (from: string, as: string): Promise<string> => {
    await shareTree(from, path.join(into, as), tally);
    return as;
  };
  const file = (from: string, as: string): Promise<string> => share(from, as + path.extname(from));
  const visionModel = await share(source.visionModel, 'vision');
  const languageModel = await share(source.languageModel, 'language');
  const processor =
    path.resolve(source.processor) === path.resolve(source.visionModel)
      ? visionModel
      : await share(source.processor, 'processor');
  const own = source.qformer.find((each) => each !== source.checkpoint);
  return {
    ...manifest,
    name,
    ...{ visionModel, languageModel, processor },
    ...(own === undefined ? {} : { qformer: await file(own, 'qformer') }),
    ...(source.checkpoint === null
      ? {}
      : { checkpoint: await file(source.checkpoint, 'checkpoint') }),
    imageDecoder:
      manifest.imageDecoder === null || imageDecoder === null
        ? null
        : {
            ...manifest.imageDecoder,
            base: await share(imageDecoder.base, 'image-decoder'),
            refiner:
              imageDecoder.refiner === null ? null : await share(imageDecoder.refiner, 'refiner'),
          },
  };
}

/** A file, or a folder with what is in it. */
async function shareTree(from: string, to: string, tally: Tally): Promise<void> {
  const kind = await stat(from);
  if (kind.isFile()) return shareFile(from, to, kind.size, tally);
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) {
    if (!leftOut.has(name)) await shareTree(path.join(from, name), path.join(to, name), tally);
  }
}

async function shareFile(from: string, to: string, bytes: number, tally: Tally): Promise<void> {
  try {
    await link(from, to);
    tally.sharedBytes += bytes;
  } catch {
    // Another disk, a file of another owner, a file system without links: blocks are shared where it can, else copied.
    await copyFile(from, to, constants.COPYFILE_FICLONE);
    tally.copiedBytes += bytes;
  }
}

/** A folder's name made of a model's name; where it is taken, with a number. */
export function freeName(models: string, name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-+|-+$/g, '');
  const wanted = plain === '' ? 'model' : plain.slice(0, 80);
  const taken = new Set(existsSync(models) ? readdirSync(models) : []);
  for (let number = 1; ; number += 1) {
    const free = number === 1 ? wanted : `${wanted}-${number}`;
    if (!taken.has(free) && !existsSync(path.join(models, free))) return free;
  }
}
