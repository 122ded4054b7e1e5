import type { MarkedToken, Token, Tokens } from 'marked';
import type { FormulaToken, NoteMarkToken, NoteToken } from './lexer.ts';
import { directionOf, type MarkdownNode, type Nodes } from './nodes.ts';

/** Deeper nesting is shown flat. */
const maxDepth = 24;
/** What is beyond these is shown as it was written: so many elements and formulas would be felt. */
const maxNodes = 6000;
const maxFormulas = 400;

/** What reading a block must know of those before it. Plain data. */
export interface Context {
  /** How many nodes and formulas there may still be. */
  nodesLeft: number;
  formulasLeft: number;
  /** The levels of the headings under which the next one stands. */
  headings: number[];
  /** Labels of notes in the order in which they are named. */
  readonly named: Set<string>;
  readonly notes: Map<string, Nodes>;
  /** The next list is a later stretch of the one before. */
  continuesList: boolean;
}

export function startContext(): Context {
  return {
    nodesLeft: maxNodes,
    formulasLeft: maxFormulas,
    headings: [],
    named: new Set(),
    notes: new Map(),
    continuesList: false,
  };
}

/** A context that goes on from this one and leaves it as it is. */
export function branchOf(context: Context): Context {
  const { headings, named, notes } = context;
  return { ...context, headings: [...headings], named: new Set(named), notes: new Map(notes) };
}

/** The tokens as nodes; `context` goes on to what comes after them. */
export function readTokens(tokens: readonly Token[], context: Context): Nodes {
  return new TreeReader(context).blocks(tokens, 0);
}

/** The address if it may be opened in a browser, else null. Only http and https, with a host. */
export function safeLink(href: string): string | null {
  try {
    const url = new URL(href);
    return (url.protocol === 'https:' || url.protocol === 'http:') && url.host !== ''
      ? url.href
      : null;
  } catch {
    return null;
  }
}

type KnownToken = MarkedToken | FormulaToken | NoteToken | NoteMarkToken;

const knownTypes: Readonly<Record<KnownToken['type'], true>> = {
  ...{ space: true, code: true, heading: true, hr: true, blockquote: true, list: true },
  ...{ list_item: true, checkbox: true, paragraph: true, html: true, def: true, table: true },
  ...{ text: true, escape: true, link: true, image: true, strong: true, em: true, del: true },
  ...{ codespan: true, br: true, formula: true, note: true, 'note-mark': true },
};

/** marked's tokens may be of any other type too, by its own types. */
type AnyToken = Pick<Tokens.Generic, 'type' | 'raw'>;

function isKnown(token: AnyToken): token is KnownToken {
  return Object.hasOwn(knownTypes, token.type);
}

class TreeReader {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  blocks(tokens: readonly Token[], depth: number): Nodes {
    const read: MarkdownNode[] = [];
    for (const [index, token] of tokens.entries()) {
      if (this.#context.nodesLeft <= 0) {
        const rest = tokens.slice(index).map(({ raw }) => raw);
        return [...read, ...plainRest(rest.join(''))];
      }
      this.#context.nodesLeft -= 1;
      read.push(...this.#block(token, depth));
      if (depth === 0) this.#context.continuesList = false;
    }
    return read;
  }

