import { existsSync } from 'node:fs';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { readModelFolder } from '../../library/model-folder.ts';
import { listModels } from '../../library/models.ts';
import { gigabytes } from '../../worker/pipelines/memory/needs.ts';
import { modelNeeds, type ModelNeeds } from '../../worker/pipelines/memory/plan.ts';
import { chooseProvider, probeProviders } from '../../worker/runtime/index.ts';
import { readOptions } from '../options.ts';
import { modelsFolders } from '../model-option.ts';

export const doctorCommand = {
  usage: 'textbind doctor [--json]',
  async run(args: readonly string[]): Promise<void> {
    const { output } = readOptions(args, {});
    const report = {
      hardware: {
        platform: `${process.platform} ${process.arch}`,
        processor: cpus()[0]?.model.trim() ?? 'unknown',
        threads: availableParallelism(),
        memoryBytes: totalmem(),
        freeMemoryBytes: freemem(),
      },
      libraries: await libraries(),
      providers: await probeProviders(),
      choice: await whereThingsRun(),
      models: await modelsReport(),
    };
    output.result(report, () => {
      const { hardware } = report;
      output.line(
        `${hardware.processor}, ${hardware.threads} threads, ${gigabytes(hardware.memoryBytes)} memory, ${gigabytes(hardware.freeMemoryBytes)} free (${hardware.platform})`,
      );
      for (const { name, version, fault } of report.libraries) {
        output.line(`${name} ${version ?? ''}${fault === null ? '' : `: ${fault}`}`);
      }
      for (const { provider, usable, reason } of report.providers) {
        output.line(`${provider}: ${usable ? 'works' : `cannot be used: ${firstLine(reason)}`}`);
      }
      output.line(report.choice.explanation);
      for (const { name, verdict } of report.models) output.line(`${name}: ${verdict}`);
    });
  },
};

async function libraries() {
  const found = [
    await library('onnxruntime-node', async () => {
      const { ort } = await import('../../worker/runtime/onnx-runtime.ts');
      return ort.env.versions.node ?? ort.env.versions.common;
    }),
    await library('sharp', async () => {
      const { default: sharp } = await import('sharp');
      return sharp.versions['sharp'] ?? sharp.versions.vips;
    }),
  ];
  return [{ name: 'node', version: process.versions.node, fault: null }, ...found];
}

async function library(name: string, load: () => Promise<string | undefined>) {
  try {
    return { name, version: (await load()) ?? null, fault: null };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { name, version: null, fault: `cannot be loaded: ${firstLine(reason)}` };
  }
}

async function whereThingsRun() {
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

async function modelsReport() {
  const models = await listModels(modelsFolders().filter(({ folder }) => existsSync(folder)));
  return Promise.all(
    models.map(async ({ name, folder, bytesOnDisk, fault }) => {
      const about = { name, folder, bytesOnDisk };
      if (fault !== null) return { ...about, fits: false, verdict: fault };
      try {
        return { ...about, ...verdictOn(await modelNeeds(readModelFolder(folder), 'cpu')) };
      } catch (error) {
        const verdict = error instanceof Error ? error.message : String(error);
        return { ...about, fits: false, verdict };
      }
    }),
  );
}

/** By what the machine has in all: what is free now, other programs may give back. */
function verdictOn({ talking, drawing }: ModelNeeds) {
  const least = Math.max(talking, drawing?.sparing ?? 0);
  const fits = least < totalmem();
  const pictures =
    drawing === null
      ? ''
      : `, pictures ${gigabytes(drawing.sparing)}${drawing.kept > drawing.sparing ? ` to ${gigabytes(drawing.kept)}` : ''}`;
  const verdict = `${fits ? 'fits' : 'does not fit'} into memory (on the processor: words ${gigabytes(talking)}${pictures})`;
  const needs = { talking, drawingSparing: drawing?.sparing, drawingKept: drawing?.kept };
  return { fits, verdict, memoryBytes: needs };
}

function firstLine(text: string): string {
  return text.split('\n')[0]!.trim();
}
