/** What an import will write, before anything is written. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { ImportCost } from '../../shared/domain/model-import.ts';
import { openCheckpoint } from '../weights/index.ts';
import type { ImportSources, ImportStorage } from './import-model.ts';

/** textbind.json, and a processor's configuration where the vision model has none. */
const ownBytes = 2000;
const leftOut: ReadonlySet<string> = new Set(['.git', '.cache']);
const weightFile = /\.(safetensors|bin|pt|pth|msgpack|onnx|onnx_data|h5|gguf)$/i;
/** A scale of 16 bits for each block of 32 weights, and its zero point. */
const bytesPerWeight = { int4: 0.5 + 2 / 32 + 0.5 / 32, int8: 1 + 2 / 32 + 1 / 32 } as const;

/** @param sources absolute places that exist */
export function importCost(sources: ImportSources, storage: ImportStorage): ImportCost {
  if (storage === 'refer') return { bytes: ownBytes, exact: true };
  const { vision, language, qformer, checkpoint, processor, base, refiner } = sources;
  const others = [vision, qformer, checkpoint, processor, base, refiner].flatMap((each) =>
    each === null ? [] : [each],
  );
  if (storage === 'copy') {
    const bytes = [...others, language].reduce((sum, place) => sum + bytesOf(place), ownBytes);
    return { bytes, exact: true };
  }
  const halves = others.reduce((sum, place) => sum + halfBytesOf(place), ownBytes);
  return { bytes: Math.round(halves + quantisedBytesOf(language, storage)), exact: false };
}

function quantisedBytesOf(language: string, storage: 'int4' | 'int8'): number {
  const checkpoint = openCheckpoint(language);
  const weights = [...checkpoint.names()].reduce((sum, name) => {
    const shape = checkpoint.find(name)?.shape ?? [];
    const count = shape.reduce((product, dim) => product * dim, 1);
    const isMatrix = shape.length === 2 && !/embed_tokens|lm_head/.test(name);
    return sum + count * (isMatrix ? bytesPerWeight[storage] : 2);
  }, 0);
  return weights + smallBytesOf(language);
}

/** Weights of 32 bits become 16; those of 16 stay. */
function halfBytesOf(place: string): number {
  const folders = filesOf(place).filter((file) => weightFile.test(file));
  const weights = [...new Set(folders.map((file) => path.dirname(file)))];
  const sources = statSync(place).isDirectory() ? weights : [place];
  const bytes = sources.reduce((sum, source) => {
    const checkpoint = openCheckpoint(source);
    return [...checkpoint.names()].reduce((all, name) => {
      const shape = checkpoint.find(name)?.shape ?? [];
      return all + 2 * shape.reduce((product, dim) => product * dim, 1);
    }, sum);
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
