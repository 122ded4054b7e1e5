import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { OpenModelReport } from '../../shared/domain/engine-status.ts';
import {
  qformerConfigSchema,
  type ModelManifest,
  type QformerConfig,
} from '../../shared/domain/model-manifest.ts';
import { StudioError } from '../../shared/errors.ts';
import { TextBindModel } from '../../worker/pipelines/textbind-model.ts';
import { openCheckpoint, quantiseModel } from '../../worker/weights/index.ts';
import { copySmallFiles, storeAsHalf, storeFileAsHalf } from '../half-weights.ts';
import { createOutput, numberOption, required, UsageError, type Output } from '../usage.ts';

/** `textbind.md` section 1: the paper's Q-Former. */
const paperQformer: QformerConfig = {
  numQueryTokens: 32,
  numHiddenLayers: 12,
  numAttentionHeads: 12,
  hiddenSize: 768,
  intermediateSize: 3072,
};
/** The released checkpoints' longest sequence. */
const paperLength = 768;
/** The default of diffusers' SDXL pipelines. */
const sdxlGuidance = 5;
const diffusionParts = [
  'text_encoder',
  'text_encoder_2',
  'tokenizer',
  'tokenizer_2',
  'scheduler',
  'unet',
  'vae',
] as const;
const weightlessParts: readonly string[] = ['tokenizer', 'tokenizer_2', 'scheduler'];

interface Sources {
  readonly vision: string;
  readonly language: string;
  readonly qformer: string | null;
  readonly checkpoint: string | null;
  readonly base: string | null;
  readonly refiner: string | null;
  /** Guidance that suits the image decoder. */
  readonly guidance: number;
}

/** How parts come into the model's folder. */
type Storage = 'refer' | 'copy' | 'int4' | 'int8';

