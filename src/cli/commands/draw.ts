import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWholeFile } from '../../base/whole-file.ts';
import { StudioError, toWireError } from '../../shared/errors.ts';
import { planDrawingPart } from '../../worker/pipelines/memory/plan.ts';
import { Painter, type DrawRequest } from '../../worker/pipelines/drawing/painter.ts';
import { readStartImage } from '../../worker/pipelines/drawing/start-picture.ts';
import { readModelFolder } from '../../library/model-folder.ts';
import { chooseProvider } from '../../worker/runtime/index.ts';
import { freshSeed } from '../../worker/sampling/random.ts';
import { command, type OptionValues } from '../options.ts';
import { findModelFolder } from '../model-option.ts';
import { openTensorFile, writeTensorFile } from '../tensors.ts';
import {
  drawingLimits,
  numberOption,
  required,
  sizeOption,
  strengthLimits,
  UsageError,
  type Output,
} from '../usage.ts';

/** How far a drawing leaves the picture it starts from, where nothing is said. */
const defaultStrength = 0.6;

const optionNames = [
  ...['model', 'prompt', 'prompts', 'negative', 'seed', 'latents', 'steps', 'guidance', 'size'],
  ...['from', 'strength', 'out', 'save-latents'],
] as const;

export const drawCommand = command({
  usage:
    'textbind draw --model DIR (--prompt TEXT --out X.png | --prompts F.txt --out DIR) [--negative TEXT] [--seed N | --latents F.safetensors] [--steps N] [--guidance X] [--size WxH] [--from X.png [--strength X]] [--save-latents G.safetensors] [--json]',
  texts: optionNames,
  async run({ values, output }) {
    const asked = readAsked(values);
    const folder = readModelFolder(await findModelFolder(required(values.model, 'model')));
    if (folder.imageDecoder === null) {
      throw new StudioError('unsupported', `${folder.manifest.name} has no image decoder`);
    }
    const { provider } = await chooseProvider();
    const sparing = (await planDrawingPart(folder.imageDecoder, provider, false)) === 'sparing';
    const painter = await Painter.open(folder.imageDecoder, { provider }, { sparing });
    const common = {
      ...{ negative: values.negative ?? '', seed: asked.seed, steps: asked.steps },
      guidance: asked.guidance ?? folder.imageDecoder.guidance,
      ...asked.size,
      ...(await startOf(asked.from, asked.size, painter)),
    };
    const draw = asked.prompts === null ? drawOne : drawEach;
    await draw({ painter, asked, common, provider, output });
    await painter.release();
  },
});

type Values = OptionValues<(typeof optionNames)[number], never>;

/** What the options ask for, before a model is opened. */
function readAsked(values: Values) {
  const out = required(values.out, 'out');
  if (values.prompts !== undefined && (values.latents ?? values['save-latents']) !== undefined) {
    throw new UsageError('--prompts goes with neither --latents nor --save-latents');
  }
  const prompts = values.prompts === undefined ? null : readPrompts(values.prompts);
  const prompt = prompts === null ? required(values.prompt, 'prompt') : '';
  if (values.seed !== undefined && values.latents !== undefined) {
    throw new UsageError('--seed and --latents exclude each other');
  }
  return {
    ...{ out, prompt, prompts },
    seed: numberOption(values.seed, 'seed', drawingLimits.seed) ?? freshSeed(),
    steps: numberOption(values.steps, 'steps', { min: 1, max: 1000 }) ?? 40,
    guidance: numberOption(values.guidance, 'guidance', drawingLimits.guidance),
    size: sizeOption(values.size),
    from: startOption(values),
    latents: values.latents === undefined ? null : readLatents(values.latents),
    saveLatents: values['save-latents'],
  };
}

interface Drawing {
  readonly painter: Painter;
  readonly asked: ReturnType<typeof readAsked>;
  readonly common: Omit<DrawRequest, 'prompt'>;
  readonly provider: string;
  readonly output: Output;
}

