/** What files and folders that a person brings are: told by what is in them, never by what they are called. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../base/json-file.ts';
import { isModelFolder, readModelFolder } from '../../library/model-folder.ts';
import type { FoundKind, FoundPart } from '../../shared/domain/model-import.ts';
import {
  qformerConfigSchema,
  usualGuidance,
  type QformerConfig,
} from '../../shared/domain/model-manifest.ts';
import { isGguf, openCheckpoint, type Checkpoint } from '../weights/index.ts';
import { describeGguf } from './gguf-model.ts';
import { reasonOf } from '../../shared/errors.ts';

/** Folders within folders are looked through so far: the Hugging Face cache is three deep. */
const mostDepth = 4;
const mostEntries = 5000;
/** Of tools, and the content behind the Hugging Face cache's links. */
const passedOver: ReadonlySet<string> = new Set(['.git', '.cache', 'blobs', 'refs', '.no_exist']);
const weightFile = /\.(safetensors|pt|pth|bin|gguf)$/i;

type Found = Omit<FoundPart, 'bytes' | 'hasProcessor'>;

/**
 * Looks at what was brought. A folder that is nothing itself is looked through for what is in it.
 * @param places absolute
 * @returns at least one for each place, in order
 */
export function recogniseAll(places: readonly string[]): FoundPart[] {
  return places.flatMap((place) => {
    const found = lookThrough(place, 0);
    return found.length > 0 ? found : [finished(unknown(place, whyUnknown(place)))];
  });
}

function lookThrough(place: string, depth: number): FoundPart[] {
  const own = recognise(place);
  if (own !== null) return [finished(own)];
  const entries = statSync(place, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(place, { withFileTypes: true })
    : [];
  if (depth >= mostDepth || entries.length > mostEntries) return [];
  const inside = entries.filter(({ name }) => !passedOver.has(name));
  return inside
    .filter(({ name }) => weightFile.test(name) || isFolder(path.join(place, name)))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name }) => lookThrough(path.join(place, name), depth + 1));
}

