// Our language model, as the app runs it: int4 weights, the sequence that the reply loop reads and writes.
import { createRequire } from 'node:module';
import { LanguageModel } from '../../src/worker/pipelines/language/language-model.ts';
import { runLength, Sequence } from '../../src/worker/pipelines/language/sequence.ts';
import { now, runBetween, serveLanguage } from './language-peer.ts';
import type { LanguageOpened, LanguageRun } from './language-peer.ts';

const greedy = { temperature: 0, topK: 0, topP: 1 };
let model: LanguageModel | undefined;

async function open(
  folder: string,
  threads: number,
  maxPositions: number,
): Promise<LanguageOpened> {
  model = await LanguageModel.open(folder, { providers: ['cpu'], threads, maxPositions });
  const runtime = createRequire(import.meta.url)('onnxruntime-node/package.json') as {
    readonly version: string;
  };
  return { engine: `TextBind on ONNX Runtime ${runtime.version}` };
}

async function run(prompt: readonly number[], maxTokens: number): Promise<LanguageRun> {
  if (model === undefined) throw new Error('no model is open');
  const sequence = new Sequence(model);
  const { signal } = new AbortController();
  const begin = now();
  sequence.feed(await sequence.stretchOf(prompt.slice(0, -1)));
  await sequence.readAhead(signal, 0);
  const read = now();
  sequence.feed(await sequence.stretchOf(prompt.slice(-1)));
  const tokens: number[] = [];
  for (let index = 0; tokens.length < maxTokens; index += 1) {
    const wanted = Math.min(runLength(index), maxTokens - tokens.length);
    const uniforms = new Float32Array(wanted);
    tokens.push(
      ...(await sequence.decode({ maxTokens: wanted, stopIds: [], sampling: greedy, uniforms })),
    );
  }
  return runBetween(begin, read, now(), tokens);
}

serveLanguage(open, run);
