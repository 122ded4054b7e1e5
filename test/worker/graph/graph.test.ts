/** Graphs as data: shapes, names, dead code, bodies, printing, errors. */
import { describe, expect, it } from 'vitest';
import {
  GraphError,
  add,
  compareWeights,
  concat,
  constant,
  conv,
  countNodes,
  expand,
  finishGraph,
  gather,
  gemm,
  groupNormalization,
  ifElse,
  input,
  int64s,
  labelled,
  loop,
  matMul,
  mul,
  multiHeadAttention,
  neg,
  parameter,
  printGraph,
  reshape,
  serialise,
  slice,
  softmax,
  split,
  squeeze,
  transpose,
  unsqueeze,
  where,
} from '../../../src/worker/graph/index.ts';
import type { Value } from '../../../src/worker/graph/index.ts';
import { matched } from '../../../src/worker/graph/value.ts';

const x = input('x', 'float32', ['batch', 'length', 6]);

describe('shapes', () => {
  it.each<readonly [string, () => Value, readonly (number | string)[]]>([
    ['broadcast', () => add(x, constant([1, 2, 3, 4, 5, 6], 'float32')), ['batch', 'length', 6]],
    ['product', () => matMul(x, parameter('w', [6, 4])), ['batch', 'length', 4]],
    ['rows', () => reshape(x, [-1, 6]), ['batch*length', 6]],
    ['heads', () => reshape(x, ['batch', 'length', 3, 2]), ['batch', 'length', 3, 2]],
    [
      'merged heads',
      () => reshape(reshape(x, ['batch', 'length', 3, 2]), ['batch', 'length', -1]),
      ['batch', 'length', 6],
    ],
    ['transpose', () => transpose(x, [1, 0, 2]), ['length', 'batch', 6]],
    [
      'concat',
      () => concat([x, x, input('y', 'float32', ['batch', 2, 6])], 1),
      ['batch', '2*length+2', 6],
    ],
    ['slice from the back', () => slice(x, 1, -1), ['batch', 1, 6]],
    ['slice without ends', () => slice(x, 1, 2, -1), ['batch', 'length-3', 6]],
    ['gather', () => gather(x, constant([0, 1, 2], 'int64'), 2), ['batch', 'length', 3]],
    ['unsqueeze', () => unsqueeze(x, 0, -1), [1, 'batch', 'length', 6, 1]],
    ['squeeze', () => squeeze(slice(x, 1, 0, 1) && unsqueeze(x, 0), 0), ['batch', 'length', 6]],
    ['expand', () => expand(slice(x, 2, 0, 1), ['batch', 'length', 9]), ['batch', 'length', 9]],
    [
      'picture halved',
      () =>
        conv(
          input('p', 'float32', [1, 3, '8*height', 17]),
          parameter('w', [5, 3, 3, 3]),
          undefined,
          { strides: 2, pads: 1 },
        ),
      [1, 5, '4*height', 9],
    ],
  ])('%s', (_name, make, shape) => {
    expect(make().shape).toEqual(shape);
  });

  it.each<readonly [string, () => unknown, string]>([
    [
      'sizes',
      () => add(x, constant([1, 2], 'float32')),
      'Add: shapes [batch, length, 6] and [2] do not broadcast',
    ],
    [
      'symbols',
      () => add(x, input('y', 'float32', ['batch', 'other', 6])),
      '[batch, other, 6] do not broadcast',
    ],
    [
      'types',
      () => add(x, constant([1], 'int64')),
      'Add: types differ, float32[batch, length, 6] and int64[1]',
    ],
    ['inner sizes', () => matMul(x, parameter('w', [5, 4])), 'MatMul: inner dimensions differ'],
    [
      'gemm',
      () => gemm(reshape(x, [-1, 6]), parameter('w', [6, 4]), undefined, { transB: true }),
      'Gemm: inner dimensions',
    ],
    [
      'reshape',
      () => reshape(constant([1, 2, 3], 'float32'), [2, 2]),
      'Reshape: float32[3] does not fit [2, 2]',
    ],
    ['axis', () => softmax(x, 3), 'Softmax: axis 3 is outside 3 dimensions'],
    ['split', () => split(x, [2, 3], 2), 'Split: sizes [2, 3] do not make up axis 2'],
    [
      'channels',
      () => conv(input('p', 'float32', [1, 3, 8, 8]), parameter('w', [5, 4, 3, 3])),
      'Conv: channels differ',
    ],
    [
      'groups',
      () =>
        groupNormalization(
          input('p', 'float32', [1, 5, 4]),
          parameter('a', [5]),
          parameter('b', [5]),
          2,
          1e-5,
        ),
      '2 groups do not divide',
    ],
    ['heads', () => multiHeadAttention(x, x, x, 4), '4 heads do not divide'],
    ['condition', () => where(x, x, x), 'Where: needs bool, got float32'],
    ['squeeze', () => squeeze(x, 0), 'Squeeze: axis 0 of float32[batch, length, 6] is not 1'],
    ['permutation', () => transpose(x, [0, 0, 1]), 'does not permute'],
    ['constant', () => constant([1, 2, 3], 'float32', [2]), 'needs 8 bytes, got 12'],
  ])('refuses %s that do not fit', (_name, make, message) => {
    expect(make).toThrow(GraphError);
    expect(make).toThrow(message);
  });
});

