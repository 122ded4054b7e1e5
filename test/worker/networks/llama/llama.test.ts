/** The Llama network against transformers' LlamaForCausalLM on small random checkpoints. */
import { beforeAll, describe, expect, it } from 'vitest';
import { LanguageModel } from '../../../../src/worker/pipelines/language-model.ts';
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
});
