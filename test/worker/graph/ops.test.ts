/** Ops through the runtime: what they compute, and that the shape inferred is the shape that comes. */
import { describe, expect, it } from 'vitest';
import type { Value } from '../../../src/worker/graph/index.ts';
import {
  argMax,
  cast,
  clip,
  concat,
  constant,
  conv,
  cumSum,
  expandTo,
  filled,
  finishGraph,
  fusedMatMul,
  gather,
  gatherND,
  gelu,
  gemm,
  greater,
  groupNormalization,
  ifElse,
  input,
  instanceNormalization,
  int64s,
  layerNormalization,
  loop,
  matMul,
  matMulIntegerToFloat,
  mul,
  multiHeadAttention,
  pad,
  pow,
  quantizeLinear,
  quickGelu,
  range,
  reduceMean,
  reduceSum,
  reshape,
  resizeNearest,
  resizeNearestTo,
  serialise,
  shapeOf,
  simplifiedLayerNormalization,
  skipLayerNormalization,
  skipSimplifiedLayerNormalization,
  slice,
  sliceBetween,
  softmax,
  split,
  splitBy,
  sub,
  tile,
  topK,
  transpose,
  where,
} from '../../../src/worker/graph/index.ts';
import { DeviceTensor, Session, float32Tensor } from '../../../src/worker/runtime/index.ts';

const numbers = (...values: number[]): Value => constant(values, 'float32');
const matrix = (rows: number[][]): Value =>
  constant(rows.flat(), 'float32', [rows.length, rows[0]?.length ?? 0]);
const x = input('x', 'float32', ['n', 3]);
const fed = [1, 2, 3, 4, 5, 6];

async function compute(
  y: Value,
): Promise<{ readonly dims: readonly number[]; readonly data: readonly number[] }> {
  const session = await Session.open(serialise(finishGraph('g', [x], { y })), { provider: 'cpu' });
  const { y: result } = await session.run({ x: float32Tensor(Float32Array.from(fed), [2, 3]) });
  await session.release();
  if (!result || result instanceof DeviceTensor) throw new Error('no result');
  return { dims: result.dims, data: Array.from(result.data as ArrayLike<number>, Number) };
}

const unit = (values: number[]): number[] => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return values.map((value) => (value - mean) / Math.sqrt(variance + 1e-5));
};
const rms = (values: number[]): number[] => {
  const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
  return values.map((value) => value / Math.sqrt(square + 1e-5));
};
const three = numbers(1, 1, 1);
const none = numbers(0, 0, 0);
const image = (): Value => reshape(x, ['n', 3, 1, 1]);

