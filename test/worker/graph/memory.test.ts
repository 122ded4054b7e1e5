import { describe, expect, it } from 'vitest';
import { evaluateDim } from '../../../src/worker/graph/evaluate-dim.ts';
import {
  add,
  finishGraph,
  floorDivDim,
  input,
  mulDims,
  parameter,
  parameterBytes,
  relu,
  reshape,
  subDims,
  workingBytes,
} from '../../../src/worker/graph/index.ts';

const sizes = { height: 5, width: 7 };

describe('a dimension as a number', () => {
  it.each([
    [12, 12],
    ['height', 5],
    ['4*height+1', 21],
    [subDims('height', 2), 3],
    [subDims('width', 'height'), 2],
    [subDims(0, 'height'), -5],
    [mulDims('height', 'width'), 35],
    [mulDims('height+1', 'width+2'), 54],
    [floorDivDim('height', 2), 2],
    [floorDivDim(mulDims(3, 'height+1'), 4), 4],
  ])('%s is %i', (dim, expected) => {
    expect(evaluateDim(dim, sizes)).toBe(expected);
  });

  it('names the symbol that has no size', () => {
    expect(() => evaluateDim('2*batch+1', sizes)).toThrow(
      'the size of "batch" in the dimension 2*batch+1 is not known',
    );
  });
});

describe('what a graph takes', () => {
  it('counts a parameter once, in the type that it is computed with', () => {
    const x = input('x', 'float32', [2, 3]);
    const twice = add(add(x, parameter('w', [2, 3])), parameter('w', [2, 3]));
    expect(parameterBytes(finishGraph('g', [x], { twice }))).toBe(24);
  });

  it('holds a value until the last op that reads it', () => {
    const x = input('x', 'float32', ['height', 10]);
    // a is read by b and again at the end: at that moment a, c and the sum are there, b is gone.
    const a = relu(x);
    const b = relu(a);
    const c = relu(b);
    const graph = finishGraph('g', [x], { y: add(a, c) });
    expect(workingBytes(graph, sizes)).toBe(3 * 5 * 10 * 4);
    const chain = finishGraph('g', [x], { y: relu(relu(relu(relu(x)))) });
    expect(workingBytes(chain, sizes)).toBe(2 * 5 * 10 * 4);
  });

  it('copies nothing for another shape, and holds what is seen through it', () => {
    const x = input('x', 'float32', [4, 10]);
    const a = relu(x);
    const seen = reshape(a, [40]);
    const graph = finishGraph('g', [x], { y: relu(seen) });
    expect(workingBytes(graph, sizes)).toBe(2 * 40 * 4);
  });
});
