/**
 * A finished graph: what its outputs reach, in order, with names. Whatever they do not reach is
 * dropped, and names are given only here.
 */
import { GraphError } from './graph-error.ts';
import type { Body, Node, Scope, Source, Value } from './value.ts';
import { makeValue } from './value.ts';

/** A tensor the graph takes from the checkpoint. */
export interface Parameter {
  readonly value: Value;
  readonly source: Extract<Source, { kind: 'parameter' }>;
}

/** A graph that is ready to be printed or serialised. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly parameters: readonly Parameter[];
  readonly constants: readonly Value[];
  /** Nodes of the main graph (key undefined) and of each body, in order. */
  readonly nodes: ReadonlyMap<Scope | undefined, readonly Node[]>;
  /** The name of every value that is reached. */
  readonly names: ReadonlyMap<Value, string>;
}

/** Values by their output names. */
export type NamedValues = Readonly<Record<string, Value>>;

/** `value` if a node of `scope` made it and no other output took it, else an Identity of it. */
export function asOwnOutput(value: Value, scope: Scope | undefined, taken: Set<Value>): Value {
  const own = value.source.kind === 'node' && value.scope === scope && !taken.has(value);
  const output = own
    ? value
    : makeValue('Identity', [value], { dtype: value.dtype, shape: value.shape });
  taken.add(output);
  return output;
}

function bodiesOf(node: Node): Body[] {
  return Object.values(node.attributes).flatMap((each) =>
    each.kind === 'body' ? [each.value] : [],
  );
}

interface Reached {
  readonly values: Set<Value>;
  readonly nodes: Set<Node>;
}

function reach(outputs: readonly Value[]): Reached {
  const values = new Set<Value>();
  const nodes = new Set<Node>();
  const open: Value[] = [...outputs];
  for (let value = open.pop(); value; value = open.pop()) {
    if (values.has(value)) continue;
    values.add(value);
    if (value.source.kind !== 'node' || nodes.has(value.source.node)) continue;
    const { node } = value.source;
    nodes.add(node);
    for (const each of node.inputs) if (each) open.push(each);
    for (const body of bodiesOf(node)) open.push(...body.outputs, ...body.inputs);
  }
  return { values, nodes };
}

function parameterKey(value: Value, name: string): string {
  return `${name}|${value.dtype}|${value.shape.join(',')}`;
}

function constantKey(value: Value, bytes: Uint8Array): string | undefined {
  if (bytes.length > 4096) return undefined;
  return `${value.dtype}|${value.shape.join(',')}|${bytes.join(',')}`;
}

/** Gives every value its name; equal constants and equal parameters share one. */
class Namer {
  readonly names = new Map<Value, string>();
  readonly parameters = new Map<string, Parameter>();
  readonly constants = new Map<string, Value>();
  readonly #taken = new Set<string>();
  readonly #counts = new Map<string, number>();

  unique(stem: string): string {
    let name = stem;
    while (this.#taken.has(name)) {
      const count = (this.#counts.get(stem) ?? 0) + 1;
      this.#counts.set(stem, count);
      name = `${stem}_${count}`;
    }
    this.#taken.add(name);
    return name;
  }

  give(value: Value, stem: string): void {
    this.names.set(value, this.unique(stem));
  }

  nameParameter(value: Value, source: Extract<Source, { kind: 'parameter' }>): void {
    const key = parameterKey(value, source.name);
    const first = this.parameters.get(key);
    if (!first) {
      this.give(value, source.name);
      this.parameters.set(key, { value, source });
      return;
    }
    this.names.set(value, this.names.get(first.value) ?? source.name);
  }

  nameConstant(value: Value, bytes: Uint8Array): void {
    const key = constantKey(value, bytes) ?? `unshared ${this.constants.size}`;
    const first = this.constants.get(key);
    if (!first) {
      this.give(value, 'constant');
      this.constants.set(key, value);
      return;
    }
    this.names.set(value, this.names.get(first) ?? 'constant');
  }
}

function checkInputs(reached: Reached, inputs: readonly Value[]): void {
  const listed = new Set(inputs);
  for (const value of reached.values) {
    if (value.source.kind === 'input' && value.scope === undefined && !listed.has(value)) {
      throw new GraphError(
        `input "${value.source.name}" is used but is not among the graph's inputs`,
      );
    }
  }
}

/**
 * Finishes a graph.
 *
 * @param inputs in the order wanted; an input that nothing uses stays an input.
 * @throws GraphError if an input that is used is not listed, or a listed value is not an input.
 */
export function finishGraph(name: string, inputs: readonly Value[], outputs: NamedValues): Graph {
  const taken = new Set<Value>();
  const named = Object.entries(outputs).map(
    ([outputName, value]) => [outputName, asOwnOutput(value, undefined, taken)] as const,
  );
  const reached = reach(named.map(([, value]) => value));
  checkInputs(reached, inputs);

  const namer = new Namer();
  for (const value of inputs) {
    if (value.source.kind !== 'input')
      throw new GraphError(`graph "${name}": a listed input is not one`);
    namer.give(value, value.source.name);
  }
  for (const [outputName, value] of named) namer.give(value, outputName);

  const ordered = [...reached.nodes].sort((a, b) => a.order - b.order);
  const nodes = new Map<Scope | undefined, Node[]>([[undefined, []]]);
  for (const value of reached.values) {
    if (value.source.kind === 'parameter') namer.nameParameter(value, value.source);
    if (value.source.kind === 'constant') namer.nameConstant(value, value.source.bytes);
    if (value.source.kind === 'input' && !namer.names.has(value))
      namer.give(value, value.source.name);
  }
  for (const node of ordered) {
    const list = nodes.get(node.scope) ?? [];
    list.push(node);
    nodes.set(node.scope, list);
    for (const value of node.outputs) {
      if (value && !namer.names.has(value)) namer.give(value, `${node.label}${node.op}`);
    }
  }
  return {
    name,
    inputs,
    outputs: named.map(([, value]) => value),
    parameters: [...namer.parameters.values()],
    constants: [...namer.constants.values()],
    nodes,
    names: namer.names,
  };
}

/** The name of a value in this graph. */
export function nameOf(graph: Graph, value: Value): string {
  const name = graph.names.get(value);
  if (name === undefined) throw new GraphError(`graph "${graph.name}": a value has no name`);
  return name;
}

/** How many nodes there are, bodies included. */
export function countNodes(graph: Graph): number {
  return [...graph.nodes.values()].reduce((sum, list) => sum + list.length, 0);
}
