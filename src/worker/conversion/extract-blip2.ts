/**
 * A whole BLIP-2 folder taken apart, as the seed's scripts do: the vision encoder as a folder of its own, and the
 * Q-Former's keys that stage 1 begins with. Its language model is left where it is.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { checkJson, readJsonFile } from '../../base/json-file.ts';
import { replaceFolderSync, writeJsonFileSync } from '../../base/whole-file.ts';
import { StudioError } from '../../shared/errors.ts';
import { byteLength } from '../tensor/stored-tensor.ts';
import {
  findTensor,
  openCheckpoint,
  readTensorBytes,
  type Checkpoint,
  type SizedTensor,
} from '../weights/index.ts';
import { pause } from './pause.ts';
import { shardedBytes, ShardWriter, type ShardOptions } from './shards.ts';

/** What transformers' Blip2VisionConfig takes where a config.json is silent: the published encoder's sizes. */
const visionDefaults = {
  hidden_size: 1408,
  intermediate_size: 6144,
  num_hidden_layers: 39,
  num_attention_heads: 16,
  image_size: 224,
  patch_size: 14,
  hidden_act: 'gelu',
  layer_norm_eps: 1e-6,
  attention_dropout: 0,
  initializer_range: 1e-10,
  qkv_bias: true,
};
/** The same of Blip2QFormerConfig. */
const qformerDefaults = {
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  intermediate_size: 3072,
};
const configSchema = z.looseObject({
  model_type: z.literal('blip-2'),
  vision_config: z.looseObject({}).default({}),
  qformer_config: z.looseObject({}).default({}),
  num_query_tokens: z.number().int().positive().default(32),
});
const qformerSizesSchema = z.looseObject({
  qformer_config: z.looseObject({
    hidden_size: z.number().int().positive(),
    num_hidden_layers: z.number().int().positive(),
    num_attention_heads: z.number().int().positive(),
    intermediate_size: z.number().int().positive(),
  }),
});
const visionPrefix = 'vision_model.';
/** Tensors of one file stay in memory until it is written. */
const shardBytes = 1_000_000_000;

/** What an extraction wrote, absolute. */
export interface ExtractedBlip2 {
  readonly vision: string;
  readonly qformer: string;
  /** The `qformerConfig` object of textbind.json, for `textbind import --qformer-config`. */
  readonly qformerConfig: string;
  readonly visionTensors: number;
  readonly qformerTensors: number;
}

/**
 * Writes OUT/vision, OUT/qformer.safetensors and OUT/qformer-config.json, whole or not at all. Weights keep their
 * type.
 * @throws StudioError `bad-input` for a target that is not empty; `model-invalid` for a folder that is no BLIP-2;
 * the signal's reason
 */
export async function extractBlip2(
  blip2: string,
  out: string,
  options: {
    readonly signal?: AbortSignal;
    readonly onProgress?: (done: number, total: number) => void;
  } = {},
): Promise<ExtractedBlip2> {
  if (existsSync(out) && readdirSync(out).length > 0) {
    throw new StudioError('bad-input', `${out}: is there already and not empty`);
  }
  const file = path.join(blip2, 'config.json');
  const config = readJsonFile(file, configSchema, 'model-invalid');
  const checkpoint = openCheckpoint(blip2);
  const { vision, qformer } = namesIn(checkpoint);
  if (vision.length === 0 || qformer.length < 2 || !qformer.includes('query_tokens')) {
    throw new StudioError(
      'model-invalid',
      `${blip2}: its weights hold ${vision.length} tensors of vision_model, ${qformer.length} of the Q-Former`,
    );
  }
  mkdirSync(path.dirname(path.resolve(out)), { recursive: true });
  const made = mkdtempSync(`${path.resolve(out)}.extracting-`);
  try {
    const total = vision.length + qformer.length;
    const { onProgress, signal } = options;
    const report = (done: number) => onProgress?.(done, total);
    const folder = path.join(made, 'vision');
    mkdirSync(folder);
    writeJsonFileSync(path.join(folder, 'config.json'), {
      ...visionDefaults,
      ...config.vision_config,
      architectures: ['Blip2VisionModel'],
      model_type: 'blip_2_vision_model',
    });
    copyProcessor(blip2, folder);
    await copyTensors(checkpoint, vision, folder, 'model', { rename: strip, report, signal });
    const keep = (name: string) => name;
    const rest = (done: number) => report(vision.length + done);
    await copyTensors(checkpoint, qformer, made, 'qformer', { rename: keep, report: rest, signal });
    writeJsonFileSync(path.join(made, 'qformer-config.json'), qformerConfigOf(config, file));
    replaceFolderSync(path.resolve(out), made);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    throw error;
  }
  return {
    vision: path.resolve(out, 'vision'),
    qformer: path.resolve(out, 'qformer.safetensors'),
    qformerConfig: path.resolve(out, 'qformer-config.json'),
    visionTensors: vision.length,
    qformerTensors: qformer.length,
  };
}