  #block(token: AnyToken, depth: number): Nodes {
    if (depth > maxDepth) return [textNode(token.raw)];
    if (!isKnown(token)) return asWritten(token);
    switch (token.type) {
      case 'space':
      case 'def':
      case 'checkbox':
        return [];
      case 'hr':
        return [{ kind: 'rule' }];
      case 'heading':
        return [this.#heading(token, depth)];
      case 'paragraph':
        return [{ kind: 'paragraph', children: this.#within(token, depth) }];
      case 'text':
        return [{ kind: 'tight', children: this.#within(token, depth) }];
      case 'code':
        return [code(token)];
      case 'formula':
        return [this.#formula(token)];
      case 'note':
        return this.#note(token, depth);
      case 'blockquote': {
        const children = this.blocks(token.tokens, depth + 1);
        return [{ kind: 'quote', direction: directionOf(token.raw), children }];
      }
      case 'list':
        return this.#list(token, depth);
      case 'table':
        return this.#table(token, depth);
      default:
        // HTML, and whatever a later version of the lexer knows: its source, as words.
        return asWritten(token);
    }
  }

  /** Its rank never jumps, whatever levels the text does: "####" at first is of rank 1, "##" after it too. */
  #heading(token: Tokens.Heading, depth: number): MarkdownNode {
    const { headings } = this.#context;
    while ((headings.at(-1) ?? 0) >= token.depth) headings.pop();
    headings.push(token.depth);
    const children = this.#within(token, depth);
    return { kind: 'heading', level: token.depth, rank: headings.length, children };
  }

  #formula({ tex, display, open, raw }: FormulaToken): MarkdownNode {
    if (open) return { kind: 'code-span', text: tex };
    this.#context.formulasLeft -= 1;
    if (this.#context.formulasLeft < 0) return textNode(raw);
    return { kind: 'formula', tex, display };
  }

  #note({ label, tokens }: NoteToken, depth: number): Nodes {
    const { notes } = this.#context;
    if (!notes.has(label)) notes.set(label, this.inlines(tokens, depth + 1));
    return [];
  }

  #noteMark({ label }: NoteMarkToken): MarkdownNode {
    this.#context.named.add(label);
    return { kind: 'note-mark', label };
  }

  #list(token: Tokens.List, depth: number): Nodes {
    const continued = depth === 0 && this.#context.continuesList;
    const { read: items, left } = this.#asManyAs(token.items, (item) => ({
      checked: item.task ? item.checked === true : null,
      children: this.blocks(item.tokens, depth + 1),
    }));
    const direction = directionOf(token.raw.slice(0, 1000));
    const start = typeof token.start === 'number' ? token.start : 1;
    return [
      { kind: 'list', ordered: token.ordered, start, continued, direction, items },
      ...plainRest(left.map(({ raw }) => raw).join('')),
    ];
  }

  #table(token: Tokens.Table, depth: number): Nodes {
    const cell = (one: Tokens.TableCell): Nodes => this.inlines(one.tokens, depth + 1);
    const direction = directionOf(token.raw.slice(0, 1000));
    const { read: head, left: headLeft } = this.#asManyAs(token.header, cell);
    const { read: rows, left } = this.#asManyAs(token.rows, (row) => row.map(cell));
    const words = [headLeft, ...left].map((row) => row.map(({ text }) => text).join(' | '));
    return [
      { kind: 'table', direction, align: token.align, head, rows },
      ...plainRest(words.join('\n').trim()),
    ];
  }

  /** Reads one after the other while there may be nodes. */
  #asManyAs<From, To>(
    all: readonly From[],
    readOne: (one: From) => To,
  ): { readonly read: readonly To[]; readonly left: readonly From[] } {
    const read: To[] = [];
    for (const one of all) {
      if (this.#context.nodesLeft <= 0) break;
      this.#context.nodesLeft -= 1;
      read.push(readOne(one));
    }
    return { read, left: all.slice(read.length) };
  }

  /** The inline tokens of a token, or its text where the lexer gave none. */
  #within(token: KnownToken, depth: number): Nodes {
    const tokens = 'tokens' in token ? token.tokens : undefined;
    if (tokens !== undefined) return this.inlines(tokens, depth + 1);
    return [textNode(decodeEntities('text' in token ? token.text : token.raw))];
  }

  inlines(tokens: readonly Token[], depth: number): Nodes {
    this.#context.nodesLeft -= tokens.length;
    return tokens.flatMap((token) => this.#inline(token, depth));
  }

  #inline(token: AnyToken, depth: number): Nodes {
    if (depth > maxDepth || !isKnown(token)) return [textNode(token.raw)];
    switch (token.type) {
      case 'text':
        return this.#within(token, depth);
      case 'escape':
        return [textNode(token.text)];
      case 'br':
        return [{ kind: 'break' }];
      case 'codespan':
        return [{ kind: 'code-span', text: token.text }];
      case 'strong':
      case 'em':
      case 'del':
        return [{ kind: token.type, children: this.#within(token, depth) }];
      case 'formula':
        return [this.#formula(token)];
      case 'note-mark':
        return [this.#noteMark(token)];
      case 'link':
        return this.#link(token, depth);
      case 'image':
        return image(token);
      default:
        return [textNode(token.raw)];
    }
  }

  #link(token: Tokens.Link, depth: number): Nodes {
    const href = safeLink(token.href);
    // A link that may not be opened is shown as written, so that nobody is led to think that it leads somewhere.
    if (href === null) return [textNode(token.raw)];
    const children = this.inlines(token.tokens, depth + 1).map(withoutOverrides);
    return [{ kind: 'link', href, children }];
  }
}

function asWritten({ raw }: AnyToken): Nodes {
  return [{ kind: 'paragraph', children: [textNode(raw.trimEnd())] }];
}

/** What is beyond the limits, as it was written. */
function plainRest(text: string): Nodes {
  return text === '' ? [] : [{ kind: 'paragraph', children: [textNode(text)] }];
}

function textNode(text: string): MarkdownNode {
  return { kind: 'text', text };
}

/** A fenced block of which the closing fence has not come ends in something else than a fence. */
function code(token: Tokens.Code): MarkdownNode {
  const open = token.codeBlockStyle !== 'indented' && !/\n[ >]*(?:`{3,}|~{3,})\s*$/.test(token.raw);
  return {
    kind: 'code',
    text: token.text,
    language: (token.lang ?? '').split(/\s/)[0] ?? '',
    open,
  };
}

/**
 * Takes out of a link's words what would show them in another order than they are written (Unicode's embeddings,
 * overrides and isolates): "https://bank.example" must not be another address read backwards.
 */
function withoutOverrides(node: MarkdownNode): MarkdownNode {
  if ('text' in node)
    return { ...node, text: node.text.replaceAll(/[\u202A-\u202E\u2066-\u2069]/g, '') };
  if ('children' in node) return { ...node, children: node.children.map(withoutOverrides) };
  return node;
}

/** A picture from elsewhere is never loaded: its words stand for it, linked if it may be opened. */
function image(token: Tokens.Image): Nodes {
  const href = safeLink(token.href);
  if (href === null) return [textNode(token.raw)];
  const words = token.text === '' ? href : token.text;
  return [{ kind: 'link', href, children: [withoutOverrides(textNode(words))] }];
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
};

/** The lexer leaves entities in text for a browser's HTML parser, which nothing here passes through. */
function decodeEntities(text: string): string {
  return text.replace(/&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,6});/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return entities[name.toLowerCase()] ?? whole;
    const hexadecimal = /^#x/i.test(name);
    const code = Number.parseInt(name.slice(hexadecimal ? 2 : 1), hexadecimal ? 16 : 10);
    return code > 0 && code <= 0x10_ffff ? String.fromCodePoint(code) : whole;
  });
}