const cases: readonly (readonly [string, () => Value, readonly number[], readonly number[]])[] = [
  [
    'Sub, Mul, Pow',
    () => pow(mul(sub(x, numbers(1)), numbers(2)), numbers(2)),
    [2, 3],
    [0, 4, 16, 36, 64, 100],
  ],
  [
    'Cast and Clip',
    () => cast(clip(x, constant(2, 'float32'), constant(4.6, 'float32')), 'int32'),
    [2, 3],
    [2, 2, 3, 4, 4, 4],
  ],
  ['Where', () => where(greater(x, numbers(3)), x, numbers(0)), [2, 3], [0, 0, 0, 4, 5, 6]],
  ['Gelu', () => gelu(slice(x, 0, 0, 1)), [1, 3], [0.8413447, 1.9544997, 2.9959502]],
  ['QuickGelu', () => quickGelu(slice(x, 0, 0, 1), 1), [1, 3], [0.7310586, 1.7615942, 2.8577224]],
  ['MatMul', () => matMul(x, matrix([[1], [10], [100]])), [2, 1], [321, 654]],
  [
    'Gemm',
    () => gemm(x, matrix([[1, 10, 100]]), numbers(0.5), { transB: true, alpha: 2 }),
    [2, 1],
    [642.5, 1308.5],
  ],
  [
    'FusedMatMul',
    () => fusedMatMul(x, matrix([[1, 10, 100]]), { transB: true, alpha: 0.5 }),
    [2, 1],
    [160.5, 327],
  ],
  [
    'QuantizeLinear, halves to the even number and cut at the ends',
    () =>
      cast(
        quantizeLinear(
          mul(x, constant(40, 'float32')),
          constant(0.9, 'float32'),
          constant(128, 'uint8'),
        ),
        'int32',
      ),
    [2, 3],
    [172, 217, 255, 255, 255, 255],
  ],
  [
    'MatMulIntegerToFloat',
    () => {
      const [one, zero] = [constant(1, 'float32'), constant(128, 'uint8')];
      const weights = constant([1, 2, 3, 4, 5, -6], 'int8', [3, 2]);
      return matMulIntegerToFloat(
        quantizeLinear(x, one, zero),
        weights,
        one,
        numbers(1, 0.5),
        zero,
      );
    },
    [2, 2],
    [22, -4, 49, -4],
  ],
  [
    'Conv',
    () =>
      conv(reshape(x, ['n', 1, 1, 3]), constant([1, 1], 'float32', [1, 1, 1, 2]), numbers(0.5), {
        pads: [0, 1, 0, 0],
      }),
    [2, 1, 1, 3],
    [1.5, 3.5, 5.5, 4.5, 9.5, 11.5],
  ],
  [
    'Resize',
    () => resizeNearest(reshape(x, ['n', 1, 1, 3]), 2),
    [2, 1, 2, 6],
    [1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 4, 4, 5, 5, 6, 6],
  ],
  [
    'Resize to computed sizes',
    () => resizeNearestTo(reshape(x, ['n', 1, 1, 3]), int64s(2, 1, 2, 3), 2, 3),
    [2, 1, 2, 3],
    [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6],
  ],
  ['Pad', () => pad(x, [0, 1], [0, 0]), [2, 4], [0, 1, 2, 3, 0, 4, 5, 6]],
  [
    'LayerNormalization',
    () => layerNormalization(x, three, none, 1e-5),
    [2, 3],
    [...unit([1, 2, 3]), ...unit([4, 5, 6])],
  ],
  [
    'SimplifiedLayerNormalization',
    () => simplifiedLayerNormalization(x, three, 1e-5),
    [2, 3],
    [...rms([1, 2, 3]), ...rms([4, 5, 6])],
  ],
  [
    'GroupNormalization',
    () => reshape(groupNormalization(image(), three, none, 1, 1e-5), ['n', 3]),
    [2, 3],
    [...unit([1, 2, 3]), ...unit([4, 5, 6])],
  ],
  [
    'InstanceNormalization',
    () => reshape(instanceNormalization(image(), three, three, 1e-5), ['n', 3]),
    [2, 3],
    [1, 1, 1, 1, 1, 1],
  ],
  [
    'Softmax',
    () => softmax(mul(x, numbers(0)), -1),
    [2, 3],
    [1, 1, 1, 1, 1, 1].map((one) => one / 3),
  ],
  [
    'SkipLayerNormalization sum',
    () =>
      skipLayerNormalization(reshape(x, ['n', 1, 3]), reshape(x, ['n', 1, 3]), three, none, 1e-5)
        .sum,
    [2, 1, 3],
    [2, 4, 6, 8, 10, 12],
  ],
  [
    'SkipSimplifiedLayerNormalization',
    () =>
      skipSimplifiedLayerNormalization(
        reshape(x, ['n', 1, 3]),
        reshape(x, ['n', 1, 3]),
        three,
        1e-5,
      ).normalised,
    [2, 1, 3],
    [...rms([2, 4, 6]), ...rms([8, 10, 12])],
  ],
  [
    'MultiHeadAttention of one key',
    () =>
      multiHeadAttention(
        reshape(x, ['n', 1, 3]),
        reshape(x, ['n', 1, 3]),
        reshape(x, ['n', 1, 3]),
        3,
      ),
    [2, 1, 3],
    fed,
  ],
  ['Transpose', () => transpose(x, [1, 0]), [3, 2], [1, 4, 2, 5, 3, 6]],
  ['Concat', () => concat([x, x], 0), [4, 3], [...fed, ...fed]],
  ['Split', () => split(x, [1, 2], 1)[1] as Value, [2, 2], [2, 3, 5, 6]],
  [
    'Split by computed sizes',
    () => splitBy(x, int64s(2, 1), [2, 1], 1)[0] as Value,
    [2, 2],
    [1, 2, 4, 5],
  ],
  ['Slice', () => slice(x, 1, -2), [2, 2], [2, 3, 5, 6]],
  ['Slice between', () => sliceBetween(x, 1, int64s(1), int64s(2), 1), [2, 1], [2, 5]],
  ['Gather', () => gather(x, constant([2, 0], 'int64'), 1), [2, 2], [3, 1, 6, 4]],
  ['GatherND', () => gatherND(x, constant([1, 2, 0, 1], 'int64', [2, 2])), [2], [6, 2]],
  ['Tile', () => tile(slice(x, 0, 0, 1), [1, 2]), [1, 6], [1, 2, 3, 1, 2, 3]],
  ['Shape', () => shapeOf(x), [2], [2, 3]],
  [
    'Range',
    () => range(constant(1, 'int64'), constant(7, 'int64'), constant(2, 'int64'), 3),
    [3],
    [1, 3, 5],
  ],
  [
    'Expand to a computed shape',
    () => expandTo(numbers(7), shapeOf(x), ['n', 3]),
    [2, 3],
    [7, 7, 7, 7, 7, 7],
  ],
  ['filled', () => filled(2, 'float32', [1, 2]), [1, 2], [2, 2]],
  ['CumSum', () => cumSum(x, 1), [2, 3], [1, 3, 6, 4, 9, 15]],
  ['TopK', () => topK(x, int64s(2), 2).indices, [2, 2], [2, 1, 2, 1]],
  ['ReduceSum and ReduceMean', () => sub(reduceSum(x, [1]), reduceMean(x, [1])), [2, 1], [4, 10]],
  ['ArgMax', () => argMax(x, 1), [2], [2, 2]],
  [
    'Loop',
    () =>
      loop(
        {
          maxTrips: constant(3, 'int64'),
          keepGoing: constant(1, 'bool'),
          carried: [{ initial: x }],
          trips: 3,
        },
        (_, [state]) => ({
          keepGoing: constant(1, 'bool'),
          carried: [mul(state as Value, numbers(2))],
          collected: [reduceSum(state as Value, [0, 1], false)],
        }),
      ).collected[0] as Value,
    [3],
    [21, 42, 84],
  ],
  [
    'If',
    () =>
      ifElse(
        greater(reduceSum(x, [0, 1], false), constant(20, 'float32')),
        () => [mul(x, numbers(2))],
        () => [x],
      )[0] as Value,
    [2, 3],
    [2, 4, 6, 8, 10, 12],
  ],
];

describe('ops', () => {
  it.each(cases)('%s', async (_name, make, dims, data) => {
    const y = make();
    const result = await compute(y);
    expect(result.dims).toEqual(dims);
    expect(y.shape.map((dim) => (dim === 'n' ? 2 : dim === '2*n' ? 4 : dim))).toEqual(dims);
    expect(result.data).toHaveLength(data.length);
    result.data.forEach((value, index) => expect(value).toBeCloseTo(data[index] as number, 4));
  });
});
