import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { StudioError } from '../../shared/errors.ts';
import {
  parseClipTextConfig,
  parseUnetConfig,
  parseVaeConfig,
  type BuildTarget,
} from '../../worker/networks/index.ts';
import {
  clipTextModel,
  qformerModel,
  unetModel,
  vaeDecoderModel,
  vaeEncoderModel,
  vitModel,
  type NetworkModel,
} from '../../worker/networks/models.ts';
import { readJson, readJsonFile } from '../../base/json-file.ts';
import { LanguageModel } from '../../worker/pipelines/language/language-model.ts';
import { readModelFolder, type ModelFolder } from '../../library/model-folder.ts';
import { openNetwork, runFloats, type FloatTensor } from '../../worker/pipelines/network.ts';
import { languagePrefix, overlaid } from '../../worker/pipelines/language/language-weights.ts';
import { readVisionConfigs } from '../../worker/pipelines/vision/vision-configs.ts';
import { wantedProviders } from '../../worker/pipelines/textbind-model.ts';
import {
  chooseProvider,
  float32Tensor,
  int64Tensor,
  type HostTensor,
  type Provider,
} from '../../worker/runtime/index.ts';
import { storeAsHalf } from '../../worker/conversion/half-precision.ts';
import { quantiseModel } from '../../worker/conversion/quantise-model.ts';
import { openCheckpoint, type Checkpoint } from '../../worker/weights/index.ts';
import { command } from '../options.ts';
import { findModelFolder } from '../model-option.ts';
import { openTensorFile, writeTensorFile, type TensorFile } from '../tensors.ts';
import { required, UsageError } from '../usage.ts';

const precisions = ['fp32', 'fp16', 'int4'] as const;
type Precision = (typeof precisions)[number];
const providers = ['cpu', 'webgpu', 'cuda'] as const;

/** A network's model, the inputs it takes and the outputs it gives. */
interface Probe {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  build(model: ModelFolder, target: BuildTarget): NetworkModel;
}

/** Folder of a part of the base or the refiner, and its config. */
function decoderPart(model: ModelFolder, which: 'base' | 'refiner', part: string) {
  const folder = model.imageDecoder?.[which] ?? null;
  if (folder === null) {
    throw new StudioError(
      'unsupported',
      `${model.folder}: textbind.json names no imageDecoder.${which}`,
    );
  }
  const file = path.join(folder, part, 'config.json');
  return { folder: path.join(folder, part), file, json: readJson(file, 'model-invalid') };
}

const textEncoder = (part: string): Probe => ({
  inputs: ['input_ids'],
  outputs: ['hidden_states', 'pooled'],
  build(model, target) {
    const { folder, file, json } = decoderPart(model, 'base', part);
    return clipTextModel(parseClipTextConfig(json, file), openCheckpoint(folder), target);
  },
});

const unet = (which: 'base' | 'refiner'): Probe => ({
  inputs: ['sample', 'timestep', 'encoder_hidden_states', 'text_embeds', 'time_ids'],
  outputs: ['noise_pred'],
  build(model, target) {
    const { folder, file, json } = decoderPart(model, which, 'unet');
    return unetModel(parseUnetConfig(json, file), openCheckpoint(folder), target);
  },
});

const vae = (input: string, output: string, makeModel: typeof vaeDecoderModel): Probe => ({
  inputs: [input],
  outputs: [output],
  build(model, target) {
    const { folder, file, json } = decoderPart(model, 'base', 'vae');
    return makeModel(parseVaeConfig(json, file), openCheckpoint(folder), target);
  },
});

const probes: Readonly<Record<string, Probe | undefined>> = {
  vision: {
    inputs: ['pixel_values'],
    outputs: ['last_hidden_state'],
    build: (model, target) =>
      vitModel(readVisionConfigs(model).vit, openCheckpoint(model.visionModel), target),
  },
  qformer: {
    inputs: ['encoder_hidden_states'],
    outputs: ['last_hidden_state', 'image_embeds'],
    build(model, target) {
      const config = readVisionConfigs(model).qformer(languageHiddenSize(model));
      return qformerModel(config, openCheckpoint(...model.qformer), target);
    },
  },
  text_encoder: textEncoder('text_encoder'),
  text_encoder_2: textEncoder('text_encoder_2'),
  unet: unet('base'),
  refiner_unet: unet('refiner'),
  vae_decoder: vae('latents', 'image', vaeDecoderModel),
  vae_encoder: vae('image', 'latents', vaeEncoderModel),
};
const networkNames = [...Object.keys(probes), 'language'];

export const probeCommand = command({
  usage:
    'textbind probe --model DIR --network NAME --input F.safetensors --output G.safetensors [--precision fp32|fp16|int4] [--provider cpu|webgpu|cuda] [--json]',
  texts: ['model', 'network', 'input', 'output', 'precision', 'provider'],
  async run({ values, output }) {
    const network = required(values.network, 'network');
    const probe = probes[network];
    if (probe === undefined && network !== 'language') {
      throw new UsageError(`--network ${network}: expected one of ${networkNames.join(', ')}`);
    }
    const precision = oneOf(values.precision ?? 'fp32', precisions, 'precision');
    const preference = oneOf(values.provider ?? 'cpu', providers, 'provider');
    const input = openTensorFile(required(values.input, 'input'));
    const target = required(values.output, 'output');
    const model = readModelFolder(await findModelFolder(required(values.model, 'model')));
    const choice = await chooseProvider(wantedProviders(preference));
    if (choice.provider !== preference) {
      const reason = choice.rejected.at(-1)?.reason ?? 'it is not there';
      throw new StudioError('unsupported', `${preference} cannot be used: ${reason}`);
    }
    const tensors =
      probe === undefined
        ? await probeLanguage(model, input, precision, choice.provider)
        : await probeNetwork(probe, model, input, precision, choice.provider);
    writeTensorFile(target, tensors);
    const shapes = Object.fromEntries(
      Object.entries(tensors).map(([name, { dims }]) => [name, dims]),
    );
    output.result({ network, precision, provider: choice.provider, output: target, shapes }, () => {
      for (const [name, dims] of Object.entries(shapes))
        output.line(`${name} [${dims.join(', ')}]`);
    });
  },
});