describe('finishGraph', () => {
  it('drops what no output reaches and shares equal constants and parameters', () => {
    neg(x);
    const weight = (): Value => parameter('w', [6]);
    const graph = finishGraph('g', [x], {
      y: add(mul(x, weight()), mul(x, weight())),
      z: add(x, constant(1, 'float32')),
      u: add(x, constant(1, 'float32')),
    });
    expect(countNodes(graph)).toBe(5);
    expect(graph.parameters).toHaveLength(1);
    expect(graph.constants).toHaveLength(1);
  });

  it('prints what it is', () => {
    const y = labelled('block', () => softmax(matMul(x, parameter('w', [6, 2])), -1));
    expect(printGraph(finishGraph('g', [x], { y, same: y }))).toBe(
      [
        'g(x: float32[batch, length, 6])',
        '  parameter w: float32[6, 2]',
        '  block/MatMul: float32[batch, length, 2] = MatMul(x, w)',
        '  y: float32[batch, length, 2] = Softmax(block/MatMul) {axis=-1}',
        '  same: float32[batch, length, 2] = Identity(y)',
        '  -> y: float32[batch, length, 2], same: float32[batch, length, 2]',
        '',
      ].join('\n'),
    );
  });

  it('refuses an input that is not listed, and what is listed but is not an input', () => {
    expect(() => finishGraph('g', [], { y: neg(x) })).toThrow('input "x" is used but is not among');
    expect(() => finishGraph('g', [x, neg(x)], { y: x })).toThrow('a listed input is not one');
  });
});

describe('bodies', () => {
  it('keep their values to themselves', () => {
    let inside: Value | undefined;
    const [branch] = ifElse(
      input('c', 'bool', []),
      () => [(inside = neg(x))],
      () => [x],
    );
    expect(branch?.shape).toEqual(x.shape);
    expect(() => neg(inside as Value)).toThrow('was made inside If then and is used outside it');
  });

  it('must carry what they were given', () => {
    const options = {
      maxTrips: input('n', 'int64', []),
      keepGoing: constant(1, 'bool'),
      trips: 'n',
    };
    const carried = [{ initial: x }] as const;
    const keepGoing = constant(1, 'bool');
    expect(() =>
      loop({ ...options, carried }, () => ({ keepGoing, carried: [], collected: [] })),
    ).toThrow('1 values carried in, 0 out');
    expect(() =>
      loop({ ...options, carried }, (_, [state]) => ({
        keepGoing,
        carried: [slice(state, 1, 1)],
        collected: [],
      })),
    ).toThrow('goes in as float32[batch, length, 6] and out as float32[batch, length-1, 6]');
  });
});

describe('serialise', () => {
  const stored = {
    dtype: 'float32',
    shape: [6, 2],
    location: { kind: 'bytes', bytes: new Uint8Array(48) },
  } as const;
  const graph = finishGraph('g', [x], { y: matMul(x, parameter('w', [6, 2])) });

  it('names missing tensors, wrong shapes and wrong lengths', () => {
    const source = (tensor: object) => ({
      find: () => tensor as typeof stored,
      names: () => ['w', 'v'],
    });
    expect(() => serialise(graph)).toThrow('the checkpoint lacks tensor "w" (graph "g")');
    expect(() => serialise(graph, source({ ...stored, shape: [2, 6] }))).toThrow(
      'tensor "w" has shape [2, 6] in the checkpoint, the network needs [6, 2]',
    );
    expect(() => serialise(graph, source({ ...stored, dtype: 'float16' }))).toThrow(
      'tensor "w" has 48 bytes, its shape and type need 24',
    );
    expect(compareWeights(graph, source(stored))).toEqual({ missing: [], unused: ['v'] });
  });

  it('is the same for the same graph', () => {
    const again = finishGraph('g', [x], { y: matMul(x, parameter('w', [6, 2])) });
    const source = { find: () => stored, names: () => ['w'] };
    expect(serialise(again, source)).toEqual(serialise(graph, source));
  });

  it('gives int64 constants their full range', () => {
    const bytes = int64s(Number.MAX_SAFE_INTEGER, -1).source;
    expect(bytes.kind === 'constant' && new BigInt64Array(bytes.bytes.slice().buffer)).toEqual(
      BigInt64Array.of(BigInt(Number.MAX_SAFE_INTEGER), -1n),
    );
  });
});

describe('values as many as asked for', () => {
  it('are a tuple as long as the list, held to it', () => {
    const x = input('x', 'float32', [2, 5]);
    const [left, right] = split(x, [2, 3], 1);
    expect([left.shape, right.shape]).toEqual([
      [2, 2],
      [2, 3],
    ]);
    expect(() => matched('Split', [x], [2, 3])).toThrow('Split: 1 values for 2');
  });
});
