/** Sampling in the graph against plain code, over a vocabulary larger than the candidates looked at first. */
import { describe, expect, it } from 'vitest';
import { finishGraph, input, serialise } from '../../../../src/worker/graph/index.ts';
import { sample } from '../../../../src/worker/networks/llama/sample.ts';
import {
  Session,
  float32Tensor,
  hostOutput,
  int64Tensor,
} from '../../../../src/worker/runtime/index.ts';
import type { PlainSampling } from './sampling.ts';
import { samplePlainly } from './sampling.ts';

const vocabulary = 3001;

async function open(): Promise<Session> {
  const logits = input('logits', 'float32', [1, vocabulary]);
  const controls = {
    temperature: input('temperature', 'float32', []),
    topK: input('topK', 'int64', []),
    topP: input('topP', 'float32', []),
    uniform: input('uniform', 'float32', []),
  };
  const token = sample(logits, controls);
  const graph = finishGraph('sample', [logits, ...Object.values(controls)], { token });
  return Session.open(serialise(graph), { provider: 'cpu' });
}

/** Logits in no order, spread over `width`. */
function spread(width: number): Float32Array {
  return Float32Array.from(
    { length: vocabulary },
    (_, id) => (((id * 1201) % vocabulary) / vocabulary) * width,
  );
}

describe('sample', () => {
  const samplings: readonly PlainSampling[] = [
    { temperature: 1, topK: 0, topP: 1 },
    { temperature: 1, topK: 0, topP: 0.9 },
    { temperature: 2, topK: 2000, topP: 0.7 },
    { temperature: 0.5, topK: 7, topP: 0.99 },
    { temperature: 0, topK: 0, topP: 1 },
  ];

  // Width 0.5 is nearly flat: 1,024 candidates hold a third of the probability. Width 30 is peaked.
  it.each(samplings.flatMap((sampling) => [0.5, 4, 30].map((width) => [sampling, width] as const)))(
    'chooses as plain code does: %j, logits spread over %d',
    async (sampling, width) => {
      const session = await open();
      const logits = spread(width);
      const chosen: number[] = [];
      const expected: number[] = [];
      for (let step = 0; step < 16; step += 1) {
        const uniform = (step + 0.37) / 16;
        const outputs = await session.run({
          logits: float32Tensor(logits, [1, vocabulary]),
          temperature: float32Tensor(Float32Array.of(sampling.temperature), []),
          topK: int64Tensor([sampling.topK], []),
          topP: float32Tensor(Float32Array.of(sampling.topP), []),
          uniform: float32Tensor(Float32Array.of(uniform), []),
        });
        chosen.push(Number(hostOutput(outputs, 'token', 'int64').data[0]));
        expected.push(samplePlainly(logits, sampling, uniform));
      }
      await session.release();
      // Sums in single precision may fall on the other side of a border between two neighbours.
      const ranks = (ids: number[]): number[] => ids.map((id) => (id * 1201) % vocabulary);
      const far = ranks(chosen).filter(
        (rank, step) => Math.abs(rank - (ranks(expected)[step] as number)) > 1,
      );
      expect(far).toEqual([]);
      expect(chosen.filter((id, step) => id !== expected[step]).length).toBeLessThanOrEqual(1);
    },
  );
});
