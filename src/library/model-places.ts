/** Where a model's parts are said to lie, and saying it anew. */
import path from 'node:path';
import { writeJsonFileSync } from '../base/whole-file.ts';
import type { ModelManifest } from '../shared/domain/model-manifest.ts';
import { manifestName, readManifest } from './model-folder.ts';

/** A file or a folder that lies in another place now; both absolute. */
export interface Moved {
  readonly from: string;
  readonly to: string;
}

/** Whether a place is a folder, or lies in it. */
export function isWithin(place: string, folder: string): boolean {
  return place === folder || place.startsWith(folder + path.sep);
}

/** Absolute places that a manifest names. */
export function placesOf(folder: string, manifest: ModelManifest): string[] {
  const { visionModel, qformer, checkpoint, languageModel, processor, imageDecoder } = manifest;
  const given = [visionModel, qformer, checkpoint, languageModel, processor];
  const all = [...given, imageDecoder?.base, imageDecoder?.refiner];
  return all
    .filter((place) => typeof place === 'string')
    .map((place) => path.resolve(folder, place));
}

/** A manifest whose parts lie where they were moved to; what was not moved keeps its words. */
export function repointed(
  folder: string,
  manifest: ModelManifest,
  moved: readonly Moved[],
): ModelManifest {
  const at = (place: string): string => placeAfter(folder, place, moved);
  const { qformer, checkpoint, imageDecoder } = manifest;
  return {
    ...manifest,
    visionModel: at(manifest.visionModel),
    ...(qformer === undefined ? {} : { qformer: at(qformer) }),
    ...(checkpoint === undefined ? {} : { checkpoint: at(checkpoint) }),
    languageModel: at(manifest.languageModel),
    processor: at(manifest.processor),
    imageDecoder: imageDecoder && {
      ...imageDecoder,
      base: at(imageDecoder.base),
      refiner: imageDecoder.refiner && at(imageDecoder.refiner),
    },
  };
}

/** Writes a model's manifest anew, in one step. */
export function repointModel(folder: string, moved: readonly Moved[]): void {
  const manifest = repointed(folder, readManifest(folder), moved);
  writeJsonFileSync(path.join(folder, manifestName), manifest);
}

function placeAfter(folder: string, place: string, moved: readonly Moved[]): string {
  const absolute = path.resolve(folder, place);
  const found = moved.find(({ from }) => isWithin(absolute, from));
  if (found === undefined) return place;
  const there = path.join(found.to, path.relative(found.from, absolute));
  // What lies in the model's own folder is named from there, so that the folder can be taken elsewhere whole.
  return isWithin(there, folder) ? path.relative(folder, there) : there;
}
