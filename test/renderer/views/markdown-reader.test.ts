// What a reply costs to show while it streams, counted in characters that the lexer is given.
import { describe, expect, it } from 'vitest';
import type {
  MarkdownNode,
  MarkdownPage,
} from '../../../src/renderer/views/chat/markdown/nodes.ts';
import { MarkdownReader, readMarkdown } from '../../../src/renderer/views/chat/markdown/reader.ts';
import { randomSource } from '../../support/random-source.ts';

/** All words of a page, in order. */
function wordsOf(page: MarkdownPage): string {
  const of = (node: MarkdownNode): string => {
    if (node.kind === 'list')
      return node.items.flatMap(({ children }) => children.map(of)).join(' ');
    if (node.kind === 'table') return [node.head, ...node.rows].flat(2).map(of).join(' ');
    if (node.kind === 'formula') return node.tex;
    if (node.kind === 'note-mark') return node.label;
    if ('children' in node) return node.children.map(of).join('');
    return 'text' in node ? node.text : '';
  };
  const notes = page.notes.flatMap(({ children }) => children.map(of));
  return [...page.blocks.map(of), ...notes].join(' ').replaceAll(/\s+/g, '');
}

/** Streams a text in pieces of some characters; how much was lexed after each. */
function stream(
  text: string,
  piece = 12,
): { readonly lexed: readonly number[]; page: MarkdownPage } {
  const reader = new MarkdownReader();
  const lexed: number[] = [];
  let page = reader.read('', true);
  for (let end = piece; end < text.length + piece; end += piece) {
    page = reader.read(text.slice(0, end), true);
    lexed.push(reader.lexedCharacters);
  }
  return { lexed, page };
}

const paragraph =
  'A cat sat on a *warm* mat, and **nobody** knew `why`; it was \\(x^2\\) then, or $y$, said [one](https://example.org).';
const fragments = [
  `${paragraph}\n\n`,
  '## A heading\n\n',
  '- one\n- two\n  - three\n\n',
  '1. one\n2. two\n\n3. three\n\n',
  '- loose\n\n  with two paragraphs\n- tight\n\n',
  '```ts\nconst a = 1;\n\n- not a list\n```\n\n',
  '| A | B |\n| :- | -: |\n| 1 | 2 |\n\n',
  '> said\nlazily\n\n',
  'You see[^1].\n\n[^1]: A note.\n\n',
  '\\[\na\n\n+ b\n\\]\n\n',
  '$$\nc\n$$\nand on\n\n',
  '---\n\n',
  'Line\nline\nline\n\n',
  '<b>no html</b>\n\n',
  'תודה רבה\n\n',
];

describe('reading while it streams', () => {
  it.each([
    ['paragraphs', `${paragraph}\n\n`],
    ['one paragraph', `${paragraph} `],
    ['one list', '- an item of a list, with *some* words in it\n'],
    ['one nested list', '  - an item of a list, with *some* words in it\n'],
    ['one block of code', 'const answer = forty + two;\n'],
    ['one quote', '> a line of what was said\n'],
    ['one table', '| one | two | three |\n'],
    ['lists and code', '1. one\n2. two\n\n```\ncode\n\ncode\n```\n\n'],
  ])('costs no more for each word the longer the reply is: %s', (name, unit) => {
    const start = new Map([
      ['one block of code', '```ts\n'],
      ['one nested list', '- first\n'],
      ['one table', '| a | b | c |\n| - | - | - |\n'],
    ]).get(name);
    const text = (start ?? '') + unit.repeat(Math.ceil(36_000 / unit.length));
    const { lexed } = stream(text);
    const at = (share: number): number => lexed[Math.floor((lexed.length - 1) * share)] ?? 0;
    // The last quarter of the words costs what the second did.
    expect(at(1) - at(0.75)).toBeLessThanOrEqual((at(0.5) - at(0.25)) * 1.5 + 20_000);
    // By measure: lexing all of it for each piece would be 54 million characters.
    expect(at(1)).toBeLessThan(6_000_000);
  });

  it('ends in what is read at once, whatever the text and wherever it was parted', () => {
    const { below, pick } = randomSource(8);
    for (let round = 0; round < 100; round += 1) {
      const parts = Array.from({ length: 1 + below(8) }, () => pick(fragments));
      const text = parts.join('');
      const whole = readMarkdown(text);
      const reader = new MarkdownReader();
      let end = 0;
      while (end < text.length) {
        end += 1 + below(12);
        reader.read(text.slice(0, end), true);
      }
      // Nothing is missing before the end either, though a list may still be in two.
      expect(wordsOf(reader.read(text, true))).toBe(wordsOf(whole));
      expect(reader.read(text, false)).toEqual(whole);
    }
  });

  it('keeps what stands as it is', () => {
    const reader = new MarkdownReader();
    const before = reader.read('# One\n\nTwo.\n\nThree', true);
    const after = reader.read('# One\n\nTwo.\n\nThree and four.\n\nFive', true);
    expect(after.blocks[0]).toBe(before.blocks[0]);
    expect(after.blocks[1]).toBe(before.blocks[1]);
  });
});