async function drawOne({ painter, asked, common, provider, output }: Drawing): Promise<void> {
  const { out, prompt, latents, size, saveLatents } = asked;
  const { seed, steps, guidance } = common;
  const startedAt = performance.now();
  const drawing = await painter.draw({
    prompt,
    ...common,
    ...(size ?? (latents && sizeOf(latents.dims, painter.config.scale))),
    ...(latents === null ? {} : { latents: latents.data }),
    ...(process.stderr.isTTY
      ? { onProgress: ({ step }) => output.progress(`step ${step} of ${steps}`) }
      : {}),
  });
  output.progress('');
  await writeWholeFile(out, drawing.png);
  if (saveLatents !== undefined) writeTensorFile(saveLatents, { latents: drawing.latents });
  const { width, height } = drawing;
  const seconds = (performance.now() - startedAt) / 1000;
  const usedSeed = latents === null ? seed : null;
  const from = usedSeed === null ? 'given latents' : `seed ${usedSeed}`;
  output.result({ out, width, height, seed: usedSeed, steps, guidance, seconds, provider }, () =>
    output.line(`${out} (${width} x ${height}, ${from}, ${seconds.toFixed(1)} s)`),
  );
}

/** `--from` and `--strength`: what the drawing starts from; null: from noise. */
function startOption({ from, strength }: Values) {
  if (from === undefined && strength !== undefined) {
    throw new UsageError('--strength goes with --from');
  }
  const share = numberOption(strength, 'strength', strengthLimits) ?? defaultStrength;
  return from === undefined ? null : { path: from, strength: share };
}

async function startOf(
  from: ReturnType<typeof startOption>,
  size: ReturnType<typeof sizeOption>,
  painter: Painter,
): Promise<Pick<DrawRequest, 'start'>> {
  if (from === null) return {};
  const side = painter.config.defaultSize;
  const image = await readStartImage(from.path, size ?? { width: side, height: side });
  return { start: { image, strength: from.strength } };
}

/** Draws `001.png`, `002.png` ... into a folder; seeds count up from the first. */
async function drawEach({ painter, asked, common, provider, output }: Drawing): Promise<void> {
  const { out } = asked;
  const prompts = asked.prompts ?? [];
  const { seed, steps, guidance } = common;
  const startedAt = performance.now();
  mkdirSync(out, { recursive: true });
  for (const [index, prompt] of prompts.entries()) {
    output.progress(`picture ${index + 1} of ${prompts.length}`);
    const { png } = await painter.draw({ ...common, prompt, seed: seed + index });
    await writeWholeFile(join(out, `${String(index + 1).padStart(3, '0')}.png`), png);
  }
  output.progress('');
  const seconds = (performance.now() - startedAt) / 1000;
  const pictures = prompts.length;
  output.result({ out, pictures, seed, steps, guidance, seconds, provider }, () =>
    output.line(`${out} (${pictures} pictures, ${seconds.toFixed(1)} s)`),
  );
}

/** One prompt a line; their pictures get the numbers of the lines, and seeds that count up. */
function readPrompts(file: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--prompts ${file}: ${toWireError(error).message}`);
  }
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new UsageError(`--prompts ${file}: no prompt in it`);
  return lines;
}

/** Starting noise [1, channels, height, width] of unit variance: the tensor `latents`, or the file's only one. */
function readLatents(file: string) {
  const tensors = openTensorFile(file);
  const [only, ...others] = tensors.names;
  const name = only !== undefined && others.length === 0 ? only : 'latents';
  const latents = tensors.floats(name);
  if (latents.dims.length !== 4 || latents.dims[0] !== 1) {
    throw new UsageError(
      `${file}: "${name}" has shape [${latents.dims.join(', ')}], expected [1, channels, height, width]`,
    );
  }
  return latents;
}

function sizeOf([, , height = 0, width = 0]: readonly number[], scale: number) {
  return { width: width * scale, height: height * scale };
}
