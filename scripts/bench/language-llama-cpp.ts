// llama.cpp through node-llama-cpp (installed by the runner into .cache/bench/peers), asked for the same.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { answerCommands, secondsOf } from './child.ts';

/** What of node-llama-cpp is used. */
interface Sequence {
  clearHistory(): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
  evaluate(tokens: readonly number[], options: object): AsyncGenerator<number, unknown>;
}
interface Model {
  tokenize(text: string): number[];
  createContext(options: object): Promise<{ getSequence(): Sequence }>;
}
interface Library {
  getLlama(options: object): Promise<{ loadModel(options: object): Promise<Model> }>;
}

let model: Model | undefined;
let sequence: Sequence | undefined;

function opened(): Sequence {
  if (sequence === undefined) throw new Error('load first');
  return sequence;
}

answerCommands({
  load: async ({ gguf, threads }: { gguf: string; threads: number }) => {
    const entry = 'node_modules/node-llama-cpp/dist/index.js';
    const peers = path.resolve(import.meta.dirname, '../../.cache/bench/peers');
    const library = (await import(pathToFileURL(path.join(peers, entry)).href)) as Library;
    const seconds = await secondsOf(async () => {
      const llama = await library.getLlama({
        gpu: false,
        build: 'never',
        logLevel: 'error',
        maxThreads: threads,
      });
      model = await llama.loadModel({ modelPath: gguf });
      const context = await model.createContext({ contextSize: 2048, batchSize: 512, threads });
      sequence = context.getSequence();
    });
    return { seconds };
  },
  tokenize: async ({ text }: { text: string }) => ({
    tokens: model?.tokenize(text).join(' ') ?? '',
  }),
  prefill: async ({ ids }: { ids: number[] }) => {
    await opened().clearHistory();
    return { seconds: await secondsOf(() => opened().evaluateWithoutGeneratingNewTokens(ids)) };
  },
  decode: async ({ ids, count }: { ids: number[]; count: number }) => {
    await opened().clearHistory();
    await opened().evaluateWithoutGeneratingNewTokens(ids.slice(0, -1));
    const tokens: number[] = [];
    const seconds = await secondsOf(async () => {
      const options = { temperature: 0, yieldEogToken: true };
      for await (const token of opened().evaluate(ids.slice(-1), options)) {
        tokens.push(token);
        if (tokens.length >= count) break;
      }
    });
    return { seconds, count: tokens.length, tokens: tokens.slice(0, 16).join(' ') };
  },
});
