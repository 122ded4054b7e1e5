// Our language model, as the app runs it: int4 weights, prompt in runs of 256, the Loop decoder in runs of 1 to 32.
import { createRequire } from 'node:module';
import { LanguageModel } from '../../src/worker/pipelines/language-model.ts';
import type { LanguageOpened, LanguageRequest, LanguageRun } from './language-peer.ts';
import { servePeer } from './peer-process.ts';

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
  const cache = model.newCache();
  const begin = performance.now();
  await model.read(cache, prompt.slice(0, -1));
  const read = performance.now();
  const tokens: number[] = [];
  for await (const piece of model.stream(cache, {
    feed: prompt.slice(-1),
    maxTokens,
    stopIds: [],
  })) {
    tokens.push(...piece);
  }
  return { prefillMs: read - begin, decodeMs: performance.now() - read, tokens };
}

servePeer((message) => {
  const request = message as LanguageRequest;
  return request.kind === 'open'
    ? open(request.model, request.threads, request.positions)
    : run(request.prompt, request.tokens);
});
