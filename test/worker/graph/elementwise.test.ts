/** Element-wise ops and reductions against JavaScript's arithmetic, all in one graph. */
import { describe, expect, it } from 'vitest';
import type { Value } from '../../../src/worker/graph/index.ts';
import {
  abs,
  add,
  and,
  cast,
  ceil,
  constant,
  cos,
  div,
  equal,
  erf,
  exp,
  finishGraph,
  floor,
  greater,
  greaterOrEqual,
  identity,
  input,
  int64s,
  less,
  lessOrEqual,
  log,
  max,
  min,
  mod,
  mul,
  neg,
  not,
  or,
  reciprocal,
  reduceMax,
  reduceMin,
  reduceProd,
  relu,
  reshapeTo,
  round,
  serialise,
  sigmoid,
  silu,
  sin,
  sqrt,
  sub,
  tanh,
  withShape,
} from '../../../src/worker/graph/index.ts';
import { DeviceTensor, Session, float32Tensor } from '../../../src/worker/runtime/index.ts';

const a = [0.3, 1.5, 2.5, 4];
const b = [0.3, -2, 3, 0.5];
const x = input('a', 'float32', ['n']);
const y = input('b', 'float32', ['n']);
const sigma = (value: number): number => 1 / (1 + Math.exp(-value));
/** Ties to even, as ONNX rounds. */
const rounded = (value: number): number =>
  Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value);
const bit = (value: boolean): number => Number(value);

/** A name, the value in the graph, and each of its elements. */
const cases: Readonly<Record<string, readonly [Value, (a: number, b: number) => number]>> = {
  add: [add(x, y), (p, q) => p + q],
  sub: [sub(x, y), (p, q) => p - q],
  mul: [mul(x, y), (p, q) => p * q],
  div: [div(x, y), (p, q) => p / q],
  min: [min(x, y), Math.min],
  max: [max(x, y), Math.max],
  mod: [mod(cast(x, 'int64'), constant(3, 'int64')), (p) => Math.trunc(p) % 3],
  equal: [equal(x, y), (p, q) => bit(p === q)],
  less: [less(x, y), (p, q) => bit(p < q)],
  lessOrEqual: [lessOrEqual(x, y), (p, q) => bit(p <= q)],
  greater: [greater(x, y), (p, q) => bit(p > q)],
  greaterOrEqual: [greaterOrEqual(x, y), (p, q) => bit(p >= q)],
  and: [and(less(x, y), greater(x, constant(1, 'float32'))), (p, q) => bit(p < q && p > 1)],
  or: [or(less(x, y), greater(x, constant(3, 'float32'))), (p, q) => bit(p < q || p > 3)],
  not: [not(less(x, y)), (p, q) => bit(!(p < q))],
  neg: [neg(y), (_, q) => -q],
  abs: [abs(y), (_, q) => Math.abs(q)],
  identity: [identity(y), (_, q) => q],
  withShape: [withShape(add(x, y), ['m']), (p, q) => p + q],
  reshapeTo: [reshapeTo(x, int64s(4), [4]), (p) => p],
  sqrt: [sqrt(x), Math.sqrt],
  exp: [exp(y), (_, q) => Math.exp(q)],
  log: [log(x), Math.log],
  sin: [sin(y), (_, q) => Math.sin(q)],
  cos: [cos(y), (_, q) => Math.cos(q)],
  tanh: [tanh(y), (_, q) => Math.tanh(q)],
  sigmoid: [sigmoid(y), (_, q) => sigma(q)],
  silu: [silu(y), (_, q) => q * sigma(q)],
  relu: [relu(y), (_, q) => Math.max(q, 0)],
  ceil: [ceil(y), (_, q) => Math.ceil(q)],
  floor: [floor(y), (_, q) => Math.floor(q)],
  round: [round(x), rounded],
  reciprocal: [reciprocal(y), (_, q) => 1 / q],
  // Phi(z) = (1 + erf(z / sqrt 2)) / 2: tables give 0.6179114, 0.9331928, 0.9937903, 0.9999683.
  erf: [
    erf(mul(x, constant(Math.SQRT1_2, 'float32'))),
    (p) => 2 * ({ 0.3: 0.6179114, 1.5: 0.9331928, 2.5: 0.9937903, 4: 0.9999683 }[p] ?? NaN) - 1,
  ],
  reduceMax: [add(reduceMax(y, [0]), mul(x, constant(0, 'float32'))), () => 3],
  reduceMin: [add(reduceMin(y, [0]), mul(x, constant(0, 'float32'))), () => -2],
  reduceProd: [add(reduceProd(y, [0]), mul(x, constant(0, 'float32'))), () => 0.3 * -2 * 3 * 0.5],
};

describe('element-wise ops', async () => {
  const outputs = Object.fromEntries(Object.entries(cases).map(([name, [value]]) => [name, value]));
  const session = await Session.open(serialise(finishGraph('g', [x, y], outputs)), {
    provider: 'cpu',
  });
  const results = await session.run({
    a: float32Tensor(Float32Array.from(a), [4]),
    b: float32Tensor(Float32Array.from(b), [4]),
  });
  await session.release();

  it.each(Object.keys(cases))('%s', (name) => {
    const result = results[name];
    if (!result || result instanceof DeviceTensor) throw new Error('no result');
    const expected = a.map((each, index) => cases[name]?.[1](each, b[index] as number) as number);
    expect(result.data).toHaveLength(4);
    Array.from(result.data as ArrayLike<number>, Number).forEach((value, index) =>
      expect(value).toBeCloseTo(expected[index] as number, 5),
    );
  });
});
