import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../scripts/setup/steps.mjs';
import { openLanguageTokenizer } from '../../src/worker/inputs/tokenizer.ts';
import {
  LanguageModel,
  type LanguageModelOptions,
} from '../../src/worker/pipelines/language/language-model.ts';
import {
  safetensorsBytes,
  withLanguageWeights,
  type LanguageWeights,
} from '../language-weights.ts';
import type { BenchOptions } from '../options.ts';
import type { Row, Section } from '../tables.ts';

/** Tokens that are scored at once; the first of each stretch are not counted, for they have little to go by. */
const windowTokens = 256;
const warmUpTokens = 16;
const mostWindows = 16;

/** Prose that no model was trained on: this project's own documents. */
const texts = ['CONTRIBUTING.md', 'bench/README.md', 'src/worker/DESIGN.md'] as const;

/** What the scores of one precision say of each token: how surprising it was, and what was thought likeliest. */
interface Scores {
  readonly surprises: Float64Array;
  readonly likeliest: Int32Array;
}

interface Precision {
  readonly label: string;
  readonly folder: string;
  readonly options: LanguageModelOptions;
}

function precisionsOf(weights: LanguageWeights): Precision[] {
  const { unrounded, folder, eightBitFolder, mixedFolder } = weights;
  const cpu = { providers: ['cpu'], maxPositions: windowTokens, eightBitReading: false } as const;
  return [
    { label: 'single precision', folder: unrounded, options: cpu },
    { label: 'int8 weights', folder: eightBitFolder, options: cpu },
    {
      label: 'int8 weights, read with 8-bit products',
      folder: eightBitFolder,
      options: { ...cpu, graph: { products: 'eightBits' } },
    },
    { label: 'mixed weights, as it writes', folder: mixedFolder, options: cpu },
    { label: 'int4 weights, as it writes', folder, options: cpu },
    {
      label: 'int4 weights, read with 8-bit products',
      folder,
      options: { ...cpu, graph: { products: 'eightBits' } },
    },
  ];
}

async function windowsOf(folder: string): Promise<number[][]> {
  const tokenizer = await openLanguageTokenizer(folder);
  const ids = texts.flatMap((file) =>
    tokenizer.encode(readFileSync(path.join(root, file), 'utf8')),
  );
  const count = Math.min(mostWindows, Math.floor(ids.length / windowTokens));
  return Array.from({ length: count }, (_, index) =>
    ids.slice(index * windowTokens, (index + 1) * windowTokens),
  );
}

/** Of one row of logits: minus the log of the probability of `token`, and the likeliest token. */
function judge(logits: Float32Array, token: number): { surprise: number; likeliest: number } {
  let likeliest = 0;
  for (let id = 1; id < logits.length; id += 1) {
    if (logits[id]! > logits[likeliest]!) likeliest = id;
  }
  const highest = logits[likeliest]!;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - highest);
  return { surprise: Math.log(sum) + highest - logits[token]!, likeliest };
}

async function score(precision: Precision, windows: readonly number[][]): Promise<Scores> {
  const model = await LanguageModel.open(precision.folder, precision.options);
  const counted = windowTokens - 1 - warmUpTokens;
  const surprises = new Float64Array(windows.length * counted);
  const likeliest = new Int32Array(surprises.length);
  try {
    for (const [index, ids] of windows.entries()) {
      const logits = await model.score(await model.embed(ids));
      const vocabulary = logits.length / ids.length;
      for (let at = warmUpTokens; at < ids.length - 1; at += 1) {
        const row = logits.subarray(at * vocabulary, (at + 1) * vocabulary);
        const judged = judge(row, ids[at + 1]!);
        const place = index * counted + at - warmUpTokens;
        surprises[place] = judged.surprise;
        likeliest[place] = judged.likeliest;
      }
    }
  } finally {
    await model.release();
  }
  return { surprises, likeliest };
}

function perplexity({ surprises }: Scores): number {
  return Math.exp(surprises.reduce((sum, value) => sum + value, 0) / surprises.length);
}

/** Share of tokens for which both think the same one likeliest, percent. */
function agreement(left: Scores, right: Scores): number {
  const same = left.likeliest.filter((id, index) => id === right.likeliest[index]).length;
  return (100 * same) / left.likeliest.length;
}

/** What each precision costs in quality, beside single precision of the same weights. */
export async function measureQuality(
  _options: BenchOptions,
  say: (line: string) => void,
): Promise<Section> {
  const base = { name: 'quality', title: 'Language model: what precision costs' };
  return withLanguageWeights(base, say, (weights) => scoreAll(weights, say));
}

async function scoreAll(
  weights: LanguageWeights,
  say: (line: string) => void,
): Promise<Omit<Section, 'name' | 'title'>> {
  const missing = texts.filter((file) => !existsSync(path.join(root, file)));
  if (missing.length > 0) {
    return { about: [], tables: [], skipped: [`no ${missing.join(', ')}`] };
  }
  const windows = await windowsOf(weights.folder);
  const scored: { readonly label: string; readonly scores: Scores; readonly megabytes: number }[] =
    [];
  for (const precision of precisionsOf(weights)) {
    say(`quality: ${precision.label}, ${windows.length} stretches of ${windowTokens} tokens`);
    const megabytes = safetensorsBytes(precision.folder) / 1e6;
    scored.push({ label: precision.label, megabytes, scores: await score(precision, windows) });
  }
  const exact = scored[0]!.scores;
  const rows = scored.map(({ label, scores, megabytes }): Row => {
    const cells = [[perplexity(scores)], [agreement(scores, exact)], [megabytes]];
    return { label, unit: 'perplexity; %; MB', cells };
  });
  return {
    about: [
      `${weights.name}, ${exact.surprises.length} tokens of ${texts.join(', ')}, in stretches of ${windowTokens}`,
    ],
    tables: [
      { title: 'weights', columns: ['perplexity', 'same likeliest token', 'on the disk'], rows },
    ],
    skipped: [],
  };
}
