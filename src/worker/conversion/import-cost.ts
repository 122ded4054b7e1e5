/** What an import will write, before anything is written. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { ImportCost } from '../../shared/domain/model-import.ts';
import { languagePrefix } from '../pipelines/language/language-weights.ts';
import { openCheckpoint, type Checkpoint } from '../weights/index.ts';
import { extractedBytes } from './extract-blip2.ts';
import { describeGguf, type GgufDescription } from './gguf-model.ts';
import { keepsBlocks, type ImportSources, type ImportStorage } from './import-model.ts';
import { mixedBytesPerWeight } from './layer-bits.ts';

/** textbind.json, and a processor's configuration where the vision model has none. */
const ownBytes = 2000;
const leftOut: ReadonlySet<string> = new Set(['.git', '.cache']);
const weightFile = /\.(safetensors|bin|pt|pth|msgpack|onnx|onnx_data|h5|gguf)$/i;
/** A scale of 16 bits for each block of 32 weights, and its zero point. */
const bytesPerWeight = {
  int4: 0.5 + 2 / 32 + 0.5 / 32,
  int8: 1 + 2 / 32 + 1 / 32,
  mixed: mixedBytesPerWeight,
} as const;
type Quantising = keyof typeof bytesPerWeight;

/** @param sources absolute places that exist */
export function importCost(sources: ImportSources, storage: ImportStorage): ImportCost {
  const { language } = sources;
  // A GGUF file is written anew, wherever the other parts stay.
  const gguf = statSync(language).isFile() ? describeGguf(language) : null;
  const whole = gguf && ggufBytes(gguf, sources.checkpoint);
  const exact = whole?.exact ?? true;
  if (storage === 'refer') return { bytes: ownBytes + (whole?.bytes ?? 0), exact };
  const bringsBlip2 = sources.qformer === sources.vision;
  const others = otherParts(sources, bringsBlip2);
  if (storage === 'copy') {
    const taken = bringsBlip2 ? extractedBytes(sources.vision) : 0;
    const bytes = others.reduce((sum, place) => sum + bytesOf(place), taken + ownBytes);
    return { bytes: bytes + (whole?.bytes ?? bytesOf(language)), exact };
  }
  const taken = bringsBlip2 ? halfBytesOf(sources.vision, isOfBlip2) : 0;
  const halves = others.reduce((sum, place) => sum + halfBytesOf(place), taken + ownBytes);
  const checkpoint = gguf?.checkpoint ?? openCheckpoint(language);
  const small = gguf?.smallBytes ?? smallBytesOf(language);
  const bytes = halves + small + quantisedBytesOf(checkpoint, storage);
  return { bytes: Math.round(bytes), exact: false };
}

/** What a GGUF file becomes where nothing is asked for: blocks where ours hold its own exactly, else half precision. */
function ggufBytes(gguf: GgufDescription, checkpoint: string | null): ImportCost {
  const { keptBits, smallBytes, weightBytes } = gguf;
  if (keptBits === undefined || !keepsBlocks(keptBits, checkpoint)) {
    return { bytes: weightBytes + smallBytes, exact: true };
  }
  const weights = quantisedBytesOf(gguf.checkpoint, keptBits === 4 ? 'int4' : 'int8');
  return { bytes: Math.round(weights) + smallBytes, exact: false };
}

/** All but the language model; of a whole BLIP-2 two parts are taken out before. */
function otherParts(sources: ImportSources, bringsBlip2: boolean): string[] {
  const { vision, qformer, checkpoint, processor, base, refiner } = sources;
  const eyes = bringsBlip2 ? [] : [vision, qformer];
  const all = [...eyes, checkpoint, processor, base, refiner];
  return all.flatMap((each) => (each === null ? [] : [each]));
}

function isOfBlip2(name: string): boolean {
  return /^(vision_model\.|qformer\.|query_tokens$)/.test(name);
}

/** Matrices in blocks, look-up and head in 8 bits, norms in single precision. */
function quantisedBytesOf(checkpoint: Checkpoint, storage: Quantising): number {
  return [...checkpoint.names()].reduce((sum, name) => {
    const shape = checkpoint.find(name)?.shape ?? [];
    const isOuter = /embed_tokens|lm_head/.test(name);
    const each = shape.length === 2 ? bytesPerWeight[isOuter ? 'int8' : storage] : 4;
    return sum + countOf(shape) * each;
  }, 0);
}

function countOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** Weights of 32 bits become 16; those of 16 stay. A checkpoint's language model goes into the quantised one. */
function halfBytesOf(
  place: string,
  isKept = (name: string): boolean => !name.startsWith(languagePrefix),
): number {
  const folders = filesOf(place).filter((file) => weightFile.test(file));
  const weights = [...new Set(folders.map((file) => path.dirname(file)))];
  const sources = statSync(place).isDirectory() ? weights : [place];
  const bytes = sources.reduce((sum, source) => {
    const checkpoint = openCheckpoint(source);
    return [...checkpoint.names()]
      .filter(isKept)
      .reduce((all, name) => all + 2 * countOf(checkpoint.find(name)?.shape ?? []), sum);
  }, 0);
  return bytes + smallBytesOf(place);
}

function smallBytesOf(place: string): number {
  return filesOf(place)
    .filter((file) => !weightFile.test(file))
    .reduce((sum, file) => sum + statSync(file).size, 0);
}

function bytesOf(place: string): number {
  return filesOf(place).reduce((sum, file) => sum + statSync(file).size, 0);
}

/** What `copyFolder` copies: links to files as files, nothing of tools. */
function filesOf(place: string): string[] {
  const kind = statSync(place, { throwIfNoEntry: false });
  if (kind?.isFile() === true) return [place];
  if (kind?.isDirectory() !== true) return [];
  return readdirSync(place)
    .filter((name) => !leftOut.has(name))
    .flatMap((name) => filesOf(path.join(place, name)));
}
