/** The one reader of textbind.json: what a model on disk consists of, and where its parts lie. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readJsonFile } from '../base/json-file.ts';
import { modelManifestSchema, type ModelManifest } from '../shared/domain/model-manifest.ts';
import { StudioError } from '../shared/errors.ts';

/** The file that makes a folder a model. */
export const manifestName = 'textbind.json';

/** A model on disk with the absolute paths of its parts. */
export interface ModelFolder {
  readonly folder: string;
  readonly manifest: ModelManifest;
  readonly visionModel: string;
  /** Files whose tensors are laid over each other in this order. */
  readonly qformer: readonly string[];
  readonly checkpoint: string | null;
  readonly languageModel: string;
  readonly processor: string;
  readonly imageDecoder: {
    readonly base: string;
    readonly refiner: string | null;
    readonly guidance: number;
  } | null;
}

/** Whether a folder is meant as a model. */
export function isModelFolder(folder: string): boolean {
  return existsSync(path.join(folder, manifestName));
}

/**
 * Reads textbind.json and finds its parts.
 * @throws StudioError `not-found` for a folder without textbind.json, `model-invalid` naming the field at fault
 */
export function readModelFolder(folder: string): ModelFolder {
  return locateParts(folder, readManifest(folder));
}

/** @throws StudioError `not-found` for a folder without textbind.json, `model-invalid` naming the field at fault */
export function readManifest(folder: string): ModelManifest {
  if (!isModelFolder(folder)) {
    throw new StudioError('not-found', `${folder}: there is no ${manifestName}`);
  }
  return readJsonFile(path.join(folder, manifestName), modelManifestSchema, 'model-invalid');
}

/**
 * The absolute paths of a manifest's parts.
 * @throws StudioError `model-invalid` naming the first part that is not there
 */
export function locateParts(folder: string, manifest: ModelManifest): ModelFolder {
  const locate = (field: string, part: string): string => locatePart(folder, field, part);
  const visionModel = locate('visionModel', manifest.visionModel);
  const qformer = manifest.qformer === undefined ? [] : [locate('qformer', manifest.qformer)];
  const checkpoint =
    manifest.checkpoint === undefined ? null : locate('checkpoint', manifest.checkpoint);
  const decoder = manifest.imageDecoder;
  return {
    folder,
    manifest,
    visionModel,
    qformer: checkpoint === null ? qformer : [...qformer, checkpoint],
    checkpoint,
    languageModel: locate('languageModel', manifest.languageModel),
    processor: locate('processor', manifest.processor),
    imageDecoder: decoder && {
      base: locate('imageDecoder.base', decoder.base),
      refiner: decoder.refiner === null ? null : locate('imageDecoder.refiner', decoder.refiner),
      guidance: decoder.guidance,
    },
  };
}

function locatePart(folder: string, field: string, part: string): string {
  const place = path.resolve(folder, part);
  if (existsSync(place)) return place;
  const file = path.join(folder, manifestName);
  throw new StudioError('model-invalid', `${file}: field "${field}": ${place} does not exist`);
}
