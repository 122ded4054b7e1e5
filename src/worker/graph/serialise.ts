/**
 * Writes a graph as an ONNX ModelProto. Weights are not copied: each becomes a TensorProto that
 * points into the checkpoint's own file. Field numbers: onnx.proto of ONNX 1.17.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { StoredTensor, TensorLocation, WeightSource } from '../tensor/stored-tensor.ts';
import type { DataType } from './data-type.ts';
import { byteLength, onnxCode } from './data-type.ts';
import type { Shape } from './dim.ts';
import { showShape } from './dim.ts';
import type { Graph, Parameter } from './graph.ts';
import { nameOf } from './graph.ts';
import { WeightsError, type TensorFault } from './graph-error.ts';
import type { Attribute, Body, Node, Value } from './value.ts';
import { contrib } from './value.ts';

const irVersion = 10;
const opsetVersion = 21;

/** A source without tensors, for graphs without parameters. */
export const noWeights: WeightSource = { find: () => undefined, names: () => [] };

export type { StoredTensor, TensorLocation, WeightSource } from '../tensor/stored-tensor.ts';

type Write = (writer: BinaryWriter) => void;

function message(writer: BinaryWriter, field: number, write: Write): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function integer(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).int64(value);
}

function writeEntry(writer: BinaryWriter, key: string, value: string): void {
  message(writer, 13, (entry) => {
    text(entry, 1, key);
    text(entry, 2, value);
  });
}

function writeTensor(
  writer: BinaryWriter,
  field: number,
  name: string,
  dtype: DataType,
  shape: Shape,
  location: TensorLocation,
): void {
  message(writer, field, (tensor) => {
    for (const dim of shape) integer(tensor, 1, Number(dim));
    integer(tensor, 2, onnxCode(dtype));
    text(tensor, 8, name);
    if (location.kind === 'bytes') {
      tensor.tag(9, WireType.LengthDelimited).bytes(location.bytes);
      return;
    }
    writeEntry(tensor, 'location', location.file);
    writeEntry(tensor, 'offset', String(location.offset));
    writeEntry(tensor, 'length', String(location.length));
    integer(tensor, 14, 1); // EXTERNAL
  });
}

function writeValueInfo(writer: BinaryWriter, field: number, name: string, value: Value): void {
  message(writer, field, (info) => {
    text(info, 1, name);
    message(info, 2, (type) =>
      message(type, 1, (tensor) => {
        integer(tensor, 1, onnxCode(value.dtype));
        message(tensor, 2, (shape) => {
          for (const dim of value.shape) {
            message(shape, 1, (each) => {
              if (typeof dim === 'number') integer(each, 1, dim);
              else text(each, 2, dim);
            });
          }
        });
      }),
    );
  });
}

function writeAttribute(
  writer: BinaryWriter,
  graph: Graph,
  name: string,
  attribute: Attribute,
): void {
  text(writer, 1, name);
  switch (attribute.kind) {
    case 'float':
      writer.tag(2, WireType.Bit32).float(attribute.value);
      return integer(writer, 20, 1);
    case 'int':
      integer(writer, 3, attribute.value);
      return integer(writer, 20, 2);
    case 'string':
      text(writer, 4, attribute.value);
      return integer(writer, 20, 3);
    case 'body':
      message(writer, 6, (body) => writeBody(body, graph, name, attribute.value));
      return integer(writer, 20, 5);
    case 'floats':
      for (const value of attribute.value) writer.tag(7, WireType.Bit32).float(value);
      return integer(writer, 20, 6);
    case 'ints':
      for (const value of attribute.value) integer(writer, 8, value);
      return integer(writer, 20, 7);
    default:
      return attribute satisfies never;
  }
}

function writeNode(writer: BinaryWriter, graph: Graph, node: Node): void {
  message(writer, 1, (proto) => {
    for (const value of node.inputs) text(proto, 1, value ? nameOf(graph, value) : '');
    for (const value of node.outputs) text(proto, 2, value ? nameOf(graph, value) : '');
    const first = node.outputs[0];
    text(proto, 3, first ? `${nameOf(graph, first)}:${node.op}` : node.op);
    text(proto, 4, node.op);
    for (const [name, attribute] of Object.entries(node.attributes)) {
      message(proto, 5, (each) => writeAttribute(each, graph, name, attribute));
    }
    if (node.domain) text(proto, 7, node.domain);
  });
}

function writeBody(writer: BinaryWriter, graph: Graph, name: string, body: Body): void {
  for (const node of graph.nodes.get(body.scope) ?? []) writeNode(writer, graph, node);
  text(writer, 2, name);
  for (const value of body.inputs) writeValueInfo(writer, 11, nameOf(graph, value), value);
  for (const value of body.outputs) writeValueInfo(writer, 12, nameOf(graph, value), value);
}

interface Resolved {
  readonly parameter: Parameter;
  readonly stored: StoredTensor;
}

/** In front of what is wrong with weights: the files that they are read from. */
function prefixOf(weights: WeightSource): string {
  return weights.source === undefined ? '' : `${weights.source}: `;
}

