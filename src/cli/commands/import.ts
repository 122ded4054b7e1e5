import { existsSync } from 'node:fs';
import path from 'node:path';
import { readJsonFile } from '../../base/json-file.ts';
import { limitsOf } from '../../shared/domain/limits.ts';
import {
  modelSizesSchema,
  paperLength,
  paperQformer,
  qformerConfigSchema,
  type QformerConfig,
} from '../../shared/domain/model-manifest.ts';
import { StudioError } from '../../shared/errors.ts';
import {
  importModel,
  type ImportReport,
  type ImportRequest,
  type ImportSources,
  type ImportStorage,
} from '../../worker/conversion/import-model.ts';
import { measureLayers } from '../../worker/layer-costs.ts';
import type { ImportProgress } from '../../shared/domain/model-import.ts';
import { TextBindModel } from '../../worker/pipelines/textbind-model.ts';
import { command } from '../options.ts';
import { tidyUpAfterKill } from '../tidy-up.ts';
import { drawingLimits, numberOption, required, UsageError, type Output } from '../usage.ts';

/** The default of diffusers' SDXL pipelines. */
const sdxlGuidance = 5;
const sizeLimits = {
  pictures: limitsOf(modelSizesSchema.shape.maxPicturesPerReply),
  length: limitsOf(modelSizesSchema.shape.maxSequenceLength),
};

/** Flags that say what else is quantised. */
const quantisingFlags = ['fast-reading', 'quantize-networks'] as const;
type ImportFlag = 'load' | 'resume' | 'fastReading' | 'foldNetworks';

export const importCommand = command({
  usage:
    'textbind import --vision DIR --language DIR|FILE.gguf [--checkpoint DIR|FILE] [--qformer FILE] [--qformer-config FILE.json] [--processor DIR] [--sd-base DIR] [--sd-refiner DIR] --out DIR [--copy] [--quantize int4|int8|mixed] [--resume] [--fast-reading] [--quantize-networks] [--name TEXT] [--licence TEXT] [--max-length N] [--guidance X] [--max-pictures N] [--load] [--overwrite] [--json]',
  texts: [
    ...(['vision', 'language', 'checkpoint', 'qformer', 'qformer-config', 'processor'] as const),
    ...(['sd-base', 'sd-refiner', 'out', 'quantize', 'name', 'licence'] as const),
    ...(['max-length', 'guidance', 'max-pictures'] as const),
  ],
  flags: ['copy', 'load', 'overwrite', 'resume', ...quantisingFlags],
  async run({ values, output }) {
    const request = requestOf(values);
    const { report, openedInSeconds } = await runImport(
      request,
      {
        ...{ load: values.load, resume: values.resume, fastReading: values['fast-reading'] },
        foldNetworks: values['quantize-networks'],
      },
      output,
    );
    const { folder, name, canDraw, bytes, warnings } = report;
    for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
    output.result({ folder, name, canDraw, bytesOnDisk: bytes, openedInSeconds, warnings }, () => {
      const opened = openedInSeconds === null ? '' : `, opens in ${openedInSeconds.toFixed(1)} s`;
      const skills = canDraw ? 'reads and draws' : 'reads, cannot draw';
      output.line(`${folder}: ${(bytes / 1e6).toFixed(1)} MB${opened}, ${skills}`);
    });
  },
});

interface Values {
  readonly [name: string]: string | boolean | undefined;
}

function requestOf(given: Values): ImportRequest {
  const values = given as Readonly<Record<string, string | undefined>>;
  const out = path.resolve(required(values['out'], 'out'));
  const sources: ImportSources = {
    vision: existing(required(values['vision'], 'vision'), 'vision'),
    language: existing(required(values['language'], 'language'), 'language'),
    qformer: optional(values['qformer'], 'qformer'),
    checkpoint: optional(values['checkpoint'], 'checkpoint'),
    processor: optional(values['processor'], 'processor'),
    base: optional(values['sd-base'], 'sd-base'),
    refiner: optional(values['sd-refiner'], 'sd-refiner'),
  };
  checkSources(sources);
  const storage = storageOf(given['copy'] === true, values['quantize']);
  for (const flag of quantisingFlags) {
    if (given[flag] === true && values['quantize'] === undefined) {
      throw new UsageError(`--${flag} needs --quantize`);
    }
  }
  return {
    sources,
    storage,
    out,
    replace: given['overwrite'] === true,
    guidance: numberOption(values['guidance'], 'guidance', drawingLimits.guidance) ?? sdxlGuidance,
    manifest: {
      name: values['name'] ?? path.basename(out),
      licence: values['licence'] ?? 'see the licences of the parts',
      qformerConfig: readQformerConfig(values['qformer-config']),
      maxPicturesPerReply:
        numberOption(values['max-pictures'], 'max-pictures', sizeLimits.pictures) ?? 4,
      maxSequenceLength:
        numberOption(values['max-length'], 'max-length', sizeLimits.length) ?? paperLength,
    },
  };
}

/** Imports, and tidies up where it is stopped by Ctrl+C, ended by the system, or killed. */
async function runImport(
  request: ImportRequest,
  { load, resume, fastReading, foldNetworks }: Readonly<Record<ImportFlag, boolean>>,
  output: Output,
): Promise<{ readonly report: ImportReport; readonly openedInSeconds: number | null }> {
  const abort = new AbortController();
  const stop = (): void => abort.abort(new StudioError('cancelled', 'Stopped.'));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  let openedInSeconds: number | null = null;
  const open = async (folder: string): Promise<void> => {
    const model = await TextBindModel.open(folder);
    openedInSeconds = model.report.seconds;
    await model.release();
  };
  try {
    const report = await importModel(request, {
      signal: abort.signal,
      onProgress: (progress) => output.progress(progressLine(progress)),
      ...{ measureLayers, fastReading, foldNetworks },
      ...(resume ? { resume } : { onFolders: tidyUpAfterKill }),
      ...(load ? { load: open } : {}),
    });
    return { report, openedInSeconds };
  } finally {
    output.progress('');
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

function progressLine({ step, part, bytes }: ImportProgress): string {
  return `${step} ${part}${bytes > 0 ? `, ${(bytes / 1e6).toFixed(0)} MB so far` : ''}`;
}

function existing(file: string, name: string): string {
  const absolute = path.resolve(file);
  if (!existsSync(absolute)) throw new UsageError(`--${name} ${absolute}: does not exist`);
  return absolute;
}

function optional(file: string | undefined, name: string): string | null {
  return file === undefined ? null : existing(file, name);
}

function checkSources({ qformer, checkpoint, base, refiner }: ImportSources): void {
  if (qformer === null && checkpoint === null) {
    throw new UsageError('one of --qformer and --checkpoint must be given');
  }
  if (refiner !== null && base === null) throw new UsageError('--sd-refiner needs --sd-base');
}

function storageOf(copy: boolean, quantize: string | undefined): ImportStorage {
  if (quantize === undefined) return copy ? 'copy' : 'refer';
  if (quantize === 'int4' || quantize === 'int8' || quantize === 'mixed') return quantize;
  throw new UsageError(`--quantize ${quantize}: expected int4, int8 or mixed`);
}

function readQformerConfig(file: string | undefined): QformerConfig {
  if (file === undefined) return paperQformer;
  return readJsonFile(file, qformerConfigSchema, 'bad-input');
}