async function probeNetwork(
  probe: Probe,
  model: ModelFolder,
  input: TensorFile,
  precision: Precision,
  provider: Provider,
): Promise<Record<string, FloatTensor>> {
  if (precision === 'int4') {
    throw new UsageError('--precision int4: only the language model has int4 weights');
  }
  const target: BuildTarget = { provider, precision: precision === 'fp16' ? 'float16' : 'float32' };
  const feeds = Object.fromEntries(probe.inputs.map((name) => [name, feedOf(input, name)]));
  const session = await openNetwork(probe.build(model, target), { provider });
  try {
    return await runFloats(session, feeds, probe.outputs);
  } finally {
    await session.release();
  }
}

function feedOf(input: TensorFile, name: string): HostTensor {
  if (name === 'input_ids') {
    const { dims, data } = input.integers(name);
    return int64Tensor(data, dims);
  }
  const { dims, data } = input.floats(name);
  // diffusers gives a timestep as a scalar; one value for the batch is what the graph takes.
  return name === 'timestep' ? float32Tensor(data.slice(0, 1), [1]) : float32Tensor(data, dims);
}

function languageHiddenSize(model: ModelFolder): number {
  const file = path.join(model.languageModel, 'config.json');
  const config = z.object({ hidden_size: z.number() }).safeParse(readJson(file, 'model-invalid'));
  if (config.success) return config.data.hidden_size;
  throw new StudioError('model-invalid', `${file}: field "hidden_size" is missing`);
}

/** logits [batch, length, vocabulary] of input_ids [batch, length] or inputs_embeds [batch, length, hidden]. */
async function probeLanguage(
  model: ModelFolder,
  input: TensorFile,
  precision: Precision,
  provider: Provider,
): Promise<Record<string, FloatTensor>> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'textbind-probe-'));
  let language: LanguageModel | null = null;
  try {
    const { languageModel } = model;
    const weights = languageWeights(model);
    const folder = await storedAs(precision, languageModel, weights, scratch);
    language = await LanguageModel.open(folder, {
      providers: [provider],
      ...(folder === scratch || weights === undefined ? {} : { checkpoint: weights }),
    });
    return { logits: await scoreRows(language, input) };
  } finally {
    await language?.release();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The weights that a checkpoint lays over the language model's own; none where it holds a Q-Former alone. */
function languageWeights({ checkpoint, languageModel }: ModelFolder): Checkpoint | undefined {
  if (checkpoint === null) return undefined;
  const holdsLanguage = [...openCheckpoint(checkpoint).names()].some((name) =>
    name.startsWith(languagePrefix),
  );
  return holdsLanguage ? overlaid(languageModel, checkpoint) : undefined;
}

/** The folder itself, or a copy of it with the weights, its own or those over it, in that precision. */
async function storedAs(
  precision: Precision,
  folder: string,
  weights: Checkpoint | undefined,
  scratch: string,
): Promise<string> {
  const file = path.join(folder, 'config.json');
  const config = readJsonFile(file, z.record(z.string(), z.unknown()), 'model-invalid');
  const isQuantised = config['quantization_config'] !== undefined;
  if (precision === 'fp32' || (precision === 'int4' && isQuantised)) return folder;
  if (isQuantised) throw new UsageError(`--precision ${precision}: ${folder} is quantised`);
  const over = weights && { checkpoint: weights };
  if (precision === 'int4') await quantiseModel(folder, scratch, over);
  else await storeAsHalf(folder, scratch, over);
  return scratch;
}

async function scoreRows(language: LanguageModel, input: TensorFile): Promise<FloatTensor> {
  const byIds = input.has('input_ids');
  const given = byIds ? input.integers('input_ids') : input.floats('inputs_embeds');
  const [batch, length] = given.dims;
  if (batch === undefined || length === undefined || given.dims.length !== (byIds ? 2 : 3)) {
    throw new UsageError(`the language model's input has shape [${given.dims.join(', ')}]`);
  }
  const row = given.data.length / batch;
  const { vocabularySize } = language.config;
  const logits = new Float32Array(batch * length * vocabularySize);
  for (let index = 0; index < batch; index++) {
    const part = given.data.slice(index * row, (index + 1) * row);
    const embeds = part instanceof Float32Array ? part : await language.embed(part);
    logits.set(await language.score(embeds), index * length * vocabularySize);
  }
  return { dims: [batch, length, vocabularySize], data: logits };
}

function oneOf<const T extends string>(value: string, allowed: readonly T[], name: string): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined) {
    throw new UsageError(`--${name} ${value}: expected one of ${allowed.join(', ')}`);
  }
  return found;
}
