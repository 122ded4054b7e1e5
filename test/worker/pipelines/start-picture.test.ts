import { describe, expect, it } from 'vitest';
import { coverOf, firstStep } from '../../../src/worker/pipelines/drawing/start-picture.ts';

describe('firstStep', () => {
  it.each([
    [40, 0.6, 16],
    [7, 0.6, 3],
    [7, 1, 0],
    [3, 0.01, 2],
    [1, 0.5, 0],
  ])(
    'of %i steps at strength %d is %i: as diffusers counts, and never without a step',
    (...[count, strength, first]) => {
      expect(firstStep(count, strength)).toBe(first);
    },
  );
});

describe('coverOf', () => {
  /** A picture whose red is its column and whose green is its row. */
  function picture(width: number, height: number) {
    const data = new Uint8Array(width * height * 3);
    for (let at = 0; at < width * height; at += 1) {
      data.set([at % width, Math.floor(at / width), 255], 3 * at);
    }
    return { width, height, data };
  }

  it('keeps the middle of a wide picture, from -1 to 1', () => {
    const { dims, data } = coverOf(picture(9, 3), 3, 3);
    expect(dims).toEqual([1, 3, 3, 3]);
    const colours = Array.from(data, (value) => Math.round((value + 1) * 127.5));
    expect(colours.slice(0, 9)).toEqual([3, 4, 5, 3, 4, 5, 3, 4, 5]);
    expect(colours.slice(9, 18)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
    expect(new Set(data.slice(18))).toEqual(new Set([1]));
  });

  it('covers a size that is larger, and one of another form', () => {
    expect(coverOf(picture(4, 9), 16, 8).data).toHaveLength(3 * 16 * 8);
    expect(coverOf(picture(1, 1), 8, 16).data.every((value) => value >= -1 && value <= 1)).toBe(
      true,
    );
  });
});
