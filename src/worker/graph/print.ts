/** A graph as text, for people and for comparing two versions of a builder. */
import { showShape } from './dim.ts';
import type { Graph } from './graph.ts';
import { nameOf } from './graph.ts';
import type { Attribute, Node, Scope, Value } from './value.ts';

function showValue(graph: Graph, value: Value): string {
  return `${nameOf(graph, value)}: ${value.dtype}${showShape(value.shape)}`;
}

function showAttribute(name: string, attribute: Attribute): string {
  switch (attribute.kind) {
    case 'body':
      return `${name}=(body)`;
    case 'ints':
    case 'floats':
      return `${name}=[${attribute.value.join(', ')}]`;
    case 'int':
    case 'float':
    case 'string':
      return `${name}=${attribute.value}`;
    default:
      return attribute satisfies never;
  }
}

function printNode(graph: Graph, node: Node, indent: string): string[] {
  const results = node.outputs.map((value) => (value ? showValue(graph, value) : '-')).join(', ');
  const operands = node.inputs.map((value) => (value ? nameOf(graph, value) : '-')).join(', ');
  const entries = Object.entries(node.attributes);
  const attributes = entries.map(([name, each]) => showAttribute(name, each)).join(', ');
  const lines = [
    `${indent}${results} = ${node.op}(${operands})${attributes && ` {${attributes}}`}`,
  ];
  for (const [name, each] of entries) {
    if (each.kind !== 'body') continue;
    const { inputs, outputs, scope } = each.value;
    lines.push(`${indent}  ${name}(${inputs.map((value) => showValue(graph, value)).join(', ')})`);
    lines.push(...printNodes(graph, scope, `${indent}    `));
    lines.push(`${indent}    -> ${outputs.map((value) => nameOf(graph, value)).join(', ')}`);
  }
  return lines;
}

function printNodes(graph: Graph, scope: Scope | undefined, indent: string): string[] {
  return (graph.nodes.get(scope) ?? []).flatMap((node) => printNode(graph, node, indent));
}

/** One line a node, bodies indented, parameters first. */
export function printGraph(graph: Graph): string {
  const inputs = graph.inputs.map((value) => showValue(graph, value)).join(', ');
  const parameters = graph.parameters.map(({ value }) => `  parameter ${showValue(graph, value)}`);
  const outputs = graph.outputs.map((value) => showValue(graph, value)).join(', ');
  const head = `${graph.name}(${inputs})`;
  return [head, ...parameters, ...printNodes(graph, undefined, '  '), `  -> ${outputs}`, ''].join(
    '\n',
  );
}
