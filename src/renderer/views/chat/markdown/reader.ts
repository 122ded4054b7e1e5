import type { Token } from 'marked';
import { lex, tooMuch } from './lexer.ts';
import type { MarkdownNode, MarkdownPage, Nodes } from './nodes.ts';
import { branchOf, readTokens, startContext, type Context } from './tree.ts';

/** A tail longer than this is lexed anew only when it has grown by a sixteenth: work stays in proportion to the text. */
const longTail = 1000;
const growth = 1 / 16;

/**
 * Reads one text that may grow at its end. What can no longer change is read once: only from the last block on, which
 * the next words may still turn into something else, is it read again. Blocks that stand keep their identity.
 */
export class MarkdownReader {
  /** Characters given to the lexer until now: what reading has cost. */
  lexedCharacters = 0;
  #settled = '';
  #blocks: Nodes = [];
  #context = startContext();
  /** Of the tail: as much of it as was lexed, and what came of it. */
  #lexed = '';
  #tail: Tail = { blocks: [], context: this.#context };

  /**
   * Never throws; what cannot be read comes back as one paragraph of text.
   * @param growing more may come after it
   */
  read(text: string, growing: boolean): MarkdownPage {
    const source = text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text;
    if (!growing || !source.startsWith(this.#settled)) this.#startAnew();
    const tail = source.slice(this.#settled.length);
    try {
      if (tooMuch(tail)) return plainPage(source);
      if (this.#canWait(tail)) return pageOf(this.#blocks, this.#waiting(tail));
      return this.#readTail(tail, growing);
    } catch {
      return plainPage(source);
    }
  }

  #startAnew(): void {
    this.#settled = '';
    this.#blocks = [];
    this.#context = startContext();
    this.#lexed = '';
  }

  #readTail(tail: string, growing: boolean): MarkdownPage {
    this.lexedCharacters += tail.length;
    const tokens = lex(tail, growing);
    const standing = growing ? countStanding(tokens, tail) : 0;
    this.#settle(tokens.slice(0, standing));
    const rest = splitList(tokens.slice(standing), tail.length);
    this.#settle(rest.standing);
    if (rest.standing.length > 0) this.#context.continuesList = true;
    this.#lexed = tail.slice(lengthOf(tokens.slice(0, standing)) + lengthOf(rest.standing));
    const context = branchOf(this.#context);
    this.#tail = { blocks: readTokens(rest.changing, context), context };
    return pageOf(this.#blocks, this.#tail);
  }

  #settle(tokens: readonly Token[]): void {
    if (tokens.length === 0) return;
    this.#blocks = [...this.#blocks, ...readTokens(tokens, this.#context)];
    this.#settled += tokens.map(({ raw }) => raw).join('');
  }

  #canWait(tail: string): boolean {
    const lexed = this.#lexed;
    if (lexed.length < longTail || !tail.startsWith(lexed)) return false;
    return tail.length - lexed.length < lexed.length * growth;
  }

  /** The tail as it was lexed, with what has come since at the end of its words or its code; elsewhere that waits. */
  #waiting(tail: string): Tail {
    const more = tail.slice(this.#lexed.length);
    const last = this.#tail.blocks.at(-1);
    const extended = last === undefined || more === '' ? null : extend(last, more);
    if (extended === null) return this.#tail;
    return { ...this.#tail, blocks: [...this.#tail.blocks.slice(0, -1), extended] };
  }
}

interface Tail {
  readonly blocks: Nodes;
  readonly context: Context;
}

/** A text that does not grow. */
export function readMarkdown(source: string): MarkdownPage {
  return new MarkdownReader().read(source, false);
}

function extend(node: MarkdownNode, more: string): MarkdownNode | null {
  if (node.kind === 'text') return { ...node, text: node.text + more };
  if (node.kind === 'code') return node.open ? { ...node, text: node.text + more } : null;
  if (node.kind !== 'paragraph') return null;
  const last = node.children.at(-1);
  const text: MarkdownNode = { kind: 'text', text: more };
  if (last?.kind !== 'text') return { ...node, children: [...node.children, text] };
  return {
    ...node,
    children: [...node.children.slice(0, -1), { ...last, text: last.text + more }],
  };
}

/**
 * How many of the first tokens can no longer change: all before the last block. Before a list's successor too: "2" after
 * a list is a paragraph, until the "." comes that makes it the list's next item.
 */
function countStanding(tokens: readonly Token[], source: string): number {
  // Where the tokens do not cover the text, nothing may be left out of it.
  if (lengthOf(tokens) !== source.length) return 0;
  const blocks = tokens.flatMap(({ type }, index) => (type === 'space' ? [] : [index]));
  const last = blocks.at(-1) ?? 0;
  const before = blocks.at(-2);
  return before !== undefined && tokens[before]?.type === 'list' ? before : last;
}

interface SplitTokens {
  readonly standing: readonly Token[];
  readonly changing: readonly Token[];
}

/** Parts a long list in two: its last two items may change, what is before them stands. */
function splitList(tokens: readonly Token[], length: number): SplitTokens {
  const [first, ...others] = tokens;
  if (length < longTail || first === undefined || !isList(first) || first.items.length < 4) {
    return { standing: [], changing: tokens };
  }
  const stretch = (from: number, to?: number): Token => {
    const items = first.items.slice(from, to);
    const start = first.start === '' ? '' : first.start + from;
    return { ...first, start, items, raw: items.map(({ raw }) => raw).join('') };
  };
  const standing = stretch(0, -2);
  // Only where the stretches are the list: their lengths say how much of the text stands.
  if (standing.raw !== first.raw.slice(0, standing.raw.length)) {
    return { standing: [], changing: tokens };
  }
  return { standing: [standing], changing: [stretch(first.items.length - 2), ...others] };
}

function isList(token: Token): token is Extract<Token, { type: 'list' }> {
  return token.type === 'list';
}

function lengthOf(tokens: readonly Token[]): number {
  return tokens.reduce((sum, { raw }) => sum + raw.length, 0);
}

function pageOf(standing: Nodes, { blocks, context }: Tail): MarkdownPage {
  const { named, notes } = context;
  const labels = new Set([...[...named].filter((label) => notes.has(label)), ...notes.keys()]);
  return {
    blocks: [...standing, ...blocks],
    notes: [...labels].map((label) => ({ label, children: notes.get(label) ?? [] })),
  };
}

function plainPage(source: string): MarkdownPage {
  return { blocks: [{ kind: 'paragraph', children: [{ kind: 'text', text: source }] }], notes: [] };
}