export const importCommand = {
  usage:
    'textbind import --vision DIR --language DIR [--checkpoint DIR|FILE] [--qformer FILE] [--qformer-config FILE.json] [--sd-base DIR] [--sd-refiner DIR] --out DIR [--copy] [--quantize int4|int8] [--name TEXT] [--licence TEXT] [--max-length N] [--guidance X] [--max-pictures N] [--overwrite] [--json]',
  async run(args: readonly string[]): Promise<void> {
    const { values } = parseArgs({
      args: [...args],
      options: {
        vision: { type: 'string' },
        language: { type: 'string' },
        checkpoint: { type: 'string' },
        qformer: { type: 'string' },
        'qformer-config': { type: 'string' },
        'sd-base': { type: 'string' },
        'sd-refiner': { type: 'string' },
        out: { type: 'string' },
        copy: { type: 'boolean', default: false },
        quantize: { type: 'string' },
        name: { type: 'string' },
        licence: { type: 'string' },
        'max-length': { type: 'string' },
        guidance: { type: 'string' },
        'max-pictures': { type: 'string' },
        overwrite: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const output = createOutput(values.json);
    const out = path.resolve(required(values.out, 'out'));
    const sources: Sources = {
      vision: existing(required(values.vision, 'vision'), 'vision'),
      language: existing(required(values.language, 'language'), 'language'),
      qformer: optional(values.qformer, 'qformer'),
      checkpoint: optional(values.checkpoint, 'checkpoint'),
      base: optional(values['sd-base'], 'sd-base'),
      refiner: optional(values['sd-refiner'], 'sd-refiner'),
      guidance:
        numberOption(values.guidance, 'guidance', { min: 1, max: 30, whole: false }) ??
        sdxlGuidance,
    };
    checkSources(sources);
    const storage = storageOf(values.copy, values.quantize);
    if (existsSync(out) && readdirSync(out).length > 0 && !values.overwrite) {
      throw new UsageError(
        `--out ${out}: is there already and not empty (--overwrite replaces it)`,
      );
    }
    const manifest = {
      name: values.name ?? path.basename(out),
      licence: values.licence ?? 'see the licences of the parts',
      qformerConfig: readQformerConfig(values['qformer-config']),
      maxPicturesPerReply:
        numberOption(values['max-pictures'], 'max-pictures', { min: 1, max: 16 }) ?? 4,
      maxSequenceLength:
        numberOption(values['max-length'], 'max-length', { min: 64, max: 131_072 }) ?? paperLength,
    };
    const report = await writeModel(out, sources, storage, manifest, output);
    const { name, canDraw, seconds } = report;
    const bytes = folderBytes(out);
    output.result(
      { folder: out, name, canDraw, bytesOnDisk: bytes, openedInSeconds: seconds },
      () =>
        output.line(
          `${out}: ${(bytes / 1e6).toFixed(1)} MB, opens in ${seconds.toFixed(1)} s, ${canDraw ? 'reads and draws' : 'reads, cannot draw'}`,
        ),
    );
  },
};

function existing(file: string, name: string): string {
  const absolute = path.resolve(file);
  if (!existsSync(absolute)) throw new UsageError(`--${name} ${absolute}: does not exist`);
  return absolute;
}

function optional(file: string | undefined, name: string): string | null {
  return file === undefined ? null : existing(file, name);
}

function checkSources({ qformer, checkpoint, base, refiner }: Sources): void {
  if (qformer === null && checkpoint === null) {
    throw new UsageError('one of --qformer and --checkpoint must be given');
  }
  if (refiner !== null && base === null) throw new UsageError('--sd-refiner needs --sd-base');
}

function storageOf(copy: boolean, quantize: string | undefined): Storage {
  if (quantize === undefined) return copy ? 'copy' : 'refer';
  if (quantize === 'int4' || quantize === 'int8') return quantize;
  throw new UsageError(`--quantize ${quantize}: expected int4 or int8`);
}

function readQformerConfig(file: string | undefined): QformerConfig {
  if (file === undefined) return paperQformer;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--qformer-config ${file}: cannot be read as JSON (${String(error)})`);
  }
  const parsed = qformerConfigSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new UsageError(`--qformer-config ${file}: ${issue.path.join('.')}: ${issue.message}`);
}

/** Writes everything beside the target, opens it to see that it fits together, and only then puts it in place. */
async function writeModel(
  out: string,
  sources: Sources,
  storage: Storage,
  rest: Pick<
    ModelManifest,
    'name' | 'licence' | 'qformerConfig' | 'maxPicturesPerReply' | 'maxSequenceLength'
  >,
  output: Output,
): Promise<OpenModelReport> {
  const part = `${out}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  let report: OpenModelReport;
  try {
    const paths = placeParts(part, sources, storage, output);
    const { name, licence, ...sizes } = rest;
    const manifest = { name, licence, ...paths, ...sizes };
    writeFileSync(path.join(part, 'textbind.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    output.progress('opening');
    const trial = await TextBindModel.open(part);
    report = trial.report;
    await trial.release();
    output.progress('');
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    throw error;
  }
  rmSync(out, { recursive: true, force: true });
  renameSync(part, out);
  return report;
}

/** Brings the parts into `folder` and gives the manifest's paths. */
function placeParts(folder: string, sources: Sources, storage: Storage, output: Output) {
  const { vision, language, qformer, checkpoint, base, refiner } = sources;
  const place = (name: string, write: (target: string) => void, source: string): string => {
    if (storage === 'refer') return source;
    output.progress(`writing ${name}`);
    write(path.join(folder, name));
    return name;
  };
  const quantised = storage === 'int4' || storage === 'int8';
  const folderOf = (source: string) => (target: string) =>
    quantised ? storeAsHalf(source, target) : copyFolder(source, target);
  const visionModel = place('vision', folderOf(vision), vision);
  return {
    visionModel,
    ...(qformer === null
      ? {}
      : {
          qformer: place(
            fileName('qformer', qformer, quantised),
            (to) => placeQformer(qformer, to, quantised),
            qformer,
          ),
        }),
    ...(checkpoint === null ? {} : { checkpoint: placeCheckpoint(checkpoint, storage, place) }),
    languageModel: place(
      'language',
      (to) =>
        quantised
          ? void quantiseModel(language, to, { bits: storage === 'int4' ? 4 : 8 })
          : copyFolder(language, to),
      language,
    ),
    processor: existsSync(path.join(vision, 'preprocessor_config.json'))
      ? visionModel
      : writeProcessor(folder, vision),
    imageDecoder:
      base === null
        ? null
        : {
            base: place('image-decoder', (to) => placeDiffusion(base, to, quantised), base),
            refiner:
              refiner === null
                ? null
                : place('image-refiner', (to) => placeDiffusion(refiner, to, quantised), refiner),
            guidance: sources.guidance,
          },
  };
}

/** Half precision is written as safetensors; a copy keeps its format, and so its extension. */
function fileName(folder: string, source: string, quantised: boolean): string {
  return `${folder}/model${quantised ? '.safetensors' : path.extname(source)}`;
}

function placeQformer(from: string, to: string, quantised: boolean): void {
  if (quantised) return storeFileAsHalf(from, to, () => true);
  mkdirSync(path.dirname(to), { recursive: true });
  cpSync(from, to);
}

/** A checkpoint that also holds the language model cannot be quantised here: its weights lie over the base's. */
function placeCheckpoint(
  checkpoint: string,
  storage: Storage,
  place: (name: string, write: (target: string) => void, source: string) => string,
): string {
  const quantised = storage === 'int4' || storage === 'int8';
  const names = [...openCheckpoint(checkpoint).names()];
  if (quantised && names.some((name) => name.startsWith('language_model.'))) {
    throw new StudioError(
      'unsupported',
      `${checkpoint}: holds a language model; quantising a checkpoint laid over another is not supported, give its language model as --language`,
    );
  }
  const target = statSync(checkpoint).isDirectory()
    ? 'checkpoint'
    : fileName('checkpoint', checkpoint, quantised);
  return place(
    target,
    (to) => {
      if (target === 'checkpoint')
        return quantised ? storeAsHalf(checkpoint, to) : copyFolder(checkpoint, to);
      placeQformer(checkpoint, to, quantised);
    },
    checkpoint,
  );
}

function placeDiffusion(from: string, to: string, quantised: boolean): void {
  if (!quantised) return copyFolder(from, to);
  mkdirSync(to, { recursive: true });
  copySmallFiles(from, to);
  for (const part of diffusionParts) {
    const source = path.join(from, part);
    if (!existsSync(source)) continue;
    const target = path.join(to, part);
    mkdirSync(target, { recursive: true });
    if (weightlessParts.includes(part)) copySmallFiles(source, target);
    else storeAsHalf(source, target);
  }
}

function copyFolder(from: string, to: string): void {
  cpSync(from, to, { recursive: true, dereference: true });
}

/** BLIP-2's processor for a vision model that comes without one; only the size is the model's own. */
function writeProcessor(folder: string, vision: string): string {
  const config = JSON.parse(readFileSync(path.join(vision, 'config.json'), 'utf8')) as {
    readonly image_size?: number;
    readonly vision_config?: { readonly image_size?: number };
  };
  const size = config.image_size ?? config.vision_config?.image_size ?? 224;
  mkdirSync(path.join(folder, 'processor'), { recursive: true });
  const processor = {
    image_processor_type: 'BlipImageProcessor',
    do_resize: true,
    size: { height: size, width: size },
    resample: 3,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [0.48145466, 0.4578275, 0.40821073],
    image_std: [0.26862954, 0.26130258, 0.27577711],
  };
  writeFileSync(
    path.join(folder, 'processor', 'preprocessor_config.json'),
    `${JSON.stringify(processor, null, 2)}\n`,
  );
  return 'processor';
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0);
}
