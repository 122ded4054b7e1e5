/** What a graph takes of memory when it runs, told from its shapes without loading anything. */
import { byteLength } from './data-type.ts';
import { evaluateDim, type Sizes } from './evaluate-dim.ts';
import type { Graph } from './graph.ts';
import type { Body, Node, Scope, Value } from './value.ts';

/** Ops that give their input under another shape: the runtime copies nothing. */
const views: ReadonlySet<string> = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Identity']);

/** Bytes of a graph's parameters in the types that it computes with. */
export function parameterBytes(graph: Graph): number {
  return graph.parameters.reduce((sum, { value }) => sum + bytesOf(value, {}), 0);
}

/**
 * The most bytes of intermediate values that are needed at one moment, each op's inputs and outputs included. What a
 * kernel takes for itself comes on top.
 *
 * @param sizes of the symbols in the graph's shapes
 * @throws GraphError where a symbol that is needed has no size
 */
export function workingBytes(graph: Graph, sizes: Sizes): number {
  return peakOf(graph, undefined, graph.outputs, sizes);
}

function peakOf(
  graph: Graph,
  scope: Scope | undefined,
  outputs: readonly Value[],
  sizes: Sizes,
): number {
  const nodes = graph.nodes.get(scope) ?? [];
  const lastUse = lastUses(nodes, outputs);
  const held = new Map<Value, number>();
  let live = 0;
  let peak = 0;
  nodes.forEach((node, index) => {
    for (const value of node.outputs) {
      if (value === undefined || isView(node)) continue;
      held.set(value, bytesOf(value, sizes));
      live += bytesOf(value, sizes);
    }
    const inside = Math.max(
      0,
      ...bodiesOf(node).map((body) => peakOf(graph, body.scope, body.outputs, sizes)),
    );
    peak = Math.max(peak, live + inside);
    for (const [value, bytes] of held) {
      if ((lastUse.get(value) ?? index) > index) continue;
      held.delete(value);
      live -= bytes;
    }
  });
  return peak;
}

/** The place of the last node that reads each value, also through views of it; what is an output is read at the end. */
function lastUses(nodes: readonly Node[], outputs: readonly Value[]): Map<Value, number> {
  const last = new Map<Value, number>();
  nodes.forEach((node, index) => {
    const read = [...node.inputs, ...bodiesOf(node).flatMap((body) => body.outputs)];
    for (const value of read) if (value !== undefined) last.set(origin(value), index);
  });
  for (const value of outputs) last.set(origin(value), nodes.length);
  return last;
}

/** The value whose bytes these are. */
function origin(value: Value): Value {
  let at = value;
  while (at.source.kind === 'node' && isView(at.source.node)) {
    const [first] = at.source.node.inputs;
    if (first === undefined) return at;
    at = first;
  }
  return at;
}

function isView(node: Node): boolean {
  return views.has(node.op);
}

function bodiesOf(node: Node): Body[] {
  return Object.values(node.attributes).flatMap((each) =>
    each.kind === 'body' ? [each.value] : [],
  );
}

function bytesOf({ dtype, shape }: Value, sizes: Sizes): number {
  return byteLength(
    dtype,
    shape.reduce<number>((product, dim) => product * evaluateDim(dim, sizes), 1),
  );
}
