// Our language model, asked for prefill and decode speeds.
import { LanguageModel, greedy } from '../../src/worker/pipelines/language-model.ts';
import { answerCommands, secondsOf } from './child.ts';

let model: LanguageModel | undefined;

function opened(): LanguageModel {
  if (model === undefined) throw new Error('load first');
  return model;
}

answerCommands({
  load: async ({ folder, threads }: { folder: string; threads: number }) => {
    const seconds = await secondsOf(async () => {
      model = await LanguageModel.open(folder, { providers: ['cpu'], threads });
    });
    return { seconds };
  },
  prefill: async ({ ids }: { ids: number[] }) => {
    const cache = opened().newCache();
    return { seconds: await secondsOf(() => opened().read(cache, ids)) };
  },
  /** Reads `ids`, then times `count` greedy tokens, streamed as the chat streams them. */
  decode: async ({ ids, count }: { ids: number[]; count: number }) => {
    const cache = opened().newCache();
    await opened().read(cache, ids.slice(0, -1));
    const request = { feed: ids.slice(-1), maxTokens: count, stopIds: [], sampling: greedy };
    const tokens: number[] = [];
    const seconds = await secondsOf(async () => {
      for await (const run of opened().stream(cache, request)) tokens.push(...run);
    });
    return { seconds, count: tokens.length, tokens: tokens.slice(0, 16).join(' ') };
  },
});
