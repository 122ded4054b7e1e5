import { describe, expect, it } from 'vitest';
import { buildVit } from '../../../src/worker/networks/vit/build.ts';
import { parseVitConfig } from '../../../src/worker/networks/vit/config.ts';
import { adaptVitWeights } from '../../../src/worker/networks/vit/weights.ts';
import { cpuTarget } from '../../../src/worker/networks/target.ts';
import { noPython } from '../../golden/run-python.ts';
import { makeGoldens, worstError } from './golden-network.ts';

const small = {
  hidden_size: 24,
  intermediate_size: 40,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  image_size: 20,
  patch_size: 5,
};
const cases = [{ batch: 1 }, { batch: 2 }];
const specs = {
  small: { config: small, cases },
  // 23 pixels are not a whole number of patches of 4: the rest is left out.
  odd: {
    config: { ...small, hidden_size: 30, image_size: 23, patch_size: 4, num_attention_heads: 5 },
    cases,
  },
  'no-qkv-bias': { config: { ...small, qkv_bias: false, layer_norm_eps: 1e-3 }, cases },
  'quick-gelu': { config: { ...small, hidden_act: 'quick_gelu' }, cases },
  half: { config: small, dtype: 'float16', cases },
};

describe.skipIf(noPython)(`vit against transformers ${noPython ?? ''}`, () => {
  const goldens = noPython ? undefined : makeGoldens('vit.py', specs);
  it.each(Object.keys(specs) as (keyof typeof specs)[])('%s', async (name) => {
    const golden = goldens![name];
    const graph = buildVit(parseVitConfig(golden.config), cpuTarget);
    const weights = adaptVitWeights(golden.weights);
    const outputs = ['last_hidden_state'];
    expect(await worstError(graph, weights, golden.cases, outputs)).toBeLessThan(1e-4);
  });
});
