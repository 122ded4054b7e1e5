import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { readCatalogue } from '../../src/library/catalogue.ts';
import { sentenceIn } from '../../src/shared/texts/sentences.ts';
import { zh } from '../../src/shared/texts/zh/sentences.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Rooms whose errors people meet in the window. The engine's own are about files and networks: they stay as they are. */
const rooms = ['src/main', 'src/library'];

/** Broken invariants, what only the demo or a file of ours at fault says, and words of a system that are passed on. */
const stayEnglish: readonly RegExp[] = [
  /^\{.*\}$/,
  /^\{[^}]*\}: \{[^}]*\}$/,
  // A picture's fault, which `has {width} x {height} pixels` says in full.
  /^\{name\} \{fault\}\.$/,
  /^No (turn|conversation|other|column)/,
];

function sourcesIn(room: string): string[] {
  return readdirSync(path.join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/^(demo|keeper)[\\/]/.test(file))
    .map((file) => path.join(root, room, file));
}

/** A sentence with `{expression}` where a value stands; null for one that is made elsewhere. */
function sentenceOf(node: ts.Expression): string | null {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) {
    const values = node.templateSpans.map(
      ({ expression, literal }) => `{${expression.getText()}}${literal.text}`,
    );
    return node.head.text + values.join('');
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [left, right] = [sentenceOf(node.left), sentenceOf(node.right)];
    return left === null || right === null ? null : left + right;
  }
  return null;
}

/** What is thrown for a person to read: everything but broken invariants. */
function thrownIn(file: string): string[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(file, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && node.expression.getText() === 'StudioError') {
      const [kind, message] = node.arguments ?? [];
      const isInvariant = kind !== undefined && kind.getText() === "'internal'";
      const sentence = message === undefined || isInvariant ? null : sentenceOf(message);
      if (sentence !== null) found.push(sentence);
    }
    if (ts.isNewExpression(node) && node.expression.getText() === 'WriterFault') {
      const spoken = (node.arguments ?? []).slice(1, 3).map(sentenceOf);
      found.push(...spoken.filter((sentence) => sentence !== null));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** As it would be said, with 7 for every value. */
const example = (sentence: string): string => sentence.replace(/\{(?:[^{}]|\{[^{}]*\})*\}/g, '7');

test('what main and the library throw at a person has a Chinese sentence', () => {
  const thrown = rooms.flatMap(sourcesIn).flatMap(thrownIn);
  expect(thrown.length).toBeGreaterThan(100);
  const missing = thrown
    .filter((sentence) => !stayEnglish.some((pattern) => pattern.test(sentence)))
    .filter((sentence) => sentenceIn('zh', example(sentence)) === example(sentence));
  expect(missing).toEqual([]);
});

test('a sentence has the same values in both languages', () => {
  const valuesOf = (text: string): string[] =>
    [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name).sort();
  const differing = Object.entries(zh).filter(
    ([english, chinese]) => valuesOf(english).join() !== valuesOf(chinese).join(),
  );
  expect(differing).toEqual([]);
});

test('values go over, and a reason that is a sentence is said in Chinese too', () => {
  expect(sentenceIn('zh', 'There is no picture 12.')).toBe('没有图片 12。');
  expect(
    sentenceIn(
      'zh',
      'The engine was ended by SIGKILL (the system does this when memory runs out).',
    ),
  ).toBe('引擎被 SIGKILL 结束（内存耗尽时系统会这样做）。');
  expect(
    sentenceIn(
      'zh',
      'The picture could not be stored. The disk is full. Make room, and try again.',
    ),
  ).toBe('无法保存图片。磁盘已满。请腾出空间后重试。');
});

test('English stays, and so does a sentence that nobody has put into Chinese', () => {
  expect(sentenceIn('en', 'The app is closing.')).toBe('The app is closing.');
  const unknown = 'Conv: channels differ, [1, 2] and weight [3, 4]';
  expect(sentenceIn('zh', unknown)).toBe(unknown);
  expect(sentenceIn('zh', `The app is closing. ${unknown} Again.`)).toContain(unknown);
});

test('the catalogue that ships is told in Chinese too', () => {
  const { parts, systems } = readCatalogue([path.join(root, 'models/catalogue.json')]);
  const told = [...systems.map(({ about }) => about), ...parts.map(({ about }) => about)];
  const says = parts.flatMap(({ licence }) => licence.says ?? []);
  const english = [...told, ...says].filter((each) => sentenceIn('zh', each) === each);
  expect(english).toEqual([]);
});

test.each([
  [
    'With its language model in 4 bits and without the refiner it would take 12.1 GB for words and 13.8 GB for pictures. Add it again, copied in 4 bits and leaving out the refiner.',
    '语言模型用 4 位且不用精修模型时，文字需要 12.1 GB，图片需要 13.8 GB。请重新添加，以 4 位复制，并去掉精修模型。',
  ],
  [
    'With its language model in 8 bits it would take 16.3 GB for words. Add it again, copied in 8 bits.',
    '语言模型用 8 位时，文字需要 16.3 GB。请重新添加，以 8 位复制。',
  ],
  [
    'Without drawing it would take 2.0 GB for words. Add it again, leaving out the part that draws.',
    '不绘图时，文字需要 2.0 GB。请重新添加，去掉绘图部分。',
  ],
  [
    'Not even with its language model in 4 bits and without drawing. TextBind mini would fit.',
    '即使语言模型用 4 位并且不绘图，也放不下。TextBind mini 可以容纳。',
  ],
])('what would fit is said in Chinese too: %s', (english, chinese) => {
  expect(sentenceIn('zh', english)).toBe(chinese);
});
