import { readFileSync } from 'node:fs';
import path from 'node:path';
import { openLanguageTokenizer } from '../../src/worker/inputs/tokenizer.ts';
import { root } from '../../scripts/setup/steps.mjs';
import { withLanguageWeights, type LanguageWeights } from '../language-weights.ts';
import type { BenchOptions } from '../options.ts';
import { installLlamaCpp } from '../peers/install-llama-cpp.ts';
import { installTransformersJs } from '../peers/install-transformers-js.ts';
import type { LanguageRun } from '../peers/language-peer.ts';
import { openLanguagePeer, type LanguagePeer } from '../peers/open-language-peer.ts';
import { fasterByRate, type Row, type Section, type Table } from '../tables.ts';
import { interleave, pairedRatios } from '../statistics.ts';
import { reasonOf } from '../../src/shared/errors.ts';

const defaultRuns = 7;

/** A prompt of real words: the licence, which is long enough and does not change. */
async function readPrompt(weights: LanguageWeights, tokens: number): Promise<number[]> {
  const tokenizer = await openLanguageTokenizer(weights.folder);
  const ids = tokenizer.encode(readFileSync(path.join(root, 'LICENSE'), 'utf8'));
  return Array.from({ length: tokens }, (_, index) => ids[index % ids.length]!);
}

/** How many tokens at the front are the same: that both sides compute the same function. */
export function commonLength(left: readonly number[], right: readonly number[]): number {
  const end = left.findIndex((token, index) => token !== right[index]);
  return end < 0 ? left.length : end;
}

interface ContextResult {
  readonly context: number;
  /** By peer, by round. */
  readonly runs: readonly (readonly LanguageRun[])[];
}

const rate = (count: number) => (ms: number) => (count / ms) * 1000;

function rateRows({ context, runs }: ContextResult, peer: number): Row[] {
  const row = (label: string, pick: (run: LanguageRun) => number): Row => {
    const [ours, theirs] = [runs[0]!.map(pick), runs[peer]?.map(pick) ?? null];
    return {
      label: `${label}, ${context} tokens of context`,
      unit: 'tokens/s',
      cells: [ours, theirs],
      comparison: fasterByRate(ours, theirs),
    };
  };
  return [
    row('read', ({ prefillMs }) => rate(context)(prefillMs)),
    row('write', ({ decodeMs, tokens }) => rate(tokens.length)(decodeMs)),
  ];
}

/** Ours against each peer. */
function rateTables(results: readonly ContextResult[], names: readonly string[]): Table[] {
  const peers = names.length > 1 ? names.slice(1) : ['llama.cpp'];
  return peers.map((name, index) => ({
    title: 'median (least to most)',
    columns: ['TextBind', name],
    comparison: 'times as fast',
    rows: results.flatMap((result) => rateRows(result, index + 1)),
  }));
}

function growthTable(results: readonly ContextResult[], engines: readonly string[]): Table | null {
  const [short, long] = [results[0], results.at(-1)];
  if (short === undefined || long === undefined || short === long) return null;
  const perToken = (runs: readonly LanguageRun[]) =>
    runs.map(({ decodeMs, tokens }) => decodeMs / tokens.length);
  return {
    title: 'a longer context',
    columns: [`${short.context} tokens`, `${long.context} tokens`],
    comparison: 'times as slow',
    rows: engines.map((engine, index) => {
      const cells = [perToken(short.runs[index]!), perToken(long.runs[index]!)] as const;
      return {
        label: `${engine}, a token written`,
        unit: 'ms',
        cells,
        comparison: pairedRatios(cells[1], cells[0]),
      };
    }),
  };
}

/** Tokens a second, reading and writing, ours against llama.cpp and transformers.js on the same weights. */
export async function measureLanguage(
  options: BenchOptions,
  say: (line: string) => void,
): Promise<Section> {
  const base = { name: 'language', title: 'Language model: reading and writing' };
  return withLanguageWeights(base, say, (weights) => measureAll(options, weights, say));
}

async function measureAll(
  options: BenchOptions,
  weights: LanguageWeights,
  say: (line: string) => void,
): Promise<Omit<Section, 'name' | 'title'>> {
  const { threads, contexts, tokens } = options;
  const skipped: string[] = [];
  const request = { threads, positions: Math.max(...contexts) + tokens + 8 };
  const peers = [await openLanguagePeer('TextBind', { ...request, model: weights.folder })];
  const add = async (
    name: 'llama.cpp' | 'transformers.js',
    model: string,
    install: (say: (line: string) => void) => Promise<void>,
  ): Promise<void> => {
    try {
      await install(say);
      peers.push(await openLanguagePeer(name, { ...request, model }));
    } catch (error) {
      skipped.push(`${name}: ${reasonOf(error)}`);
    }
  };
  try {
    await add('llama.cpp', weights.gguf, installLlamaCpp);
    await add('transformers.js', weights.folder, installTransformersJs);
    return { ...(await measure(options, weights, peers, say)), skipped };
  } finally {
    for (const peer of peers) await peer.close();
  }
}

async function measure(
  { runs, contexts, tokens, threads }: BenchOptions,
  weights: LanguageWeights,
  peers: readonly LanguagePeer[],
  say: (line: string) => void,
): Promise<Pick<Section, 'about' | 'tables'>> {
  const rounds = runs ?? defaultRuns;
  const results: ContextResult[] = [];
  for (const context of contexts) {
    say(`language model: ${context} tokens of context, ${rounds} rounds`);
    const prompt = await readPrompt(weights, context + 1);
    // The first run of each touches its memory for the first time.
    for (const peer of peers) await peer.run(prompt, Math.min(tokens, 8));
    const series = await interleave(
      rounds,
      peers.map((peer) => () => peer.run(prompt, tokens)),
    );
    results.push({ context, runs: series });
  }
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  const engines = peers.map(({ engine }) => engine);
  const names = engines.map((engine) => engine.split(' ')[0]!);
  const growth = growthTable(results, names);
  return {
    about: [
      `${weights.name}, ${threads} threads each, greedy, ${tokens} tokens written a round, ${rounds} rounds in turns`,
      `TextBind: int4 in blocks of 32, embedding int8, ${megabytes(weights.folderBytes)}; llama.cpp: Q4_1, embedding Q8_0, ${megabytes(weights.ggufBytes)}; transformers.js: our blocks in a graph of its form`,
      `engines: ${engines.join('; ')}`,
      ...agreement(results, names, tokens),
    ],
    tables: [...rateTables(results, names), ...(growth === null ? [] : [growth])],
  };
}

function agreement(
  results: readonly ContextResult[],
  names: readonly string[],
  tokens: number,
): string[] {
  return names.slice(1).map((name, index) => {
    const parts = results.map(({ context, runs }) => {
      const [ours = [], theirs = []] = [runs[0]?.[0]?.tokens, runs[index + 1]?.[0]?.tokens];
      return `${commonLength(ours, theirs)} of ${tokens} at ${context} tokens of context`;
    });
    return `tokens that ${name} writes as we do before the first that differs: ${parts.join(', ')}`;
  });
}
