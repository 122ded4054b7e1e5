/** The run file that a plan comes to: the same that `textbind train --config` takes. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { readModelFolder } from '../../library/model-folder.ts';
import { StudioError } from '../../shared/errors.ts';
import type {
  Dataset,
  ModelSource,
  RunChange,
  RunFile,
  RunPlan,
  RunSamples,
} from '../../shared/domain/training.ts';

/** A plan with its data sets found. */
export interface PlannedData {
  readonly training: Dataset;
  readonly validation: Dataset | null;
  /** Others that are mixed in, each with how often an epoch passes it. */
  readonly blend?: readonly { readonly dataset: Dataset; readonly weight: number }[];
}

/** Fields without a value are left out: the trainer's own defaults are the paper's. */
function given(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== undefined),
  );
}

/**
 * Writes a plan as a run file. Paths in it are absolute but for what lies in the run's own folder.
 * @throws StudioError `bad-input` where the plan contradicts itself, `model-invalid` where its model is broken
 */
export function runFileOf(plan: RunPlan, data: PlannedData, featureFolder: string): RunFile {
  const { settings, stage } = plan;
  for (const { dataset } of data.blend ?? []) checkStage(stage, dataset);
  checkStage(stage, data.training);
  if (data.validation !== null) checkStage(stage, data.validation);
  const { loraRank, loraBits, keepFeatures, samples, processes: _processes, ...plain } = settings;
  const { optimizer, reports } = plain;
  // One process has nothing to share out.
  const sharding = settings.processes > 1 ? plain.sharding : 'none';
  const whole = given({
    ...plain,
    stage,
    model: modelOf(plan.source),
    data: dataOf(stage, data),
    output: '.',
    sharding,
    offload: sharding === 'fsdp' && plain.offload,
    // Shards have Adam alone.
    optimizer: optimizer === 'adam' || sharding === 'fsdp' ? null : optimizer,
    reports: reports.length === 0 ? null : reports,
    lora: loraRank === null || stage === 1 ? null : given({ rank: loraRank, bits: loraBits }),
    featureCache: keepFeatures ? featureFolder : null,
    samples: samples !== null && asksAnything(samples, data) ? samples : null,
  });
  return whole as RunFile;
}

function asksAnything({ prompts, heldBack }: RunSamples, { validation }: PlannedData): boolean {
  return prompts.length > 0 || (heldBack > 0 && validation !== null);
}

function checkStage(stage: number, { name, stage: made }: Dataset): void {
  if (made === stage) return;
  const message = `"${name}" is data for stage ${made}, the run is of stage ${stage}.`;
  throw new StudioError('bad-input', message);
}

function modelOf(source: ModelSource): Record<string, unknown> {
  switch (source.kind) {
    case 'model':
      return given({ textbind: source.folder, fresh: source.fresh ? true : null });
    case 'checkpoint': {
      const parts = readModelFolder(source.folder);
      const { visionModel, processor, languageModel, manifest } = parts;
      return given({
        ...{ visionModel, processor, languageModel, qformerConfig: manifest.qformerConfig },
        qformer: parts.qformer.find((file) => file !== parts.checkpoint),
        checkpoint: source.checkpoint,
      });
    }
    case 'parts': {
      const { visionModel, processor, languageModel, qformer } = source;
      return given({ visionModel, processor, languageModel, qformer });
    }
    default:
      return source satisfies never;
  }
}

function dataOf(stage: 1 | 2, data: PlannedData): Record<string, unknown> {
  const { training, validation, blend = [] } = data;
  const isBlend = blend.length > 0;
  if (stage === 1) {
    const tars = isBlend ? null : tarsOf(training.path);
    const held = validation === null ? null : tarsOf(validation.path);
    return given({
      tars,
      pairs: tars === null ? partsOf(data) : null,
      validationTars: held,
      validationPairs: validation !== null && held === null ? [partOf(validation)] : null,
    });
  }
  const skips = [training, ...blend.map(({ dataset }) => dataset)].some((set) => set.skipsBadRows);
  return given({
    conversations: isBlend ? partsOf(data) : training.path,
    images: isBlend ? null : training.images,
    validation: validation === null ? null : held(validation, training),
    badRows: skips ? 'skip' : 'stop',
  });
}

/** What is held back, with its own folder of pictures where that is another. */
function held(validation: Dataset, training: Dataset): unknown {
  return validation.images === training.images ? validation.path : [partOf(validation)];
}

function partsOf({ training, blend = [] }: PlannedData): unknown[] {
  return [partOf(training), ...blend.map(({ dataset, weight }) => partOf(dataset, weight))];
}

function partOf({ path: place, images }: Dataset, weight = 1): Record<string, unknown> {
  return given({ path: place, images, weight });
}

/**
 * A folder's tars by name; else the file, or the pattern that the trainer knows (`{00000..01254}.tar`); null where it is
 * something else than tars.
 */
function tarsOf(place: string): string | string[] | null {
  const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (!isFolder) return place.endsWith('.tar') ? place : null;
  const tars = readdirSync(place).filter((name) => name.endsWith('.tar'));
  if (tars.length === 0) return null;
  return tars.sort().map((name) => path.join(place, name));
}

/** The run file after a change; a setting that becomes null falls back to the trainer's default. */
export function changedRunFile(file: RunFile, change: RunChange): RunFile {
  const { skipBadRows, ...settings } = change;
  const changed = { ...file, ...settings };
  if (skipBadRows === true) changed.data = { ...file.data, badRows: 'skip' };
  // The trainer takes one of the two.
  if (change.steps !== undefined && change.steps !== null) changed.epochs = null;
  if (change.epochs !== undefined && change.epochs !== null) changed.steps = null;
  return given(changed) as RunFile;
}
