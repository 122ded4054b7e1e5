import { zh } from './zh/sentences.ts';
import type { Language } from './language.ts';

/**
 * A sentence that main, a library or the engine made, in another language. Errors cross processes and stand in logs and
 * in the database as English sentences; the window words them anew where it has the sentence's pattern, and shows it as
 * it is where it has none.
 */
export function sentenceIn(language: Language, sentence: string): string {
  return language === 'en' ? sentence : translated(sentence, 0);
}

interface Pattern {
  readonly matches: RegExp;
  readonly names: readonly string[];
  readonly says: string;
}

/** Values of these names are numbers: without that, "{count} times" would be the end of many a sentence. */
const numbers = new Set([
  'code',
  'count',
  'done',
  'most',
  'positions',
  'room',
  'rows',
  'seconds',
  'total',
  'turns',
]);

/** Sentences in sentences: a reason that is quoted is a sentence of its own. */
const deepest = 3;

const exact: ReadonlyMap<string, string> = new Map(Object.entries(zh));
const patterns: readonly Pattern[] = Object.entries(zh)
  .filter(([english]) => english.includes('{'))
  // The one with the most words of its own first: "{a} is {b}." would match nearly everything.
  .sort(([one], [other]) => ownWords(other) - ownWords(one))
  .map(([english, says]) => patternOf(english, says));

function translated(sentence: string, depth: number): string {
  const whole = exact.get(sentence);
  if (whole !== undefined || depth > deepest) return whole ?? sentence;
  for (const { matches, names, says } of patterns) {
    const found = matches.exec(sentence);
    if (found === null) continue;
    const values = new Map(names.map((name, index) => [name, found[index + 1] ?? '']));
    return says.replace(/\{(\w+)\}/g, (_mark, name: string) =>
      translated(values.get(name) ?? '', depth + 1),
    );
  }
  return inPieces(sentence, depth);
}

/** Sentences that stand one behind another, each by itself; all or none, since half a language is worse than the other. */
function inPieces(sentence: string, depth: number): string {
  const pieces = sentence.split(/(?<=[.?!]) (?=[A-Z“])/);
  if (pieces.length === 1) return sentence;
  const said = pieces.map((piece) => translated(piece, depth + 1));
  return said.every((piece, index) => piece !== pieces[index]) ? said.join('') : sentence;
}

function patternOf(english: string, says: string): Pattern {
  const names = [...english.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const source = english
    .split(/\{\w+\}/)
    .map((words) => words.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .reduce((before, words, index) => before + valueOf(names[index - 1]) + words);
  return { matches: new RegExp(`^${source}$`), names, says };
}

function valueOf(name = ''): string {
  return numbers.has(name) ? String.raw`(\d[\d,.]*)` : '([^]+?)';
}

function ownWords(english: string): number {
  return english.replace(/\{\w+\}/g, '').length;
}
