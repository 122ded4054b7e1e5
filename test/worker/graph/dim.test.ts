/** Arithmetic over symbolic dimensions. */
import { describe, expect, it } from 'vitest';
import {
  addDims,
  canonicalDim,
  floorDivDim,
  mulDims,
  subDims,
} from '../../../src/worker/graph/index.ts';

describe('dimensions', () => {
  it('have one form, however they come about', () => {
    expect(addDims('past', 'length')).toBe('length+past');
    expect(addDims('length', 'past')).toBe('length+past');
    expect(canonicalDim('past+length')).toBe('length+past');
    expect(canonicalDim('2*h+3')).toBe(addDims(addDims('h', 3), 'h'));
    expect(subDims(addDims('past', 4), 'past')).toBe(4);
    expect(mulDims('length', 'batch')).toBe(mulDims('batch', 'length'));
    expect(mulDims('2*a', '3*b')).toBe('6*a*b');
  });

  it('divide exactly where they can, and stay a division where they cannot', () => {
    expect(floorDivDim(17, 2)).toBe(8);
    expect(floorDivDim('8*h', 2)).toBe('4*h');
    expect(floorDivDim(addDims('8*h', -1), 2)).toBe('4*h-1');
    expect(floorDivDim('h', 2)).toBe('floor((h)/2)');
    expect(addDims(floorDivDim('h', 2), floorDivDim('h', 2))).toBe('2*floor((h)/2)');
    expect(floorDivDim(mulDims(6, mulDims('a', 'b')), 3)).toBe('2*a*b');
  });

  it('keep what is not linear apart', () => {
    expect(mulDims(addDims('a', 1), 'b')).toBe('(a+1)*(b)');
    expect(subDims(mulDims(addDims('a', 1), 'b'), mulDims('b', addDims('a', 1)))).toBe(0);
  });
});
