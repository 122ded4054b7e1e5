// Llama-2-7B's shape in 4 bits against llama.cpp: the same file, the same numbers, both open at once, in turns.
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';
import { writeGgufConfig } from '../../src/worker/conversion/gguf-model.ts';
import { writeEightBitCopy } from '../../src/worker/conversion/eight-bit-copy.ts';
import { quantiseModel } from '../../src/worker/conversion/quantise-model.ts';
import { RandomNumbers } from '../../src/worker/sampling/random.ts';
import { reasonOf } from '../../src/shared/errors.ts';
import { installLlamaCpp } from '../peers/install-llama-cpp.ts';
import type { LanguageRun } from '../peers/language-peer.ts';
import { openLanguagePeer, type LanguagePeer } from '../peers/open-language-peer.ts';
import { interleave } from '../statistics.ts';
import { fasterByRate, formatTable, type Row } from '../tables.ts';
import { llama7b, writeGguf } from './gguf-file.ts';

export interface LlamaOptions {
  readonly out: string;
  readonly threads: number;
  readonly rounds: number;
  /** Of the 32: a layer takes the same however many there are. */
  readonly layers: number;
  /** Prompt lengths, tokens. */
  readonly contexts: readonly number[];
  /** Written in a round. */
  readonly tokens: number;
  /** Whether the matrices are written in 8 bits as well, to read prompts with. */
  readonly fastReading: boolean;
  readonly keep: boolean;
  readonly say: (line: string) => void;
}

interface Made {
  readonly gguf: string;
  readonly folder: string;
}

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, file) => sum + statSync(path.join(folder, file)).size, 0);
}

/** The file, and the folder that bringing it in makes of it. */
async function make({ out, layers, say }: LlamaOptions): Promise<Made> {
  mkdirSync(out, { recursive: true });
  const gguf = path.join(out, 'llama-7b.gguf');
  const folder = path.join(out, 'llama-7b');
  say('writing the file');
  const bytes = writeGguf(gguf, { ...llama7b, layers });
  const begin = performance.now();
  const parts = path.join(out, 'llama-7b-parts');
  const { checkpoint, keptBits } = writeGgufConfig(gguf, parts);
  if (keptBits !== 4) throw new Error('the blocks of the file are not kept');
  await quantiseModel(parts, folder, { bits: keptBits, checkpoint });
  rmSync(parts, { recursive: true });
  const written = bytesIn(folder);
  const seconds = (performance.now() - begin) / 1000;
  say(
    `${(bytes / 1e6).toFixed(0)} MB of GGUF, brought in within ${seconds.toFixed(1)} s as ${(written / 1e6).toFixed(0)} MB; ` +
      `this process, which brings it in, held ${(process.resourceUsage().maxRSS / 1000).toFixed(0)} MB at the most`,
  );
  return { gguf, folder };
}

type OpenRequest = Parameters<typeof openLanguagePeer>[1];

function requestOf(model: string, { threads, contexts, tokens }: LlamaOptions): OpenRequest {
  return { model, threads, positions: Math.max(...contexts) + tokens + 8 };
}

async function openOurs(folder: string, options: LlamaOptions): Promise<LanguagePeer> {
  const peer = await openLanguagePeer('TextBind', requestOf(folder, options));
  options.say(`${peer.engine} opens in ${peer.seconds.toFixed(1)} s`);
  return peer;
}

/** Undefined where it cannot be had. */
async function openTheirs(gguf: string, options: LlamaOptions): Promise<LanguagePeer | undefined> {
  const { say } = options;
  try {
    await installLlamaCpp(say);
    const peer = await openLanguagePeer('llama.cpp', requestOf(gguf, options));
    say(`${peer.engine} opens in ${peer.seconds.toFixed(1)} s`);
    return peer;
  } catch (error) {
    say(`SKIPPED: llama.cpp: ${reasonOf(error)}`);
    return undefined;
  }
}

