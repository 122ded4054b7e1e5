import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { modelManifestSchema, type ModelManifest } from '../../shared/domain/model-manifest.ts';
import { StudioError } from '../../shared/errors.ts';
import { readJsonFile } from './json-file.ts';

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

/**
 * Reads textbind.json and finds its parts.
 * @throws StudioError `not-found` for a folder without textbind.json, `model-invalid` naming the field at fault
 */
export function readModelFolder(folder: string): ModelFolder {
  const file = join(folder, 'textbind.json');
  if (!existsSync(file)) {
    throw new StudioError('not-found', `${folder}: there is no textbind.json`);
  }
  const parsed = modelManifestSchema.safeParse(readJsonFile(file));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new StudioError(
      'model-invalid',
      `${file}: field "${issue.path.join('.')}": ${issue.message}`,
    );
  }
  const manifest = parsed.data;
  const locate = (field: string, path: string): string => {
    const absolute = isAbsolute(path) ? path : resolve(folder, path);
    if (!existsSync(absolute)) {
      throw new StudioError(
        'model-invalid',
        `${file}: field "${field}": ${absolute} does not exist`,
      );
    }
    return absolute;
  };
  const checkpoint =
    manifest.checkpoint === undefined ? null : locate('checkpoint', manifest.checkpoint);
  const qformer = manifest.qformer === undefined ? [] : [locate('qformer', manifest.qformer)];
  const decoder = manifest.imageDecoder;
  return {
    folder,
    manifest,
    visionModel: locate('visionModel', manifest.visionModel),
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
