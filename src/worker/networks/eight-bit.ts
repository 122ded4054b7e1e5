/** Products of signed 8-bit weights, which processors with VNNI or AMX do several times as fast as any other. */
import type { DataType, Value } from '../graph/index.ts';
import {
  abs,
  cast,
  constant,
  div,
  matMulIntegerToFloat,
  max,
  mul,
  parameter,
  quantizeLinear,
  reduceMax,
} from '../graph/index.ts';

/** What is added to the name of a weight that was folded to 8 bits; see `weights/eight-bit.ts`. */
export const eightBitNames = { weights: '.s8', scales: '.s8scales' } as const;

/** A folded matrix. */
export interface EightBitWeights {
  /** int8 [inputs, outputs] */
  readonly values: Value;
  /** float32 [outputs]: what the values of an output feature are multiplied by. */
  readonly scales: Value;
}

/** The matrix `name` [n, k] as it was folded. */
export function eightBitWeights(name: string, n: number, k: number): EightBitWeights {
  return {
    values: parameter(name + eightBitNames.weights, [k, n], 'int8'),
    scales: parameter(name + eightBitNames.scales, [n], 'float32'),
  };
}

/** Zero among the unsigned numbers that a row of activations is rounded to. */
const activationZero = 128;
/** The largest magnitude that a row is stretched to. */
const activationTop = 127;

/**
 * Products of 8-bit numbers, float32 x [..., k] -> [..., n]: each row of x gets a scale of its own, so that one token's
 * outliers cost no other token its accuracy; each output feature of the weight has one too.
 *
 *  x -+- |x| -- max of each row -- / 127 -- scale -+
 *     |                                            |
 *     +--------------- divide by -- round -- product with int8 weights -- times scale
 */
export function eightBitProduct(x: Value, { values, scales }: EightBitWeights): Value {
  const largest = max(reduceMax(abs(x), [-1]), constant(1e-30, 'float32'));
  const scale = mul(largest, constant(1 / activationTop, 'float32'));
  const [one, zero] = [constant(1, 'float32'), constant(activationZero, 'uint8')];
  const rounded = quantizeLinear(div(x, scale), one, zero);
  return mul(matMulIntegerToFloat(rounded, values, one, scales, zero), scale);
}

/** The numbers [k, n] that folded weights stand for: the runtime works them out once, when it loads. */
export function widened({ values, scales }: EightBitWeights, dtype: DataType): Value {
  return mul(cast(values, dtype), cast(scales, dtype));
}
