/**
 * Values and nodes: a graph is written by calling op functions on values; nothing else is stored.
 *
 * A value knows what made it, so a graph is whatever its outputs reach. Nodes made while a loop or
 * branch body is being written belong to that body (`Scope`).
 */
import { halfFromNumber } from '../tensor/stored-tensor.ts';
import type { DataType } from './data-type.ts';
import { byteLength } from './data-type.ts';
import type { Shape } from './dim.ts';
import { canonicalDim, showShape } from './dim.ts';
import { GraphError } from './graph-error.ts';

/** The body of a loop or a branch; `undefined` stands for the main graph. */
export interface Scope {
  readonly what: string;
  readonly parent: Scope | undefined;
}

/** Where a value comes from. */
export type Source =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'parameter'; readonly name: string; readonly reshaped: boolean }
  | { readonly kind: 'constant'; readonly bytes: Uint8Array }
  | { readonly kind: 'node'; readonly node: Node; readonly index: number };

/** A tensor in the graph: its type, its shape, what makes it. */
export interface Value {
  readonly dtype: DataType;
  readonly shape: Shape;
  readonly source: Source;
  readonly scope: Scope | undefined;
}

/** A body written for Loop or If. */
export interface Body {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly scope: Scope;
}

/** An ONNX attribute, tagged because 1 may be an int or a float. */
export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'body'; readonly value: Body };

/** One operation. Inputs are made before the node, so `order` sorts a graph topologically. */
export interface Node {
  readonly order: number;
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** undefined where the op has an optional output that is left out. */
  readonly outputs: readonly (Value | undefined)[];
  readonly scope: Scope | undefined;
  readonly label: string;
}

/** The domain of ONNX Runtime's own operators. */
export const contrib = 'com.microsoft';

let nodesMade = 0;
let currentScope: Scope | undefined;
let currentLabel = '';

/** Writes `write` as a body of its own. Values made inside may not be used outside it. */
export function inScope<T>(what: string, write: (scope: Scope) => T): T {
  const outer = currentScope;
  const scope: Scope = { what, parent: outer };
  currentScope = scope;
  try {
    return write(scope);
  } finally {
    currentScope = outer;
  }
}

/** Puts `label/` in front of the names of all nodes made by `write`; for printing and profiling. */
export function labelled<T>(label: string, write: () => T): T {
  const outer = currentLabel;
  currentLabel = `${outer}${label}/`;
  try {
    return write();
  } finally {
    currentLabel = outer;
  }
}

/** An input of the graph being written (or, within a body, of that body). */
export function input(name: string, dtype: DataType, shape: Shape): Value {
  return {
    dtype,
    shape: shape.map(canonicalDim),
    source: { kind: 'input', name },
    scope: currentScope,
  };
}

/**
 * A tensor of the checkpoint, by its name there. `dtype` is what the graph computes with: if the
 * checkpoint stores another type a Cast is put in, which the runtime folds when it loads.
 *
 * @param options.reshaped the checkpoint may hold the same bytes under another shape.
 */
export function parameter(
  name: string,
  shape: readonly number[],
  dtype: DataType = 'float32',
  options: { readonly reshaped?: boolean } = {},
): Value {
  const source = { kind: 'parameter', name, reshaped: options.reshaped ?? false } as const;
  return { dtype, shape, source, scope: undefined };
}

/** A constant from raw little-endian bytes. */
export function constantBytes(dtype: DataType, shape: readonly number[], bytes: Uint8Array): Value {
  const expected = byteLength(
    dtype,
    shape.reduce((product, dim) => product * dim, 1),
  );
  if (bytes.length !== expected) {
    throw new GraphError(
      `constant ${dtype}${showShape(shape)} needs ${expected} bytes, got ${bytes.length}`,
    );
  }
  return { dtype, shape, source: { kind: 'constant', bytes }, scope: undefined };
}

function encode(dtype: DataType, numbers: ArrayLike<number>): ArrayBufferLike {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(numbers).buffer;
    case 'float64':
      return Float64Array.from(numbers).buffer;
    case 'int64':
      return BigInt64Array.from(Array.from(numbers, (number) => BigInt(number))).buffer;
    case 'int32':
      return Int32Array.from(numbers).buffer;
    case 'int8':
      return Int8Array.from(numbers).buffer;
    case 'uint8':
    case 'bool':
      return Uint8Array.from(numbers).buffer;
    case 'float16':
      return Uint16Array.from(Array.from(numbers, halfFromNumber)).buffer;
    case 'bfloat16':
      throw new GraphError('constants in bfloat16 are not supported: make them float32 and cast');
    default:
      return dtype satisfies never;
  }
}