/** What does not fit of a stored tensor; null where it does. */
function misfitOf({ value, source }: Parameter, stored: StoredTensor): string | null {
  const count = (shape: Shape): number =>
    shape.reduce<number>((product, dim) => product * Number(dim), 1);
  const fits = source.reshaped
    ? count(stored.shape) === count(value.shape)
    : stored.shape.length === value.shape.length &&
      stored.shape.every((dim, axis) => dim === value.shape[axis]);
  if (!fits) {
    return (
      `tensor "${source.name}" has shape ${showShape(stored.shape)} in the checkpoint, ` +
      `the network needs ${showShape(value.shape)}`
    );
  }
  const length =
    stored.location.kind === 'file' ? stored.location.length : stored.location.bytes.length;
  const expected = byteLength(stored.dtype, count(stored.shape));
  if (length === expected) return null;
  return `tensor "${source.name}" has ${length} bytes, its shape and type need ${expected}`;
}

/**
 * Names of checkpoint tensors that the graph needs and the source lacks, and of those that the
 * source has and the graph does not use.
 */
export function compareWeights(
  graph: Graph,
  weights: WeightSource,
): { readonly missing: readonly string[]; readonly unused: readonly string[] } {
  const needed = new Set(graph.parameters.map(({ source }) => source.name));
  return {
    missing: [...needed].filter((name) => !weights.find(name)),
    unused: [...weights.names()].filter((name) => !needed.has(name)),
  };
}

function resolveAll(graph: Graph, weights: WeightSource): Resolved[] {
  const resolved: Resolved[] = [];
  const missing = new Map<string, TensorFault>();
  const wrong = new Map<string, TensorFault>();
  for (const parameter of graph.parameters) {
    const tensor = parameter.source.name;
    const stored = weights.find(tensor);
    const misfit = stored === undefined ? null : misfitOf(parameter, stored);
    if (stored === undefined) {
      missing.set(tensor, { tensor, problem: 'missing', says: `tensor "${tensor}" is missing` });
    } else if (misfit !== null) {
      wrong.set(tensor, { tensor, problem: 'wrong', says: misfit });
    } else resolved.push({ parameter, stored });
  }
  if (missing.size + wrong.size === 0) return resolved;
  const [first] = wrong.values();
  const summary = missing.size > 0 ? lackOf([...missing.keys()], graph) : (first?.says ?? '');
  const faults = [...missing.values(), ...wrong.values()];
  throw new WeightsError(prefixOf(weights) + summary, weights.source ?? '', faults);
}

function lackOf(missing: readonly string[], graph: Graph): string {
  const shown = missing.slice(0, 5).map((name) => `"${name}"`);
  const rest = missing.length > 5 ? ` and ${missing.length - 5} more` : '';
  return `the checkpoint lacks tensor ${shown.join(', ')}${rest} (graph "${graph.name}")`;
}

function writeCast(writer: BinaryWriter, from: string, to: string, dtype: DataType): void {
  message(writer, 1, (node) => {
    text(node, 1, from);
    text(node, 2, to);
    text(node, 3, `${to}:Cast`);
    text(node, 4, 'Cast');
    message(node, 5, (attribute) => {
      text(attribute, 1, 'to');
      integer(attribute, 3, onnxCode(dtype));
      integer(attribute, 20, 2);
    });
  });
}

function writeParameter(writer: BinaryWriter, graph: Graph, { parameter, stored }: Resolved): void {
  const { value } = parameter;
  const name = nameOf(graph, value);
  const initializer = stored.dtype === value.dtype ? name : `${name}:${stored.dtype}`;
  writeTensor(writer, 5, initializer, stored.dtype, value.shape, stored.location);
  if (initializer !== name) writeCast(writer, initializer, name, value.dtype);
}

function writeGraph(writer: BinaryWriter, graph: Graph, resolved: readonly Resolved[]): void {
  // Initializers come first: the Casts they may bring must precede the nodes that use them.
  for (const each of resolved) writeParameter(writer, graph, each);
  for (const value of graph.constants) {
    if (value.source.kind !== 'constant') continue;
    const location = { kind: 'bytes', bytes: value.source.bytes } as const;
    writeTensor(writer, 5, nameOf(graph, value), value.dtype, value.shape, location);
  }
  for (const node of graph.nodes.get(undefined) ?? []) writeNode(writer, graph, node);
  text(writer, 2, graph.name);
  for (const value of graph.inputs) writeValueInfo(writer, 11, nameOf(graph, value), value);
  for (const value of graph.outputs) writeValueInfo(writer, 12, nameOf(graph, value), value);
}

/**
 * The bytes of the ONNX model: a few hundred kB; weights stay where they are.
 *
 * @throws GraphError if a tensor is missing or its shape differs, naming it and both shapes.
 */
export function serialise(graph: Graph, weights: WeightSource = noWeights): Uint8Array {
  const resolved = resolveAll(graph, weights);
  const writer = new BinaryWriter();
  integer(writer, 1, irVersion);
  text(writer, 2, 'textbind-studio');
  message(writer, 7, (proto) => writeGraph(proto, graph, resolved));
  for (const [domain, version] of [
    ['', opsetVersion],
    [contrib, 1],
  ] as const) {
    message(writer, 8, (opset) => {
      if (domain) text(opset, 1, domain);
      integer(opset, 2, version);
    });
  }
  return writer.finish();
}
