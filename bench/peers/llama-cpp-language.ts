// llama.cpp through node-llama-cpp's prebuilt binary, with its own defaults but for the thread count.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { readJsonFile } from '../../src/base/json-file.ts';
import { llamaCppFolder } from './install-llama-cpp.ts';
import { packageSchema } from './install-npm-peer.ts';
import { now, runBetween, serveLanguage } from './language-peer.ts';
import type { LanguageOpened, LanguageRun } from './language-peer.ts';

/** The part of node-llama-cpp that is used: it is installed on demand, so its own types are not there. */
interface Sequence {
  clearHistory(): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
  evaluate(
    tokens: readonly number[],
    options: { readonly temperature: number; readonly yieldEogToken: boolean },
  ): AsyncIterable<number>;
}
interface NodeLlamaCpp {
  getLlama(options: Readonly<Record<string, unknown>>): Promise<{
    readonly llamaCppRelease?: { readonly release: string };
    loadModel(options: { readonly modelPath: string }): Promise<{
      createContext(
        options: Readonly<Record<string, unknown>>,
      ): Promise<{ getSequence(): Sequence }>;
    }>;
  }>;
}

let sequence: Sequence | undefined;

async function open(
  modelPath: string,
  threads: number,
  contextSize: number,
): Promise<LanguageOpened> {
  const folder = path.join(llamaCppFolder, 'node_modules', 'node-llama-cpp');
  const entry = pathToFileURL(path.join(folder, 'dist', 'index.js')).href;
  const { getLlama } = (await import(entry)) as NodeLlamaCpp;
  const llama = await getLlama({
    gpu: false,
    // Never compile or download: the prebuilt binary, or a failure that says so.
    build: 'never',
    skipDownload: true,
    maxThreads: threads,
    logLevel: 'error',
    progressLogs: false,
  });
  const model = await llama.loadModel({ modelPath });
  const context = await model.createContext({
    contextSize,
    threads: { ideal: threads, min: threads },
  });
  sequence = context.getSequence();
  const { version } = readJsonFile(path.join(folder, 'package.json'), packageSchema, 'storage');
  const release = llama.llamaCppRelease?.release ?? 'of unknown release';
  return { engine: `llama.cpp ${release} (node-llama-cpp ${version})` };
}

async function run(prompt: readonly number[], maxTokens: number): Promise<LanguageRun> {
  if (sequence === undefined) throw new Error('no model is open');
  await sequence.clearHistory();
  const begin = now();
  await sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(0, -1));
  const read = now();
  const tokens: number[] = [];
  // The end of a turn is written like any token: the count must be the same on both sides.
  const pieces = sequence.evaluate(prompt.slice(-1), { temperature: 0, yieldEogToken: true });
  for await (const token of pieces) {
    tokens.push(token);
    if (tokens.length === maxTokens) break;
  }
  return runBetween(begin, read, now(), tokens);
}

serveLanguage(open, run);
