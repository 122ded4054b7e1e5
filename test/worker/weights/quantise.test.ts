/** Block quantisation: layout, exactness where it must be exact, and how far off it is elsewhere. */
import { describe, expect, it } from 'vitest';
import { dequantiseMatrix, quantiseMatrix } from '../../../src/worker/weights/index.ts';

/** Bell-shaped numbers, the same each time. */
function bell(count: number): Float32Array {
  let state = 7;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const one = (): number =>
    Math.sqrt(-2 * Math.log(uniform() + 1e-9)) * Math.cos(2 * Math.PI * uniform());
  return Float32Array.from({ length: count }, () => 0.02 * one());
}

function rootMeanSquareRatio(actual: Float32Array, expected: Float32Array): number {
  const square = (sum: number, value: number): number => sum + value * value;
  const difference = actual.map((value, index) => value - (expected[index] as number));
  return Math.sqrt(difference.reduce(square, 0) / expected.reduce(square, 0));
}

describe('quantiseMatrix', () => {
  it('puts the first of two 4-bit numbers into the low half of a byte, blocks behind each other', () => {
    const row = Float32Array.from({ length: 20 }, (_, index) => index % 16);
    const { quantised, scales, zeros } = quantiseMatrix(row, 1, 20, 4, 16);
    expect([...quantised.slice(0, 3)]).toEqual([0x10, 0x32, 0x54]);
    expect(scales[0]).toBe(0x3c00); // 1 in half precision
    expect(quantised).toHaveLength(16); // two blocks, the second filled up
    expect(zeros).toHaveLength(1);
  });

  it('keeps zero exact, whole blocks of it too', () => {
    const weights = bell(128);
    weights[3] = 0;
    weights.fill(0, 32, 64);
    const back = dequantiseMatrix(quantiseMatrix(weights, 2, 64, 4, 32));
    expect(back[3]).toBe(0);
    expect([...back.slice(32, 64)].every((value) => value === 0)).toBe(true);
  });

  it.each([
    [4, 0.09],
    [8, 0.006],
  ] as const)('with %i bits is off by less than %d of bell-shaped weights', (bits, limit) => {
    const weights = bell(64 * 96);
    const error = rootMeanSquareRatio(
      dequantiseMatrix(quantiseMatrix(weights, 64, 96, bits, 32)),
      weights,
    );
    expect(error).toBeLessThan(limit);
    expect(error).toBeGreaterThan(limit / 3);
  });

  it('holds blocks that lie on one side of zero', () => {
    const weights = Float32Array.from({ length: 64 }, (_, index) => 5 + index / 64);
    const back = dequantiseMatrix(quantiseMatrix(weights, 1, 64, 8, 32));
    expect(rootMeanSquareRatio(back, weights)).toBeLessThan(0.01);
  });
});
