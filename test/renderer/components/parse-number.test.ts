import { expect, test } from 'vitest';
import { parseNumber } from '../../../src/renderer/components/parse-number.ts';

test.each([
  ['1,5', 1.5],
  ['1.5', 1.5],
  [' 0,05 ', 0.05],
  ['.5', 0.5],
  [',5', 0.5],
  ['2.', 2],
  ['-3', -3],
  ['1 000', 1000],
  ['', null],
  ['1,000.5', null],
  ['1.2.3', null],
  ['1e3', null],
  ['x', null],
])('%j is read as %s', (typed, number) => {
  expect(parseNumber(typed)).toBe(number);
});