/** Bytes of the weights that {@link extractBlip2} writes; what else it writes are a few kilobytes. */
export function extractedBytes(blip2: string): number {
  const checkpoint = openCheckpoint(blip2);
  const { vision, qformer } = namesIn(checkpoint);
  const sized = (names: readonly string[]): SizedTensor[] =>
    names.map((name) => {
      const { dtype, shape } = findTensor(checkpoint, name);
      const count = shape.reduce((product, dim) => product * dim, 1);
      return { name, dtype, shape, bytes: { length: byteLength(dtype, count) } };
    });
  const eyes = sized(vision).map((each) => ({ ...each, name: strip(each.name) }));
  return shardedBytes(eyes, shardsOf('model')) + shardedBytes(sized(qformer), shardsOf('qformer'));
}

function namesIn(checkpoint: Checkpoint): Record<'vision' | 'qformer', string[]> {
  const names = [...checkpoint.names()];
  return {
    vision: names.filter((name) => name.startsWith(visionPrefix)),
    qformer: names.filter((name) => name === 'query_tokens' || name.startsWith('qformer.')),
  };
}

function strip(name: string): string {
  return name.slice(visionPrefix.length);
}

/** The Q-Former is one file; a vision encoder may be several. */
function shardsOf(stem: 'model' | 'qformer'): ShardOptions {
  return {
    stem,
    alone: true,
    maxBytes: stem === 'qformer' ? Number.POSITIVE_INFINITY : shardBytes,
  };
}

function copyProcessor(from: string, to: string): void {
  const name = 'preprocessor_config.json';
  const file = path.join(from, name);
  if (existsSync(file)) copyFileSync(file, path.join(to, name));
}

function qformerConfigOf(config: z.infer<typeof configSchema>, file: string) {
  const given = { qformer_config: { ...qformerDefaults, ...config.qformer_config } };
  const { qformer_config: sizes } = checkJson(given, qformerSizesSchema, file, 'model-invalid');
  return {
    numQueryTokens: config.num_query_tokens,
    numHiddenLayers: sizes.num_hidden_layers,
    numAttentionHeads: sizes.num_attention_heads,
    hiddenSize: sizes.hidden_size,
    intermediateSize: sizes.intermediate_size,
  };
}

interface CopyOptions {
  readonly rename: (name: string) => string;
  readonly report: (done: number) => void;
  readonly signal: AbortSignal | undefined;
}

/** Tensors as they are stored, under other names. */
async function copyTensors(
  checkpoint: Checkpoint,
  names: readonly string[],
  folder: string,
  stem: 'model' | 'qformer',
  { rename, report, signal }: CopyOptions,
): Promise<void> {
  const writer = new ShardWriter(folder, shardsOf(stem));
  for (const [index, name] of names.entries()) {
    await pause(signal);
    const { dtype, shape } = findTensor(checkpoint, name);
    writer.add({ name: rename(name), dtype, shape, bytes: readTensorBytes(checkpoint, name) });
    report(index + 1);
  }
  writer.finish();
}
