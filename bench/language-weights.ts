import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { replaceFolderSync } from '../src/base/whole-file.ts';
import { chooseLayerBits, measureOnce } from '../src/worker/conversion/layer-bits.ts';
import { quantiseModel, type QuantiseOptions } from '../src/worker/conversion/quantise-model.ts';
import { measureLayers } from '../src/worker/layer-costs.ts';
import { openCheckpoint } from '../src/worker/weights/index.ts';
import { venvPython } from '../scripts/setup/python.mjs';
import { cacheDir, root, run } from '../scripts/setup/steps.mjs';
import { PeerMissing } from './peers/peer-process.ts';
import type { Section } from './tables.ts';

/** One set of weights in the form that each side reads. */
export interface LanguageWeights {
  readonly name: string;
  /** Single precision, as both sides' numbers were before they were rounded. */
  readonly unrounded: string;
  /** Our int8 folder. */
  readonly eightBitFolder: string;
  /** Our folder with 4 bits, and 8 in the layers that 4 would cost most. */
  readonly mixedFolder: string;
  /** Our int4 folder. */
  readonly folder: string;
  readonly folderBytes: number;
  /** llama.cpp's file, in Q4_1; gguf-forms.ts makes others of it. */
  readonly gguf: string;
}

const converted = path.join(cacheDir, 'mini', 'language-base');
const downloads = path.join(cacheDir, 'mini', 'downloads');
/** How our blocks are made: of so many bits, or mixed by what was measured. */
type Blocks = 4 | 8 | 'mixed';
const quantised = (blocks: Blocks): string =>
  path.join(cacheDir, 'bench', `smollm2-135m-${blocks === 'mixed' ? blocks : `int${blocks}`}`);

function ggufFile(): string | null {
  if (!existsSync(downloads)) return null;
  const name = readdirSync(downloads).find((file) => file.endsWith('.gguf'));
  return name === undefined ? null : path.join(downloads, name);
}

async function convert(say: (line: string) => void): Promise<void> {
  if (!existsSync(venvPython)) {
    throw new PeerMissing(
      'the weights for both sides come from a GGUF file that the trainer converts, and .venv is not there: ' +
        'npm test -- --only trainer sets it up',
    );
  }
  say('fetching SmolLM2-135M-Instruct and converting it (recipes/mini)');
  const module = ['-m', 'recipes.mini.language'];
  const { code, tail } = await run(
    venvPython,
    [...module, '--out', converted, '--cache', downloads],
    { cwd: root, quiet: true },
  );
  if (code === 0) return;
  throw new PeerMissing(`the weights could not be had: ${tail.split('\n').slice(-1)[0]}`);
}

/** Made by another quantiser, the weights would be another program's. */
function quantiserStamp(): string {
  const folder = path.join(root, 'src', 'worker');
  const hash = createHash('sha256');
  for (const name of [
    ...['weights/quantise.ts', 'conversion/quantise-model.ts', 'conversion/quantise-plan.ts'],
    ...['conversion/layer-bits.ts', 'layer-costs.ts', 'sample-text.ts'],
  ]) {
    hash.update(readFileSync(path.join(folder, name)));
  }
  return hash.digest('hex');
}

/** Quantises the converted weights where that was not done by this quantiser already. */
async function quantise(blocks: Blocks, say: (line: string) => void): Promise<string> {
  const folder = quantised(blocks);
  const stampFile = path.join(folder, 'quantiser.sha256');
  const stamp = quantiserStamp();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return folder;
  say(`quantising the weights (${blocks})`);
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(path.dirname(folder), { recursive: true });
  await quantiseModel(converted, part, await bitsOf(blocks, part));
  writeFileSync(path.join(part, path.basename(stampFile)), stamp);
  replaceFolderSync(folder, part);
  return folder;
}

async function bitsOf(blocks: Blocks, folder: string): Promise<QuantiseOptions> {
  if (blocks !== 'mixed') return { bits: blocks };
  const measure = () => measureLayers(converted, openCheckpoint(converted), undefined);
  return { layerBits: chooseLayerBits(await measureOnce(folder, measure)) };
}

/** Bytes of a folder's weights. */
export function safetensorsBytes(folder: string): number {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.safetensors'))
    .reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);
}

/**
 * SmolLM2-135M-Instruct in both forms: the GGUF file (Q4_1, embedding Q8_0) and, quantised from the same numbers, our
 * blocks (int4, embedding int8). Made once, kept under .cache.
 * @throws PeerMissing where the file or what converts it cannot be had
 */
export async function prepareLanguageWeights(
  say: (line: string) => void,
): Promise<LanguageWeights> {
  if (ggufFile() === null || !existsSync(path.join(converted, 'config.json'))) await convert(say);
  const gguf = ggufFile();
  if (gguf === null) throw new PeerMissing(`there is no GGUF file in ${downloads}`);
  const folder = await quantise(4, say);
  return {
    name: 'SmolLM2-135M-Instruct',
    unrounded: converted,
    eightBitFolder: await quantise(8, say),
    mixedFolder: await quantise('mixed', say),
    folder,
    folderBytes: safetensorsBytes(folder),
    gguf,
  };
}

/** A section over both sides' weights; skipped, with the reason, where they cannot be had. */
export async function withLanguageWeights(
  base: Pick<Section, 'name' | 'title'>,
  say: (line: string) => void,
  measure: (weights: LanguageWeights) => Promise<Omit<Section, 'name' | 'title'>>,
): Promise<Section> {
  let weights: LanguageWeights;
  try {
    weights = await prepareLanguageWeights(say);
  } catch (error) {
    if (!(error instanceof PeerMissing)) throw error;
    return { ...base, about: [], tables: [], skipped: [error.message] };
  }
  return { ...base, ...(await measure(weights)) };
}
