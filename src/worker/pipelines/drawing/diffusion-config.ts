import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { openClipTokenizer, type ClipTokenizer } from '../../inputs/clip-tokenizer.ts';
import {
  parseClipTextConfig,
  parseUnetConfig,
  parseVaeConfig,
  vaeScale,
  type ClipTextConfig,
  type UnetConfig,
  type VaeConfig,
} from '../../networks/index.ts';
import { readScheduler, type MakeScheduler } from './scheduler-config.ts';
import { readJson, readJsonFile } from '../../../base/json-file.ts';

/** A text encoder of a diffusers pipeline and its tokenizer. */
export interface TextEncoderConfig {
  readonly folder: string;
  readonly config: ClipTextConfig;
  readonly tokenizer: ClipTokenizer;
}

/** A folder in diffusers' layout, read and checked; base and refiner alike. */
export interface DiffusionConfig {
  readonly folder: string;
  /** Null in SDXL's refiner, which has only the second. */
  readonly textEncoder: TextEncoderConfig | null;
  readonly textEncoder2: TextEncoderConfig;
  readonly unet: UnetConfig;
  readonly vae: VaeConfig;
  readonly makeScheduler: MakeScheduler;
  /** The picture's side that it was made for, pixels. */
  readonly defaultSize: number;
  /** Latents are the picture divided by this. */
  readonly scale: number;
  /** Whether "no negative prompt" means zeros rather than the empty text. */
  readonly zerosForNoNegative: boolean;
  /** Whether the time ids hold an aesthetic score (the refiner) rather than the target size. */
  readonly hasAestheticScore: boolean;
}

const modelIndexSchema = z.looseObject({
  force_zeros_for_empty_prompt: z.boolean().default(true),
  requires_aesthetics_score: z.boolean().default(false),
  text_encoder: z.unknown().optional(),
});
const sampleSizeSchema = z.looseObject({ sample_size: z.number().int().positive().optional() });
/** diffusers' default for an SDXL UNet that does not say. */
const sdxlSampleSize = 128;

/**
 * Reads a diffusers pipeline of SDXL's family.
 * @param shared the base, whose second text encoder and VAE a refiner shares where it has none of its own
 */
export async function readDiffusion(
  folder: string,
  shared?: DiffusionConfig,
): Promise<DiffusionConfig> {
  const file = join(folder, 'model_index.json');
  const index = readJsonFile(file, modelIndexSchema, 'model-invalid');
  const unetFile = join(folder, 'unet', 'config.json');
  const unetJson = readJson(unetFile, 'model-invalid');
  const vaeFolder = existsSync(join(folder, 'vae')) ? folder : (shared?.folder ?? folder);
  const vaeFile = join(vaeFolder, 'vae', 'config.json');
  const vae = parseVaeConfig(readJson(vaeFile, 'model-invalid'), vaeFile);
  const schedulerFile = join(folder, 'scheduler', 'scheduler_config.json');
  const sampleSize = sampleSizeSchema.parse(unetJson).sample_size ?? sdxlSampleSize;
  const hasFirst = existsSync(join(folder, 'text_encoder'));
  return {
    folder,
    textEncoder: hasFirst ? await readTextEncoder(folder, '') : null,
    textEncoder2:
      shared !== undefined && !existsSync(join(folder, 'text_encoder_2'))
        ? shared.textEncoder2
        : await readTextEncoder(folder, '_2'),
    unet: parseUnetConfig(unetJson, unetFile),
    vae,
    makeScheduler: readScheduler(schedulerFile),
    defaultSize: sampleSize * vaeScale(vae),
    scale: vaeScale(vae),
    zerosForNoNegative: index.force_zeros_for_empty_prompt,
    hasAestheticScore: index.requires_aesthetics_score,
  };
}

async function readTextEncoder(folder: string, suffix: '' | '_2'): Promise<TextEncoderConfig> {
  const encoder = join(folder, `text_encoder${suffix}`);
  const file = join(encoder, 'config.json');
  return {
    folder: encoder,
    config: parseClipTextConfig(readJson(file, 'model-invalid'), file),
    tokenizer: await openClipTokenizer(join(folder, `tokenizer${suffix}`)),
  };
}
