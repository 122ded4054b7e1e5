/** Element by element: arithmetic, comparison, activation functions, casts. */
import type { DataType } from '../data-type.ts';
import { onnxCode } from '../data-type.ts';
import { broadcast, floating, ofType, sameType } from '../check.ts';
import type { Value } from '../value.ts';
import { attribute, contrib, makeValue } from '../value.ts';

type Binary = (a: Value, b: Value) => Value;
type Unary = (x: Value) => Value;

function arithmetic(op: string): Binary {
  return (a, b) =>
    makeValue(op, [a, b], { dtype: sameType(op, a, b), shape: broadcast(op, a.shape, b.shape) });
}

function comparison(op: string): Binary {
  return (a, b) => {
    sameType(op, a, b);
    return makeValue(op, [a, b], { dtype: 'bool', shape: broadcast(op, a.shape, b.shape) });
  };
}

function logic(op: string): Binary {
  return (a, b) => {
    ofType(op, a, 'bool');
    ofType(op, b, 'bool');
    return makeValue(op, [a, b], { dtype: 'bool', shape: broadcast(op, a.shape, b.shape) });
  };
}

function unary(op: string, domain = ''): Unary {
  return (x) => makeValue(op, [x], { dtype: x.dtype, shape: x.shape }, {}, domain);
}

function floatUnary(op: string, domain = ''): Unary {
  return (x) => makeValue(op, [x], { dtype: floating(op, x), shape: x.shape }, {}, domain);
}

export const add = arithmetic('Add');
export const sub = arithmetic('Sub');
export const mul = arithmetic('Mul');
export const div = arithmetic('Div');
export const pow = arithmetic('Pow');
export const mod = arithmetic('Mod');
export const min = arithmetic('Min');
export const max = arithmetic('Max');

export const equal = comparison('Equal');
export const less = comparison('Less');
export const lessOrEqual = comparison('LessOrEqual');
export const greater = comparison('Greater');
export const greaterOrEqual = comparison('GreaterOrEqual');

export const and = logic('And');
export const or = logic('Or');

export const neg = unary('Neg');
export const abs = unary('Abs');
export const identity = unary('Identity');

export const sqrt = floatUnary('Sqrt');
export const exp = floatUnary('Exp');
export const log = floatUnary('Log');
export const sin = floatUnary('Sin');
export const cos = floatUnary('Cos');
export const tanh = floatUnary('Tanh');
export const sigmoid = floatUnary('Sigmoid');
export const relu = floatUnary('Relu');
export const erf = floatUnary('Erf');
export const ceil = floatUnary('Ceil');
export const floor = floatUnary('Floor');
export const round = floatUnary('Round');
export const reciprocal = floatUnary('Reciprocal');

/** ONNX Not, for bool. */
export function not(x: Value): Value {
  ofType('Not', x, 'bool');
  return makeValue('Not', [x], { dtype: 'bool', shape: x.shape });
}

/** ONNX Gelu (opset 20): exact through erf, or the tanh approximation. */
export function gelu(x: Value, approximate: 'none' | 'tanh' = 'none'): Value {
  const output = { dtype: floating('Gelu', x), shape: x.shape };
  return makeValue('Gelu', [x], output, { approximate: attribute.string(approximate) });
}

/** x * sigmoid(alpha * x) in one kernel: alpha 1 is SiLU, alpha 1.702 is CLIP's quick GELU. */
export function quickGelu(x: Value, alpha: number): Value {
  const output = { dtype: floating('QuickGelu', x), shape: x.shape };
  return makeValue('QuickGelu', [x], output, { alpha: attribute.float(alpha) }, contrib);
}

/** x * sigmoid(x), also called swish. */
export function silu(x: Value): Value {
  return quickGelu(x, 1);
}

/** ONNX Cast; nothing is made when the type is right already. */
export function cast(x: Value, dtype: DataType): Value {
  if (x.dtype === dtype) return x;
  return makeValue('Cast', [x], { dtype, shape: x.shape }, { to: attribute.int(onnxCode(dtype)) });
}

/** ONNX Where: `condition ? a : b`, broadcast. */
export function where(condition: Value, a: Value, b: Value): Value {
  ofType('Where', condition, 'bool');
  const shape = broadcast('Where', condition.shape, broadcast('Where', a.shape, b.shape));
  return makeValue('Where', [condition, a, b], { dtype: sameType('Where', a, b), shape });
}

/** ONNX Clip with scalar bounds, either of which may be left out. */
export function clip(x: Value, low?: Value, high?: Value): Value {
  return makeValue('Clip', [x, low, high], { dtype: x.dtype, shape: x.shape });
}
