/** What the window and the command ask of models on the disk: nothing is loaded, no session is opened. */
import { rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type {
  WorkerEventBody,
  WorkerReplyBody,
  WorkerRequestBody,
} from '../shared/contracts/worker-protocol.ts';
import { checkModel } from './conversion/check-model.ts';
import { extractBlip2 } from './conversion/extract-blip2.ts';
import { importCost } from './conversion/import-cost.ts';
import { importModel, type ImportSources } from './conversion/import-model.ts';
import { ModelFaults } from './conversion/model-faults.ts';
import { recogniseAll } from './conversion/recognise.ts';

export function recogniseModels({
  places,
}: WorkerRequestBody<'models.recognise'>): WorkerReplyBody<'models.recognise'> {
  return { found: recogniseAll(places) };
}

export function costOfImport({
  sources,
  storage,
}: WorkerRequestBody<'models.cost'>): WorkerReplyBody<'models.cost'> {
  return importCost(sources, storage);
}

/** Reads a model's configurations and headers again. @throws StudioError what is wrong with it */
export async function checkOneModel(
  { folder }: WorkerRequestBody<'models.check'>,
  signal: AbortSignal,
): Promise<WorkerReplyBody<'models.check'>> {
  try {
    const { warnings } = await checkModel(folder, { signal });
    return { warnings: [...warnings], faults: [] };
  } catch (error) {
    if (error instanceof ModelFaults) return { warnings: [], faults: [...error.faults] };
    throw error;
  }
}

/** Imports; tensors that do not fit are an outcome, not an error, so that all of them can be shown. */
export async function importOneModel(
  { out, request }: WorkerRequestBody<'models.import'>,
  emit: (progress: WorkerEventBody<'models.import'>) => void,
  signal: AbortSignal,
): Promise<WorkerReplyBody<'models.import'>> {
  const { storage, name, licence, sizes, guidance } = request;
  const taken = await takeApart(request.sources, storage, out, signal);
  try {
    const manifest = { name, licence, ...sizes };
    const wanted = { sources: taken.sources, storage, out, replace: false, manifest, guidance };
    const report = await importModel(wanted, { signal, onProgress: emit });
    return { ok: true, ...report, warnings: [...report.warnings] };
  } catch (error) {
    const faults = faultsOf(error);
    if (faults === null) throw error;
    return { ok: false, message: faults.message, faults: [...faults.faults] };
  } finally {
    if (taken.temporary !== null) rmSync(taken.temporary, { recursive: true, force: true });
  }
}

function faultsOf(error: unknown): ModelFaults | null {
  if (error instanceof ModelFaults) return error;
  return error instanceof Error && error.cause instanceof ModelFaults ? error.cause : null;
}

/** A whole BLIP-2 is referred to as it is; copied, its language model would come along. */
async function takeApart(
  sources: ImportSources,
  storage: string,
  out: string,
  signal: AbortSignal,
): Promise<{ readonly sources: ImportSources; readonly temporary: string | null }> {
  const { vision, qformer } = sources;
  if (storage === 'refer' || qformer !== vision) return { sources, temporary: null };
  const name = `.${path.basename(out)}.blip2-${randomBytes(6).toString('hex')}`;
  const temporary = path.join(path.dirname(out), name);
  const extracted = await extractBlip2(vision, temporary, { signal });
  const apart = { ...sources, vision: extracted.vision, qformer: extracted.qformer };
  return { sources: apart, temporary };
}
