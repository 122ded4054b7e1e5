import { Marked, type Token, type Tokens } from 'marked';

/**
 * Markdown as a tree of plain data, which Markdown.svelte makes elements of. No HTML string exists at any point, so
 * there is nothing that could execute: what looks like HTML is text.
 */
export type MarkdownNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'break' }
  | { readonly kind: 'rule' }
  | { readonly kind: 'code-span'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string; readonly language: string }
  | { readonly kind: 'strong' | 'em' | 'del' | 'paragraph' | 'quote'; readonly children: Nodes }
  | { readonly kind: 'tight'; readonly children: Nodes }
  | { readonly kind: 'heading'; readonly level: number; readonly children: Nodes }
  | { readonly kind: 'link'; readonly href: string; readonly children: Nodes }
  | {
      readonly kind: 'list';
      readonly ordered: boolean;
      readonly start: number;
      readonly items: readonly { readonly checked: boolean | null; readonly children: Nodes }[];
    }
  | {
      readonly kind: 'table';
      readonly head: readonly Nodes[];
      readonly rows: readonly (readonly Nodes[])[];
    };

type Nodes = readonly MarkdownNode[];

/** Beyond this many characters a reply is shown as it is: no reply is that long, and lexing it would be felt. */
const maxCharacters = 100_000;
/** Deeper nesting (a thousand `>`) is shown flat. */
const maxDepth = 24;

const marked = new Marked({ gfm: true, breaks: true });

/** Reads markdown into blocks. Never throws; what cannot be read comes back as one paragraph of text. */
export function readMarkdown(source: string): Nodes {
  if (source.length > maxCharacters || /(^|\n)\s*(>\s?){64}/.test(source)) return plain(source);
  try {
    return blocks(marked.lexer(source), 0);
  } catch {
    return plain(source);
  }
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

function plain(source: string): Nodes {
  return [{ kind: 'paragraph', children: [{ kind: 'text', text: source }] }];
}

function blocks(tokens: readonly Token[], depth: number): Nodes {
  return tokens.flatMap((token) => block(token, depth));
}

function block(token: Token, depth: number): Nodes {
  if (depth > maxDepth) return [{ kind: 'text', text: token.raw }];
  switch (token.type) {
    case 'space':
    case 'def':
    case 'checkbox':
      return [];
    case 'hr':
      return [{ kind: 'rule' }];
    case 'heading':
      return [
        { kind: 'heading', level: (token as Tokens.Heading).depth, children: within(token, depth) },
      ];
    case 'paragraph':
      return [{ kind: 'paragraph', children: within(token, depth) }];
    case 'text':
      return [{ kind: 'tight', children: within(token, depth) }];
    case 'code': {
      const code = token as Tokens.Code;
      return [{ kind: 'code', text: code.text, language: (code.lang ?? '').split(/\s/)[0] ?? '' }];
    }
    case 'blockquote':
      return [{ kind: 'quote', children: blocks((token as Tokens.Blockquote).tokens, depth + 1) }];
    case 'list':
      return [list(token as Tokens.List, depth)];
    case 'table':
      return [table(token as Tokens.Table, depth)];
    default:
      // HTML, and whatever a later version of the lexer knows: its source, as words.
      return [{ kind: 'paragraph', children: [{ kind: 'text', text: token.raw.trimEnd() }] }];
  }
}

function list(token: Tokens.List, depth: number): MarkdownNode {
  return {
    kind: 'list',
    ordered: token.ordered,
    start: typeof token.start === 'number' ? token.start : 1,
    items: token.items.map((item) => ({
      checked: item.task ? item.checked === true : null,
      children: blocks(item.tokens, depth + 1),
    })),
  };
}

function table(token: Tokens.Table, depth: number): MarkdownNode {
  const cell = (one: Tokens.TableCell): Nodes => inlines(one.tokens, depth + 1);
  return {
    kind: 'table',
    head: token.header.map(cell),
    rows: token.rows.map((row) => row.map(cell)),
  };
}

/** The inline tokens of a token, or its text where the lexer gave none. */
function within(token: Token, depth: number): Nodes {
  const { tokens } = token as { tokens?: readonly Token[] };
  if (tokens !== undefined) return inlines(tokens, depth + 1);
  const { text } = token as { text?: string };
  return [{ kind: 'text', text: decodeEntities(text ?? token.raw) }];
}

function inlines(tokens: readonly Token[], depth: number): Nodes {
  return tokens.flatMap((token) => inline(token, depth));
}

function inline(token: Token, depth: number): Nodes {
  if (depth > maxDepth) return [{ kind: 'text', text: token.raw }];
  switch (token.type) {
    case 'text':
      return within(token, depth);
    case 'escape':
      return [{ kind: 'text', text: (token as Tokens.Escape).text }];
    case 'br':
      return [{ kind: 'break' }];
    case 'codespan':
      return [{ kind: 'code-span', text: (token as Tokens.Codespan).text }];
    case 'strong':
    case 'em':
    case 'del':
      return [{ kind: token.type, children: within(token, depth) }];
    case 'link':
      return link(token as Tokens.Link, depth);
    case 'image':
      return image(token as Tokens.Image);
    default:
      return [{ kind: 'text', text: token.raw }];
  }
}

function link(token: Tokens.Link, depth: number): Nodes {
  const href = safeLink(token.href);
  // A link that may not be opened is shown as written, so that nobody is led to think that it leads somewhere.
  if (href === null) return [{ kind: 'text', text: token.raw }];
  const children = inlines(token.tokens, depth + 1).map(withoutOverrides);
  return [{ kind: 'link', href, children }];
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
  if (href === null) return [{ kind: 'text', text: token.raw }];
  const words = token.text === '' ? href : token.text;
  return [{ kind: 'link', href, children: [withoutOverrides({ kind: 'text', text: words })] }];
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
