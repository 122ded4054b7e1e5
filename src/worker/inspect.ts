/** What only a process that loads the engine can say of a machine. */
import { existsSync } from 'node:fs';
import { machineMemory } from '../library/fit/machine-memory.ts';
import { readModelFolder } from '../library/model-folder.ts';
import { listModels, type ModelsFolder } from '../library/models.ts';
import type { EngineFacts, ModelVerdict, TriedProvider, Version } from '../shared/domain/doctor.ts';
import type { ModelSummary } from '../shared/domain/model-manifest.ts';
import { gigabytes } from '../shared/words.ts';
import { codecVersions } from './inputs/picture-codec.ts';
import { modelNeeds, type ModelNeeds } from './pipelines/memory/plan.ts';
import { chooseProvider, probeProviders } from './runtime/index.ts';
import { whatWouldFit } from './would-fit.ts';
import { reasonOf } from '../shared/errors.ts';

/** @param away places that are not to be touched: their drives do not answer */
export async function inspectEngine(
  folders: readonly ModelsFolder[],
  away: readonly string[] = [],
): Promise<EngineFacts> {
  return {
    libraries: await libraries(),
    providers: await providers(),
    choice: await whereThingsRun(),
    models: await verdicts(folders, away),
  };
}

async function libraries(): Promise<Version[]> {
  return [
    await library('onnxruntime-node', async () => {
      const { ort } = await import('./runtime/onnx-runtime.ts');
      return ort.env.versions.node ?? ort.env.versions.common;
    }),
    await library('sharp', async () => {
      const { sharp, vips } = await codecVersions();
      return `${sharp} (libvips ${vips}, WebAssembly)`;
    }),
  ];
}

async function library(name: string, load: () => Promise<string | undefined>): Promise<Version> {
  try {
    return { name, version: (await load()) ?? null, fault: null };
  } catch (error) {
    return { name, version: null, fault: `cannot be loaded: ${firstLine(messageOf(error))}` };
  }
}

async function providers(): Promise<TriedProvider[]> {
  const reports = await probeProviders();
  // In a person's words by who knows which cards there are.
  return reports.map(({ provider, usable, reason }) => {
    const detail = firstLine(reason);
    return { provider, usable, reason: detail, detail };
  });
}

async function whereThingsRun(): Promise<EngineFacts['choice']> {
  const { provider, rejected } = await chooseProvider();
  const where = {
    cuda: 'All networks run on the NVIDIA GPU, in half precision',
    webgpu: 'All networks run on the GPU through WebGPU, in single precision',
    cpu: 'All networks run on the processor, in single precision; quantised weights stay quantised',
  }[provider];
  const passed = rejected.map((report) => report.provider).join(' and ');
  const why = passed === '' ? '' : ` (${passed} cannot be used here)`;
  return { provider, explanation: `${where}${why}.` };
}

async function verdicts(
  folders: readonly ModelsFolder[],
  away: readonly string[],
): Promise<ModelVerdict[]> {
  const silence = (places: readonly string[]): Promise<string | null> =>
    Promise.resolve(places.find((place) => away.includes(place)) ?? null);
  const here = folders.filter(({ folder }) => existsSync(folder));
  const models = await listModels(here, silence);
  return Promise.all(models.map((model) => verdictOf(model)));
}

async function verdictOf(model: ModelSummary): Promise<ModelVerdict> {
  const { name, folder, bytesOnDisk, fault } = model;
  const about = { name, folder, bytesOnDisk };
  if (fault !== null) return { ...about, fits: false, verdict: fault };
  try {
    const read = readModelFolder(folder);
    const needs = await modelNeeds(read, 'cpu');
    const verdict = verdictOn(needs);
    if (verdict.fits) return { ...about, ...verdict };
    return { ...about, ...verdict, instead: await whatWouldFit(read, needs, machineMemory()) };
  } catch (error) {
    return { ...about, fits: false, verdict: messageOf(error) };
  }
}

/** By what the machine has in all: what is free now, other programs may give back. */
function verdictOn({ talking, drawing }: ModelNeeds) {
  const least = Math.max(talking, drawing?.sparing ?? 0);
  const fits = least < machineMemory();
  const pictures =
    drawing === null
      ? ''
      : `, pictures ${gigabytes(drawing.sparing)}${drawing.kept > drawing.sparing ? ` to ${gigabytes(drawing.kept)}` : ''}`;
  const verdict = `${fits ? 'fits' : 'does not fit'} into memory (on the processor: words ${gigabytes(talking)}${pictures})`;
  const drawn =
    drawing === null ? {} : { drawingSparing: drawing.sparing, drawingKept: drawing.kept };
  return { fits, verdict, memoryBytes: { talking, ...drawn } };
}

function messageOf(error: unknown): string {
  return reasonOf(error);
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.trim() ?? '';
}
