/**
 * Whether the parts of a model fit together, from configurations, the headers of weights and the shapes of graphs:
 * nothing is loaded, so the largest model takes seconds and little memory.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { StudioError } from '../../shared/errors.ts';
import { openLanguageTokenizer } from '../inputs/tokenizer.ts';
import {
  cpuTarget,
  type BuildTarget,
  type ClipTextConfig,
  type LlamaConfig,
} from '../networks/index.ts';
import {
  clipTextModel,
  decoderModel,
  embeddingModel,
  qformerModel,
  unetModel,
  vaeDecoderModel,
  vitModel,
  type NetworkModel,
} from '../networks/models.ts';
import { readDiffusion, type DiffusionConfig } from '../pipelines/drawing/diffusion-config.ts';
import { openFittingProcessor } from '../pipelines/vision/fitting-processor.ts';
import { readVisionConfigs } from '../pipelines/vision/vision-configs.ts';
import {
  checkVocabulary,
  languagePrefix,
  languageWeights,
  readLanguageConfig,
} from '../pipelines/language/language-weights.ts';
import { readModelFolder, type ModelFolder } from '../../library/model-folder.ts';
import { openCheckpoint, type Checkpoint } from '../weights/index.ts';
import { checkFinite, checkUnused } from './check-weights.ts';
import { FaultList } from './model-faults.ts';
import { pause } from './pause.ts';

/** What was found: the model can be used, and a person should know the warnings. */
export interface ModelCheck {
  readonly canDraw: boolean;
  /** Sentences that name the file. */
  readonly warnings: readonly string[];
}

export interface CheckOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onPart?: ((part: string) => void) | undefined;
}

/** Tensors of a whole BLIP-2 or a TextBind checkpoint that belong to other networks than the one that is checked. */
const otherNetworks = /^(vision_model|language_model|language_projection|itm_head|text_)/;

/**
 * Checks a folder with textbind.json.
 * @throws StudioError, or errors of graphs and weights, naming the file and what is wrong with it
 */
export async function checkModel(folder: string, options: CheckOptions = {}): Promise<ModelCheck> {
  const model = readModelFolder(folder);
  const warnings: string[] = [];
  const begin = async (part: string): Promise<void> => {
    options.onPart?.(part);
    await pause(options.signal);
  };
  const fit = async (
    weights: Checkpoint,
    unused: readonly string[],
    isOurs?: (name: string) => boolean,
  ) => {
    const warning = checkUnused(weights, unused, isOurs);
    if (warning !== null) warnings.push(warning);
    await checkFinite(weights, options.signal);
  };
  const list = new FaultList();
  await begin('language model');
  const language = await checkLanguage(model, fit, list);
  await begin('vision');
  await checkVision(model, language.hiddenSize, fit, list);
  if (model.imageDecoder !== null) {
    await begin('image decoder');
    const base = await readDiffusion(model.imageDecoder.base);
    refuseRefiner(base);
    await checkDiffusion(base, { fit, list });
    if (model.imageDecoder.refiner !== null) {
      await begin('refiner');
      const refiner = await readDiffusion(model.imageDecoder.refiner, base);
      if (!refiner.hasAestheticScore) {
        warnings.push(`${refiner.folder}: is no SDXL refiner (it takes no aesthetic score)`);
      }
      await checkDiffusion(refiner, { fit, list }, base);
    }
  }
  list.finish();
  return { canDraw: model.imageDecoder !== null, warnings };
}

type Fit = (
  weights: Checkpoint,
  unused: readonly string[],
  isOurs?: (name: string) => boolean,
) => Promise<void>;