function isFolder(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Null for what is nothing itself. */
function recognise(place: string): Found | null {
  try {
    if (!isFolder(place)) return weightFile.test(place) ? recogniseFile(place) : null;
    if (isModelFolder(place)) return recogniseModel(place);
    if (existsSync(path.join(place, 'model_index.json'))) return recognisePipeline(place);
    if (existsSync(path.join(place, 'config.json'))) return recogniseNetwork(place);
    const trained = path.join(place, 'trained.safetensors');
    return existsSync(trained) ? recogniseFile(trained) : null;
  } catch (error) {
    return unknown(place, reasonOf(error));
  }
}

function recogniseModel(place: string): Found {
  const found = part(place, 'model', 'A model of this app, whole.');
  try {
    const model = readModelFolder(place);
    const { manifest, checkpoint, imageDecoder } = model;
    const { name, licence, qformerConfig, maxPicturesPerReply, maxSequenceLength } = manifest;
    const sources = {
      vision: model.visionModel,
      language: model.languageModel,
      qformer: model.qformer.find((each) => each !== checkpoint) ?? null,
      checkpoint,
      processor: model.processor,
      base: imageDecoder?.base ?? null,
      refiner: imageDecoder?.refiner ?? null,
    };
    const sizes = { qformerConfig, maxPicturesPerReply, maxSequenceLength };
    const guidance = imageDecoder?.guidance ?? usualGuidance;
    return { ...found, whole: { name, licence, sources, sizes, guidance } };
  } catch (error) {
    return { ...found, fault: reasonOf(error) };
  }
}

const pipelineSchema = z.looseObject({
  _class_name: z.string(),
  requires_aesthetics_score: z.boolean().default(false),
});

function recognisePipeline(place: string): Found {
  const file = path.join(place, 'model_index.json');
  const index = readJsonFile(file, pipelineSchema, 'model-invalid');
  if (!index._class_name.startsWith('StableDiffusionXL')) {
    return unknown(
      place,
      `It is a ${index._class_name}; only Stable Diffusion XL's family draws here.`,
    );
  }
  const missing = ['unet', 'scheduler'].find((each) => !existsSync(path.join(place, each)));
  const fault = missing === undefined ? null : `Its folder ${missing} is missing.`;
  if (index.requires_aesthetics_score) {
    return {
      ...part(place, 'refiner', 'A refiner of Stable Diffusion XL: finishes what a base drew.'),
      fault,
    };
  }
  return { ...part(place, 'image-decoder', 'A Stable Diffusion XL base: draws.'), fault };
}

const networkSchema = z.looseObject({
  model_type: z.string().optional(),
  architectures: z.array(z.string()).optional(),
  hidden_size: z.number().optional(),
  num_hidden_layers: z.number().optional(),
});

function recogniseNetwork(place: string): Found | null {
  const config = readJsonFile(path.join(place, 'config.json'), networkSchema, 'model-invalid');
  const kind = config.model_type ?? config.architectures?.[0] ?? '';
  if (/^blip.?2$/i.test(kind) || config.architectures?.includes('Blip2ForConditionalGeneration')) {
    return recogniseBlip2(place);
  }
  if (/^blip_2_vision_model$|^Blip2VisionModel$/.test(kind)) {
    return {
      ...part(place, 'vision', 'A vision encoder of BLIP-2: sees pictures.'),
      fault: weightsFault(place),
    };
  }
  if (/^llama$/i.test(kind) || /^Llama/.test(kind)) return recogniseLanguage(place, config);
  // A part of a pipeline is found with its pipeline; a folder of folders may have a config of its own.
  if (kind === '') return null;
  return unknown(place, `Its config.json says "${kind}", which this app cannot build.`);
}

function recogniseLanguage(place: string, config: z.infer<typeof networkSchema>): Found {
  const { num_hidden_layers: layers, hidden_size: hidden } = config;
  const says = `A Llama language model of ${layers ?? '?'} layers, ${hidden ?? '?'} wide: writes.`;
  const names = ['tokenizer.json', 'tokenizer.model'];
  const hasTokenizer = names.some((name) => existsSync(path.join(place, name)));
  const fault = hasTokenizer
    ? weightsFault(place)
    : 'It has no tokenizer (tokenizer.json or tokenizer.model).';
  return { ...part(place, 'language', says), fault };
}

/** Whole, or what of it was fetched: vision and Q-Former alone. */
function recogniseBlip2(place: string): Found {
  const checkpoint = openCheckpoint(place);
  const names = [...checkpoint.names()];
  const hasQformer = names.some((name) => name.startsWith('qformer.'));
  if (!names.some((name) => name.startsWith('vision_model.'))) {
    return unknown(place, 'It is a BLIP-2 without a vision encoder.');
  }
  const qformerConfig = hasQformer ? qformerSizes(checkpoint, place) : null;
  const isWhole = names.some((name) => name.startsWith('language_model.'));
  const says = isWhole
    ? 'A whole BLIP-2: its vision encoder and its Q-Former keys are used, its language model is not.'
    : 'The vision encoder and the Q-Former keys of a BLIP-2.';
  return { ...part(place, 'blip2', says), qformerConfig };
}

function recogniseFile(place: string): Found {
  if (isGguf(place)) return recogniseGguf(place);
  const checkpoint = openCheckpoint(place);
  const names = new Set(checkpoint.names());
  const some = (prefix: string): boolean => [...names].some((name) => name.startsWith(prefix));
  if (names.has('query_tokens') && some('qformer.'))
    return recogniseQformer(place, checkpoint, some);
  if (some('language_model.')) {
    return part(
      place,
      'checkpoint',
      'A checkpoint with a language model alone, as a run may leave it.',
    );
  }
  if (names.has('model.embed_tokens.weight')) {
    return unknown(
      place,
      'It is a language model’s weights; bring the folder with its config.json and tokenizer.',
    );
  }
  return unknown(place, `Its ${names.size} tensors belong to nothing that this app builds.`);
}

function recogniseQformer(
  place: string,
  checkpoint: Checkpoint,
  some: (prefix: string) => boolean,
): Found {
  const hasProjection = some('qformer_projection.');
  const qformerConfig = qformerSizes(checkpoint, path.dirname(place));
  const isSecond = some('language_model.');
  const says = isSecond
    ? 'A TextBind checkpoint of stage 2: Q-Former, projection and language model.'
    : hasProjection
      ? 'A TextBind checkpoint of stage 1: query tokens, Q-Former and projection.'
      : 'The Q-Former’s keys that stage 1 begins with, without a projection: a checkpoint has to bring that.';
  const kind = isSecond ? 'checkpoint' : 'qformer';
  return { ...part(place, kind, says), qformerConfig, hasProjection };
}

/** BERT's width of a head: what the tensors do not tell. */
const usualHeadWidth = 64;
const layerName = /^qformer\.encoder\.layer\.(\d+)\./;

/** As a qformer-config.json beside it says, else as the tensors' shapes tell. Null where they do not. */
function qformerSizes(checkpoint: Checkpoint, folder: string): QformerConfig | null {
  const beside = path.join(folder, 'qformer-config.json');
  if (existsSync(beside)) return readJsonFile(beside, qformerConfigSchema, 'model-invalid');
  const layers = [...checkpoint.names()].flatMap((name) => layerName.exec(name)?.[1] ?? []);
  const [, queries, hidden] = checkpoint.find('query_tokens')?.shape ?? [];
  const wide = 'qformer.encoder.layer.0.intermediate_query.dense.weight';
  const [intermediate] = checkpoint.find(wide)?.shape ?? [];
  const sizes = qformerConfigSchema.safeParse({
    numQueryTokens: queries,
    numHiddenLayers: Math.max(0, ...layers.map((layer) => Number(layer) + 1)),
    numAttentionHeads: (hidden ?? 0) / usualHeadWidth,
    hiddenSize: hidden,
    intermediateSize: intermediate,
  });
  return sizes.success ? sizes.data : null;
}

/** Its header is read as an import would read it: what is refused then is refused now. */
function recogniseGguf(place: string): Found {
  const format = 'in llama.cpp’s format (GGUF)';
  try {
    const { layers, hiddenSize } = describeGguf(place);
    const says = `A Llama language model of ${layers} layers, ${hiddenSize} wide, ${format}: writes.`;
    return part(place, 'gguf', says);
  } catch (error) {
    const fault = reasonOf(error);
    return { ...part(place, 'gguf', `A model ${format}.`), fault };
  }
}

/** A sentence where a folder's weights cannot be opened. */
function weightsFault(place: string): string | null {
  try {
    openCheckpoint(place);
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

function part(place: string, kind: FoundKind, says: string): Found {
  const nothing = { fault: null, qformerConfig: null, hasProjection: false, whole: null };
  return { place, kind, says, ...nothing };
}

function unknown(place: string, fault: string): Found {
  return { ...part(place, 'unknown', 'Not recognised.'), fault };
}

function whyUnknown(place: string): string {
  if (!existsSync(place)) return 'It is not there.';
  return 'Nothing that a model is made of was found in it.';
}

function finished(found: Found): FoundPart {
  const { place } = found;
  const folder = isFolder(place) ? place : path.dirname(place);
  return {
    ...found,
    bytes: bytesOf(place),
    hasProcessor: existsSync(path.join(folder, 'preprocessor_config.json')),
  };
}

function bytesOf(place: string): number {
  if (!isFolder(place)) return statSync(place, { throwIfNoEntry: false })?.size ?? 0;
  const files = readdirSync(place, { withFileTypes: true, recursive: true });
  return files.reduce((sum, entry) => {
    const file = statSync(path.join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    return sum + (file?.isFile() === true ? file.size : 0);
  }, 0);
}
