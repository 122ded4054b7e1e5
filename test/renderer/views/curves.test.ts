import { expect, it } from 'vitest';
import {
  nearest,
  pointsOf,
  rangeOf,
  smoothed,
} from '../../../src/renderer/views/training/curves.ts';

it('leaves out what was not measured, and finds what all lie in', () => {
  const points = pointsOf({ steps: [1, 2, 3, 4], values: [4, null, 1, 2] });
  expect(points.map(({ step }) => step)).toEqual([1, 3, 4]);
  expect(rangeOf(points)).toEqual({ first: 1, last: 4, low: 1, high: 4 });
});

it('smooths without a pull to zero: a line that is level stays where it is, from its first point on', () => {
  const level = Array.from({ length: 30 }, (_, step) => ({ step, value: 3 }));
  for (const { value } of smoothed(level)) expect(value).toBeCloseTo(3, 12);
  const jump = smoothed([...level, { step: 30, value: 13 }]).at(-1)!.value;
  expect(jump).toBeGreaterThan(3.9);
  expect(jump).toBeLessThan(4.2);
});

it('finds the point that is nearest', () => {
  const points = [1, 5, 9].map((step) => ({ step, value: 0 }));
  expect([0, 3.1, 6, 100].map((step) => nearest(points, step))).toEqual([0, 1, 1, 2]);
  expect(nearest([], 3)).toBe(-1);
});

it('takes thousands of points without running out of stack', () => {
  const many = Array.from({ length: 300_000 }, (_, step) => ({ step, value: step % 7 }));
  expect(rangeOf(many)).toMatchObject({ last: 299_999, high: 6 });
});
