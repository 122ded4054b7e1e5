import { describe, expect, it } from 'vitest';
import { RandomNumbers, normalNoise, uniforms } from '../../../src/worker/sampling/random.ts';
import { sampleToken } from '../../../src/worker/sampling/token-sampler.ts';

const logits = Float32Array.of(1, 3, 2, 3, -1);
const plain = { temperature: 1, topK: 0, topP: 1 };

describe('sampleToken', () => {
  it('is greedy at temperature 0, the lowest id of equal logits', () => {
    expect(sampleToken(logits, { ...plain, temperature: 0 }, 0.99)).toBe(1);
  });

  it('walks the tokens from most to least likely as the uniform number grows', () => {
    const seen = Array.from({ length: 200 }, (_, index) => sampleToken(logits, plain, index / 200));
    expect([...new Set(seen)]).toEqual([1, 3, 2, 0, 4]);
  });

  it('gives each token its softmax share', () => {
    const draws = 20_000;
    const counts = [0, 0, 0, 0, 0];
    for (let draw = 0; draw < draws; draw++) {
      counts[sampleToken(logits, plain, (draw + 0.5) / draws)]! += 1;
    }
    const exps = [...logits].map(Math.exp);
    const total = exps.reduce((sum, value) => sum + value, 0);
    exps.forEach((value, id) => expect(counts[id]! / draws).toBeCloseTo(value / total, 3));
  });

  it('keeps the top-k', () => {
    const seen = new Set(
      Array.from({ length: 100 }, (_, i) => sampleToken(logits, { ...plain, topK: 2 }, i / 100)),
    );
    expect([...seen]).toEqual([1, 3]);
  });

  it('keeps the tokens before topP is reached, and always one', () => {
    // Shares: 0.397, 0.397, 0.146, 0.054, 0.007.
    const kept = (topP: number) =>
      new Set(
        Array.from({ length: 1000 }, (_, i) => sampleToken(logits, { ...plain, topP }, i / 1000)),
      ).size;
    expect([kept(0.001), kept(0.39), kept(0.41), kept(0.85), kept(0.97), kept(1)]).toEqual([
      1, 1, 2, 3, 4, 5,
    ]);
  });

  it('sharpens with a low temperature', () => {
    expect(sampleToken(Float32Array.of(1, 1.5), { ...plain, temperature: 0.01 }, 0.999)).toBe(1);
  });
});

describe('RandomNumbers', () => {
  it('gives the pinned numbers of a seed on every machine', () => {
    const random = new RandomNumbers(42);
    const bits = Array.from({ length: 4 }, () => random.bits());
    expect(bits).toEqual(expectedBits);
  });

  it('has uniforms that float32 holds exactly and that fill [0, 1)', () => {
    const random = new RandomNumbers(7);
    const values = Array.from({ length: 50_000 }, () => random.uniform());
    expect(values.every((value) => Math.fround(value) === value && value >= 0 && value < 1)).toBe(
      true,
    );
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean).toBeCloseTo(0.5, 2);
    expect([...uniforms(new RandomNumbers(7), 3)]).toEqual(values.slice(0, 3));
  });

  it('has standard normal noise', () => {
    const noise = normalNoise(new RandomNumbers(3), 200_000);
    const moment = (power: number) =>
      noise.reduce((sum, value) => sum + value ** power, 0) / noise.length;
    expect(moment(1)).toBeCloseTo(0, 1.9);
    expect(moment(2)).toBeCloseTo(1, 1.9);
    expect(Math.abs(moment(3))).toBeLessThan(0.05);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.15);
  });

  it('tells near seeds apart, and refuses what is none', () => {
    expect(new RandomNumbers(1).bits()).not.toBe(new RandomNumbers(2).bits());
    expect(() => new RandomNumbers(-1)).toThrow(/seed/);
    expect(() => new RandomNumbers(1.5)).toThrow(/seed/);
  });
});

/** Worked out by an independent implementation in Python of SplitMix32 and xoshiro128** 1.1. */
const expectedBits = [660444221, 3652823732, 77672526, 910233633];
