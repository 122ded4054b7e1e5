import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse, type AST } from 'svelte/compiler';
import ts from 'typescript';
import { expect, test } from 'vitest';

// No view has a text of its own: each comes from src/shared/texts. What is looked at are the templates' words, the
// attributes that people see or hear, and every sentence in scripts.

const root = path.resolve(import.meta.dirname, '../../src/renderer');

/** What is said in every language as it is: names, commands, keys, and what a model is asked, which reads English. */
const same = new Set([
  'TextBind Studio',
  '`${chat.summary.title} - TextBind Studio`',
  '`${width} × ${height} px`',
  'npm start',
  'bash run.sh',
  'sbatch run.slurm',
  'GPU',
  'hf_…',
  'https://example.org/v1',
  // What a key press is not meant for, as a selector.
  'input, textarea, select',
  'Shift Enter',
  'Esc',
  'Enter',
  'Ctrl',
  'Alt',
  'Shift',
  'Del',
]);
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
  (file) =>
    /\.(svelte|ts)$/.test(file) &&
    // Prompts for the embedded model, which knows no other language; names for tests; names of colours and elements.
    !/(starters|test-ids|markdown[\\/](tree|reader|lexer|highlight))\.ts$/.test(file),
);

interface Found {
  readonly file: string;
  readonly text: string;
}

const isSaid = (text: string): boolean => /\p{L}{2}/u.test(text) && !same.has(text.trim());
/** Of a string in a script: several words, or one that begins as a sentence does. */
const isSentence = (text: string): boolean =>
  isSaid(text) && (/[\p{L}\p{N}][,.:;]? \p{L}/u.test(text) || /^\p{Lu}\p{Ll}+/u.test(text.trim()));

/** Attributes with words that somebody sees or hears; those of our components too. */
const spoken = new Set([
  'alt',
  'aria-label',
  'aria-description',
  'aria-roledescription',
  'aria-valuetext',
  'emptyMeans',
  'hint',
  'label',
  'placeholder',
  'title',
]);

interface Node {
  readonly type: string;
  readonly name?: string;
  readonly data?: string;
  readonly value?: unknown;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}
const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value;

function templateWords(node: unknown, found: string[], isAttribute = false): void {
  if (Array.isArray(node)) {
    for (const each of node) templateWords(each, found, isAttribute);
    return;
  }
  if (!isNode(node)) return;
  if (node.type === 'Text') {
    if (!isAttribute && isSaid(node.data ?? '')) found.push((node.data ?? '').trim());
    return;
  }
  if (node.type === 'Attribute') {
    if (spoken.has(node.name ?? '') && Array.isArray(node.value)) {
      const words = node.value.filter(isNode).map(({ data }) => data ?? '');
      found.push(...words.filter(isSaid));
    }
    return;
  }
  // Styles and scripts are read apart.
  if (['StyleSheet', 'Script', 'StyleDirective'].includes(node.type)) return;
  for (const [key, value] of Object.entries(node))
    if (key !== 'parent') templateWords(value, found);
}

/** Strings that are compared, indexed by, imported, or are types are no texts. */
function isCode(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isBinaryExpression(parent)) return /^[!=]==$/.test(parent.operatorToken.getText());
  if (ts.isCallExpression(parent)) {
    return /(querySelector\w*|matchMedia|closest|setAttribute|addEventListener)$/.test(
      parent.expression.getText(),
    );
  }
  if (ts.isNewExpression(parent)) return parent.expression.getText() === 'Error';
  return (
    ts.isCaseClause(parent) ||
    ts.isElementAccessExpression(parent) ||
    (ts.isPropertyAssignment(parent) && parent.name === node)
  );
}

function scriptSentences(code: string): string[] {
  const source = ts.createSourceFile('x.ts', code, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return;
    if (ts.isStringLiteralLike(node) && !isCode(node) && isSentence(node.text))
      found.push(node.text);
    if (ts.isTemplateExpression(node)) {
      const words = [node.head, ...node.templateSpans.map(({ literal }) => literal)].map(
        ({ text }) => text,
      );
      if (words.some((text) => isSentence(text) || /\p{Ll}{3} $|^ \p{Ll}{2}/u.test(text))) {
        found.push(node.getText());
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The scripts, and each expression of the template. */
function scriptsOf(source: string, tree: AST.Root): string[] {
  const pieces: string[] = [];
  for (const script of [tree.instance, tree.module]) {
    if (!isNode(script)) continue;
    const { start, end } = script.content as unknown as Node;
    pieces.push(source.slice(start, end));
  }
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      node.forEach(visit);
      return;
    }
    if (!isNode(node)) return;
    const { expression } = node;
    if (/Tag$/.test(node.type) && isNode(expression)) {
      pieces.push(`(${source.slice(expression.start, expression.end)})`);
      return;
    }
    if (
      node.type === 'Attribute' &&
      !spoken.has(node.name ?? '') &&
      /^(class|style|data-)/.test(node.name ?? '')
    )
      return;
    for (const [key, value] of Object.entries(node)) if (key !== 'parent') visit(value);
  };
  visit(tree.fragment);
  return pieces;
}

function hardWired(file: string, source: string): readonly Found[] {
  const found: string[] = [];
  if (file.endsWith('.svelte')) {
    const tree = parse(source, { modern: true });
    templateWords(tree.fragment, found);
    // What styles write on the page.
    const written = tree.css?.content.styles.matchAll(/content: '([^']*)'/g) ?? [];
    for (const [, words = ''] of written) if (isSaid(words)) found.push(words);
    for (const script of scriptsOf(source, tree)) found.push(...scriptSentences(script));
  } else found.push(...scriptSentences(source));
  return found.filter((text) => !same.has(text)).map((text) => ({ file, text }));
}

test('a text in a template, an attribute or a script is found', () => {
  const view = `<script lang="ts">const a = $state(1); const words = \`\${a} rows\`; const b = 'Nothing found'; const c = '2: rows';</script>
<button title="Close" class="a b" aria-label={a === 1 ? 'One more' : t.common.stop}>Save {a}</button>
<style>button::before { content: 'Write here'; }</style>`;
  expect(hardWired('x.svelte', view).map(({ text }) => text)).toEqual([
    'Close',
    'Save',
    'Write here',
    '`${a} rows`',
    'Nothing found',
    '2: rows',
    'One more',
  ]);
});

test('no view has a text of its own', () => {
  const found = files.flatMap((file) =>
    hardWired(file, readFileSync(path.join(root, file), 'utf8')),
  );
  const allowed = (each: Found): boolean =>
    // What is sent to the model, as the starters are.
    (/EmptyState/.test(each.file) && /What is in this picture/.test(each.text)) ||
    // Between processes, for the log.
    (each.file === 'api.ts' && /reply to|main process|event "/.test(each.text)) ||
    (each.file === 'main.ts' && each.text.includes('The page has no element'));
  expect(found.filter((each) => !allowed(each))).toEqual([]);
});