function rateRow(
  label: string,
  runs: readonly (readonly LanguageRun[])[],
  pick: (run: LanguageRun) => number,
): Row {
  const [ours = [], theirs] = runs.map((series) => series.map(pick));
  const cells = [ours, theirs ?? null];
  return { label, unit: 'tokens/s', cells, comparison: fasterByRate(ours, theirs ?? null) };
}

async function measure(
  peers: readonly LanguagePeer[],
  { rounds, contexts, tokens, say }: LlamaOptions,
): Promise<Row[]> {
  const random = new RandomNumbers(11);
  const rows: Row[] = [];
  for (const context of contexts) {
    say(`${context} tokens of context, ${rounds} rounds`);
    const prompt = Array.from({ length: context + 1 }, () => 300 + (random.bits() % 31_000));
    // The first run of each touches its memory for the first time.
    for (const peer of peers) await peer.run(prompt.slice(0, 20), 2);
    const runs = await interleave(
      rounds,
      peers.map((peer) => () => peer.run(prompt, tokens)),
    );
    const byClock = (label: string) => `${label}, ${context} tokens of context`;
    const byProcessor = (label: string) => `${byClock(label)}, by time of the processor`;
    const rate = (count: number, ms: number): number => (count / ms) * 1000;
    rows.push(
      rateRow(byClock('read'), runs, (run) => rate(context, run.prefillMs)),
      rateRow(byProcessor('read'), runs, (run) => rate(context, run.prefillCpuMs)),
      rateRow(byClock('write'), runs, (run) => rate(run.tokens.length, run.decodeMs)),
      rateRow(byProcessor('write'), runs, (run) => rate(run.tokens.length, run.decodeCpuMs)),
    );
    const [ours, theirs] = runs.map(([first]) => first?.tokens ?? []);
    const differs = ours?.findIndex((token, index) => token !== theirs?.[index]) ?? -1;
    if (theirs !== undefined) {
      say(`tokens that both write alike: ${differs < 0 ? tokens : differs} of ${tokens}`);
    }
  }
  return rows;
}

async function report(
  title: string,
  peers: readonly LanguagePeer[],
  options: LlamaOptions,
): Promise<void> {
  const rows = await measure(peers, options);
  for (const peer of peers) {
    const { most, own } = await peer.memory();
    options.say(
      `${peer.engine}: ${most.toFixed(0)} MB at the most, ${own.toFixed(0)} MB of it no file's pages`,
    );
  }
  const columns = ['TextBind', 'llama.cpp'];
  const table = { title, columns, comparison: 'times as fast', rows };
  process.stdout.write(`${formatTable(table)}\nload ${loadavg()[0]?.toFixed(1)}\n`);
}

/** Writes, brings in, opens, measures and says; with the 8-bit copy a second time. */
export async function measureLlama(options: LlamaOptions): Promise<void> {
  const { say, out, keep, fastReading } = options;
  const open: LanguagePeer[] = [];
  try {
    const { gguf, folder } = await make(options);
    const ours = await openOurs(folder, options);
    open.push(ours);
    const theirs = await openTheirs(gguf, options);
    const peers = theirs === undefined ? [] : [theirs];
    open.push(...peers);
    await report(`Llama-2-7B, ${options.layers} layers, 4 bits`, [ours, ...peers], options);
    if (!fastReading) return;
    await ours.close();
    const from = performance.now();
    const copied = (await writeEightBitCopy(folder)) / 1e6;
    const seconds = (performance.now() - from) / 1000;
    say(`8-bit copy for reading: ${copied.toFixed(0)} MB more, ${seconds.toFixed(1)} s`);
    const again = await openOurs(folder, options);
    open.push(again);
    await report(
      `Llama-2-7B, ${options.layers} layers, 4 bits, read in 8`,
      [again, ...peers],
      options,
    );
  } finally {
    for (const peer of open) await peer.close();
    if (!keep) rmSync(out, { recursive: true, force: true });
  }
}