/** A constant from numbers; a bare number is a scalar. */
export function constant(
  numbers: number | ArrayLike<number>,
  dtype: DataType,
  shape?: readonly number[],
): Value {
  const list = typeof numbers === 'number' ? [numbers] : numbers;
  const resolved = shape ?? (typeof numbers === 'number' ? [] : [list.length]);
  return constantBytes(dtype, resolved, new Uint8Array(encode(dtype, list)));
}

/** A 1-D int64 constant, as ONNX wants for axes, shapes and pads. */
export function int64s(...numbers: readonly number[]): Value {
  return constant(numbers, 'int64');
}

/** The scalar or 1-D numbers of a constant, or undefined when the value is not one. */
export function constantNumbers(value: Value): readonly number[] | undefined {
  if (value.source.kind !== 'constant') return undefined;
  const bytes = value.source.bytes;
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  if (value.dtype === 'int64') return Array.from(new BigInt64Array(buffer), Number);
  if (value.dtype === 'int32') return Array.from(new Int32Array(buffer));
  if (value.dtype === 'float32') return Array.from(new Float32Array(buffer));
  return undefined;
}

function isVisible(from: Scope | undefined, owner: Scope | undefined): boolean {
  for (let scope = from; scope; scope = scope.parent) if (scope === owner) return true;
  return owner === undefined;
}

/** What an op function tells about its result. */
export interface OutputType {
  readonly dtype: DataType;
  readonly shape: Shape;
}

/**
 * Makes a node; only op functions call this, after they have checked their inputs.
 *
 * @throws GraphError if an input belongs to a body that is already closed.
 */
export function makeNode(
  op: string,
  inputs: readonly (Value | undefined)[],
  outputs: readonly (OutputType | undefined)[],
  attributes: Readonly<Record<string, Attribute | undefined>> = {},
  domain = '',
): readonly (Value | undefined)[] {
  for (const value of inputs) {
    if (value && !isVisible(currentScope, value.scope)) {
      throw new GraphError(
        `${op}: an input was made inside ${value.scope?.what ?? 'a body'} and is used outside it`,
      );
    }
  }
  const made: (Value | undefined)[] = [];
  const present = Object.entries(attributes).filter(
    (entry): entry is [string, Attribute] => !!entry[1],
  );
  nodesMade += 1;
  const node: Node = {
    order: nodesMade,
    op,
    domain,
    inputs,
    attributes: Object.fromEntries(present),
    outputs: made,
    scope: currentScope,
    label: currentLabel,
  };
  outputs.forEach((output, index) => {
    const source = { kind: 'node', node, index } as const;
    made.push(output && { dtype: output.dtype, shape: output.shape, source, scope: currentScope });
  });
  return made;
}

/** `makeNode` for the ops whose outputs are all wanted. */
export function makeValues<const Outputs extends readonly OutputType[]>(
  op: string,
  inputs: readonly (Value | undefined)[],
  outputs: Outputs,
  attributes: Readonly<Record<string, Attribute | undefined>> = {},
  domain = '',
): Values<Outputs> {
  const made = makeNode(op, inputs, outputs, attributes, domain);
  return matched(
    op,
    made.filter((value) => value !== undefined),
    outputs,
  );
}

/** One value for each entry of a list, at the same place. */
export type Values<Entries extends readonly unknown[]> = {
  readonly [Index in keyof Entries]: Value;
};

/** Whether there are as many values as entries: then each has its own. */
function areMatched<Entries extends readonly unknown[]>(
  values: readonly Value[],
  entries: Entries,
): values is Values<Entries> {
  return values.length === entries.length;
}

/**
 * The values as one for each entry, so that a list of known length is taken apart without a doubt.
 *
 * @throws GraphError where their numbers differ.
 */
export function matched<const Entries extends readonly unknown[]>(
  op: string,
  values: readonly Value[],
  entries: Entries,
): Values<Entries> {
  if (!areMatched(values, entries)) {
    throw new GraphError(`${op}: ${values.length} values for ${entries.length}`);
  }
  return values;
}

/** `makeNode` for the ops with one output. */
export function makeValue(
  op: string,
  inputs: readonly (Value | undefined)[],
  output: OutputType,
  attributes: Readonly<Record<string, Attribute | undefined>> = {},
  domain = '',
): Value {
  const [value] = makeNode(op, inputs, [output], attributes, domain);
  if (!value) throw new GraphError(`${op} made no output`);
  return value;
}

/** Attribute makers, named after their ONNX types. */
export const attribute = {
  int: (value: number): Attribute => ({ kind: 'int', value }),
  float: (value: number): Attribute => ({ kind: 'float', value }),
  string: (value: string): Attribute => ({ kind: 'string', value }),
  ints: (value: readonly number[]): Attribute => ({ kind: 'ints', value }),
  floats: (value: readonly number[]): Attribute => ({ kind: 'floats', value }),
  body: (value: Body): Attribute => ({ kind: 'body', value }),
} as const;