async function checkLanguage(model: ModelFolder, fit: Fit, list: FaultList): Promise<LlamaConfig> {
  const { languageModel, checkpoint } = model;
  const weights = languageWeights(model);
  if (checkpoint !== null) checkWholeLanguageModel(languageModel, checkpoint);
  const config = readLanguageConfig(languageModel, weights);
  checkVocabulary(languageModel, await openLanguageTokenizer(languageModel), config);
  const positions = Math.min(model.manifest.maxSequenceLength, config.maxPositions);
  await list.over(async () => {
    const decoder = decoderModel(config, weights, cpuTarget, { positions });
    const notLookedUp = new Set(embeddingModel(config, weights).unused());
    const unused = decoder.unused().filter((name) => notLookedUp.has(name));
    await fit(weights, unused, (name) => !(config.hasTiedHead && name === 'lm_head.weight'));
  });
  return config;
}

/** A checkpoint with half a language model would mix two: the rest would come from the base. */
function checkWholeLanguageModel(languageModel: string, checkpoint: string): void {
  const names = [...openCheckpoint(checkpoint).names()];
  const replaced = new Set(
    names
      .filter((name) => name.startsWith(languagePrefix))
      .map((name) => name.slice(languagePrefix.length)),
  );
  if (replaced.size === 0) return;
  const own = [...openCheckpoint(languageModel).names()].filter((name) => !/inv_freq$/.test(name));
  const kept = own.filter((name) => !replaced.has(name));
  if (kept.length === 0) return;
  throw new StudioError(
    'model-invalid',
    `${checkpoint}: replaces ${own.length - kept.length} of the ${own.length} tensors of ${languageModel}; "${kept[0]}" and others are missing in it, and the mixture would be neither model`,
  );
}

async function checkVision(
  model: ModelFolder,
  hiddenSize: number,
  fit: Fit,
  list: FaultList,
): Promise<void> {
  const configs = readVisionConfigs(model);
  openFittingProcessor(model.processor, configs.vit, configs.vitFile);
  const vision = openCheckpoint(model.visionModel);
  const isOurs = (name: string) =>
    !otherNetworks.test(name) && !/^(qformer|query_tokens)/.test(name);
  await list.over(() => fit(vision, vitModel(configs.vit, vision, cpuTarget).unused(), isOurs));
  const qformer = openCheckpoint(...model.qformer);
  await list.over(() =>
    fit(
      qformer,
      qformerModel(configs.qformer(hiddenSize), qformer, cpuTarget).unused(),
      (name) => !otherNetworks.test(name),
    ),
  );
}

function refuseRefiner({ folder, textEncoder, hasAestheticScore }: DiffusionConfig): void {
  if (textEncoder !== null && !hasAestheticScore) return;
  throw new StudioError(
    'model-invalid',
    `${folder}: is a refiner (${hasAestheticScore ? 'it takes an aesthetic score' : 'it has no text_encoder'}); a refiner cannot be the base`,
  );
}

/** @param shared the base, whose encoders and VAE a refiner uses */
async function checkDiffusion(
  config: DiffusionConfig,
  { fit, list }: { readonly fit: Fit; readonly list: FaultList },
  shared?: DiffusionConfig,
): Promise<void> {
  const check = async (
    folder: string,
    build: (weights: Checkpoint) => NetworkModel,
    isOurs?: (name: string) => boolean,
  ): Promise<void> => {
    const weights = openCheckpoint(folder);
    await list.over(() => fit(weights, build(weights).unused(), isOurs));
  };
  const text = (encoder: { readonly folder: string; readonly config: ClipTextConfig }) =>
    check(encoder.folder, (weights) => clipTextModel(encoder.config, weights, target));
  const target: BuildTarget = cpuTarget;
  if (config.textEncoder !== null) await text(config.textEncoder);
  if (config.textEncoder2 !== shared?.textEncoder2) await text(config.textEncoder2);
  await check(join(config.folder, 'unet'), (weights) => unetModel(config.unet, weights, target));
  const vae = join(config.folder, 'vae');
  if (shared !== undefined && !existsSync(vae)) return;
  // The encoder's half is for training; drawing does not use it.
  await check(
    vae,
    (weights) => vaeDecoderModel(config.vae, weights, target),
    (name) => !/^(encoder|quant_conv)\./.test(name),
  );
}
