import { describe, expect, it } from 'vitest';
import { buildQformer } from '../../../src/worker/networks/qformer/build.ts';
import { parseQformerConfig } from '../../../src/worker/networks/qformer/config.ts';
import { cpuTarget } from '../../../src/worker/networks/target.ts';
import { noPython } from '../../golden/run-python.ts';
import { makeGoldens, worstError } from './golden-network.ts';

const small = {
  hidden_size: 24,
  intermediate_size: 40,
  num_hidden_layers: 3,
  num_attention_heads: 3,
  encoder_hidden_size: 16,
};
const cases = [
  { batch: 1, length: 9 },
  { batch: 2, length: 17 },
];
const specs = {
  small: { config: small, num_query_tokens: 5, projection_size: 18, cases },
  'every third layer': {
    config: {
      ...small,
      num_hidden_layers: 5,
      cross_attention_frequency: 3,
      hidden_size: 35,
      num_attention_heads: 7,
    },
    num_query_tokens: 1,
    projection_size: 7,
    cases,
  },
  half: { config: small, num_query_tokens: 5, projection_size: 18, dtype: 'float16', cases },
};

describe.skipIf(noPython)(`qformer against transformers ${noPython ?? ''}`, () => {
  const goldens = noPython ? undefined : makeGoldens('qformer.py', specs);
  it.each(Object.keys(specs) as (keyof typeof specs)[])('%s', async (name) => {
    const golden = goldens![name];
    const graph = buildQformer(parseQformerConfig(golden.config), cpuTarget);
    const outputs = ['last_hidden_state', 'image_embeds'];
    expect(await worstError(graph, golden.weights, golden.cases, outputs)).toBeLessThan(1e-4);
  });
});
