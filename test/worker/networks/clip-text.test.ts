import { describe, expect, it } from 'vitest';
import { buildClipText } from '../../../src/worker/networks/clip-text/build.ts';
import { parseClipTextConfig } from '../../../src/worker/networks/clip-text/config.ts';
import { adaptClipTextWeights } from '../../../src/worker/networks/clip-text/weights.ts';
import { renamed } from '../../../src/worker/weights/index.ts';
import { cpuTarget } from '../../../src/worker/networks/target.ts';
import { noPython } from '../../golden/run-python.ts';
import { makeGoldens, worstError } from './golden-network.ts';

const small = {
  hidden_size: 24,
  intermediate_size: 40,
  num_hidden_layers: 3,
  num_attention_heads: 3,
  vocab_size: 99,
  projection_dim: 17,
  max_position_embeddings: 11,
  bos_token_id: 97,
  eos_token_id: 98,
  pad_token_id: 98,
};
const cases = [
  { input_ids: [[97, 1, 2, 98, 98, 98, 98, 98, 98, 98, 98]] },
  // The end at different places, padding with another id, and shorter than the positions.
  {
    input_ids: [
      [97, 5, 98, 0, 0],
      [97, 5, 6, 7, 98],
    ],
  },
];
const highestFirst = [{ input_ids: [[97, 5, 98, 2, 98]] }, ...cases];
const specs = {
  plain: { config: small, cases },
  projected: { config: small, projection: true, cases },
  gelu: { config: { ...small, hidden_act: 'gelu', num_hidden_layers: 2 }, projection: true, cases },
  'one layer': { config: { ...small, num_hidden_layers: 1 }, cases },
  'end of text 2': { config: { ...small, eos_token_id: 2 }, projection: true, cases: highestFirst },
  half: { config: small, dtype: 'float16', projection: true, cases },
};

describe.skipIf(noPython)(`clip-text against transformers ${noPython ?? ''}`, () => {
  const goldens = noPython ? undefined : makeGoldens('clip_text.py', specs);
  it.each(Object.keys(specs) as (keyof typeof specs)[])('%s', async (name) => {
    const golden = goldens![name];
    const graph = buildClipText(parseClipTextConfig(golden.config), cpuTarget);
    const weights = adaptClipTextWeights(golden.weights);
    const outputs = ['hidden_states', 'pooled'];
    expect(await worstError(graph, weights, golden.cases, outputs)).toBeLessThan(1e-4);
  });

  it('reads the names that transformers 4 gave the plain model', async () => {
    const golden = goldens!.plain;
    const old = renamed(
      golden.weights,
      (name) => name.replace('text_model.', ''),
      (name) => `text_model.${name}`,
    );
    const graph = buildClipText(parseClipTextConfig(golden.config), cpuTarget);
    const weights = adaptClipTextWeights(old);
    const first = golden.cases.slice(0, 1);
    expect(await worstError(graph, weights, first, ['pooled'])).toBeLessThan(1e-4);
  });
});
