/** The Llama network against transformers' LlamaForCausalLM on small random checkpoints. */
import { beforeAll, describe, expect, it } from 'vitest';
import { LanguageModel } from '../../../../src/worker/pipelines/language/language-model.ts';
import { noPython } from '../../../golden/run-python.ts';
import { caseNames, pythonTimeoutMs, reference, relativeError } from './support.ts';

describe.skipIf(noPython)(`llama against transformers${noPython ? `: ${noPython}` : ''}`, () => {
  beforeAll(() => void reference('grouped-tied'), pythonTimeoutMs);

  it.each(caseNames)('%s: logits, and greedy tokens of one run', async (name) => {
    const golden = reference(name);
    const model = await LanguageModel.open(golden.folder, { providers: ['cpu'] });
    const ids = golden.ids('ids');
    const embeds = await model.embed(ids);
    expect(relativeError(embeds, golden.floats('token_embeds'))).toBeLessThan(1e-7);
    expect(relativeError(await model.score(embeds), golden.floats('logits'))).toBeLessThan(1e-4);
    const picture = golden.floats('embeds');
    expect(relativeError(await model.score(picture), golden.floats('embeds_logits'))).toBeLessThan(
      1e-4,
    );
    const tokens = await model.decode(model.newCache(), { feed: ids, maxTokens: 20, stopIds: [] });
    expect([...tokens]).toEqual(golden.ids('tokens'));
    await model.release();
  });

  it.each(['grouped-tied', 'biases', 'float16'] as const)(
    '%s: the grouped form with its whole cache gives the same tokens',
    async (name) => {
      const golden = reference(name);
      const graph = { attention: 'grouped' } as const;
      const model = await LanguageModel.open(golden.folder, { providers: ['cpu'], graph });
      const cache = model.newCache();
      const first = await model.decode(cache, {
        feed: golden.ids('ids'),
        maxTokens: 8,
        stopIds: [],
      });
      const feed = [...first.slice(-1)];
      const then = await model.decode(cache, { feed, maxTokens: 12, stopIds: [] });
      expect([...first, ...then]).toEqual(golden.ids('tokens'));
      await model.release();
    },
  );

  // CUDA's graph, run where every machine can run it.
  it.each(['grouped-tied', 'separate-untied', 'float16'] as const)(
    '%s: in half precision, relative error under 1e-2',
    async (name) => {
      const golden = reference(name);
      const form = {
        precision: 'float16',
        graph: { attention: 'grouped', accuracyLevel: 0 },
      } as const;
      const model = await LanguageModel.open(golden.folder, { providers: ['cpu'], ...form });
      const cache = model.newCache();
      expect(cache.shape.dtype).toBe('float16');
      const ids = golden.ids('ids');
      await model.read(cache, ids.slice(0, 4));
      const logits = await model.read(cache, ids.slice(4));
      const expected = golden.floats('logits').slice(-logits.length);
      expect(relativeError(logits, expected)).toBeLessThan(1e-2);
      await model.release();
    },
  );
});
