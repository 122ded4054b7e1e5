import { readFileSync } from 'node:fs';
import path from 'node:path';
import { openLanguageTokenizer } from '../../src/worker/inputs/tokenizer.ts';
import { root } from '../../scripts/setup/steps.mjs';
import { describeForms, ggufForms, ggufOfForm, headingOf, peerOf } from '../gguf-forms.ts';
import type { GgufForm } from '../gguf-forms.ts';
import { withLanguageWeights, type LanguageWeights } from '../language-weights.ts';
import type { BenchOptions } from '../options.ts';
import { installLlamaCpp } from '../peers/install-llama-cpp.ts';
import { installTransformersJs } from '../peers/install-transformers-js.ts';
import { openLanguagePeer, type LanguagePeer } from '../peers/open-language-peer.ts';
import type { Section } from '../tables.ts';
import { interleave } from '../statistics.ts';
import { reasonOf } from '../../src/shared/errors.ts';
import { againstBestForm, agreement, growthTable, rateTables } from './language-tables.ts';
import type { ContextResult, Measured } from './language-tables.ts';

const defaultRuns = 7;

interface OpenPeer extends Measured {
  readonly peer: LanguagePeer;
}

interface Opened {
  /** Ours first. */
  readonly peers: OpenPeer[];
  /** llama.cpp's files, by form. */
  readonly files: Map<GgufForm, string>;
}

/** A prompt of real words: the licence, which is long enough and does not change. */
async function readPrompt(weights: LanguageWeights, tokens: number): Promise<number[]> {
  const tokenizer = await openLanguageTokenizer(weights.folder);
  const ids = tokenizer.encode(readFileSync(path.join(root, 'LICENSE'), 'utf8'));
  return Array.from({ length: tokens }, (_, index) => ids[index % ids.length]!);
}

/** Tokens a second, reading and writing, ours against llama.cpp's forms and transformers.js on the same weights. */
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
  const request = { threads, positions: Math.max(...contexts) + tokens + 8 };
  const ours = await openLanguagePeer('TextBind', { ...request, model: weights.folder });
  const opened: Opened = { peers: [{ name: 'TextBind', peer: ours }], files: new Map() };
  const skipped: string[] = [];
  const unlessMissing = async (name: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      skipped.push(`${name}: ${reasonOf(error)}`);
    }
  };
  try {
    await unlessMissing('llama.cpp', async () => {
      await installLlamaCpp(say);
      for (const form of ggufForms) {
        await unlessMissing(headingOf(form), async () => {
          const model = await ggufOfForm(weights.gguf, form, say);
          const peer = await openLanguagePeer('llama.cpp', { ...request, model });
          opened.peers.push({ name: peerOf(form), form, peer });
          opened.files.set(form, model);
        });
      }
    });
    await unlessMissing('transformers.js', async () => {
      await installTransformersJs(say);
      const model = weights.folder;
      const peer = await openLanguagePeer('transformers.js', { ...request, model });
      opened.peers.push({ name: 'transformers.js', peer });
    });
    return { ...(await measure(options, weights, opened, say)), skipped };
  } finally {
    for (const { peer } of opened.peers) await peer.close();
  }
}

function describeWeights(weights: LanguageWeights, files: Opened['files']): string {
  const ours = `TextBind: int4 in blocks of 32, embedding int8, ${(weights.folderBytes / 1e6).toFixed(1)} MB`;
  const theirs = files.size === 0 ? [] : [`llama.cpp: embedding Q8_0, ${describeForms(files)}`];
  return [ours, ...theirs, 'transformers.js: our blocks in a graph of its form'].join('; ');
}

async function measure(
  { runs, contexts, tokens, threads }: BenchOptions,
  weights: LanguageWeights,
  { peers, files }: Opened,
  say: (line: string) => void,
): Promise<Omit<Section, 'name' | 'title' | 'skipped'>> {
  const rounds = runs ?? defaultRuns;
  const results: ContextResult[] = [];
  for (const context of contexts) {
    say(`language model: ${context} tokens of context, ${rounds} rounds`);
    const prompt = await readPrompt(weights, context + 1);
    // The first run of each touches its memory for the first time.
    for (const { peer } of peers) await peer.run(prompt, Math.min(tokens, 8));
    const series = await interleave(
      rounds,
      peers.map(
        ({ peer }) =>
          () =>
            peer.run(prompt, tokens),
      ),
    );
    results.push({ context, runs: series });
  }
  const engines = new Set(peers.map(({ peer }) => peer.engine));
  const growth = growthTable(results, peers);
  const againstBest = againstBestForm(results, peers);
  return {
    about: [
      `${weights.name}, ${threads} threads each, greedy, ${tokens} tokens written a round, ${rounds} rounds in turns`,
      describeWeights(weights, files),
      `engines: ${[...engines].join('; ')}`,
      ...agreement(results, peers, tokens),
    ],
    tables: [...rateTables(results, peers), ...(growth === null ? [] : [growth])],
    ...(againstBest === null ? {} : { againstBest }),
  };
}
