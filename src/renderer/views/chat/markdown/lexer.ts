import { Lexer, Marked, type Token, type TokenizerAndRendererExtension } from 'marked';

/**
 * Markdown's tokens, by marked, with TeX and footnotes, and with limits before any work: what a model or a file may
 * hold is not what a person writes, and marked's time grows with the square of some of it.
 */

/** What stands in `\(...\)`, `\[...\]`, `$...$` or `$$...$$`. */
export type FormulaToken = {
  readonly type: 'formula';
  readonly raw: string;
  readonly tex: string;
  readonly display: boolean;
  /** Its end has not come yet. */
  readonly open: boolean;
};

export type NoteMarkToken = {
  readonly type: 'note-mark';
  readonly raw: string;
  readonly label: string;
};

export type NoteToken = {
  readonly type: 'note';
  readonly raw: string;
  readonly label: string;
  readonly tokens: Token[];
};

/** A stretch longer than this is shown as it is: no reply is that long, and lexing it would be felt. */
export const maxCharacters = 100_000;
/** Quotes and lists nested deeper within a line than this make the lexer call itself too often. */
const maxPrefixes = 32;
/** Of one paragraph, cell or heading: its length, its marks, and its longest word. */
const maxInline = 8000;
const maxMarks = 500;
const maxWord = 1024;
const maxFormula = 2000;

const prefixes = new RegExp(
  `^[ \\t]{0,8}(?:(?:>|(?:[-*+]|\\d{1,9}[.)])(?=[ \\t]))[ \\t]{0,8}){${maxPrefixes + 1}}`,
  'm',
);
const longWord = new RegExp(`[\\w.!#$%&'*+/=?^\`{|}~-]{${maxWord}}|[ \\t]{256}`);
const marks = /[*_~`[\]<!&@\\$]/g;

/** A text that is not lexed but shown as it is. */
export function tooMuch(source: string): boolean {
  return source.length > maxCharacters || prefixes.test(source);
}

/** One paragraph's worth that would take long: it is shown as it is. */
function tooMuchInline(source: string): boolean {
  if (source.length > maxInline || longWord.test(source)) return true;
  return source.length > maxMarks && (source.match(marks)?.length ?? 0) > maxMarks;
}

const noBlankLine = String.raw`(?:(?!\n[ \t]*\n)[\s\S])`;
const blockFormula = new RegExp(
  String.raw`^ {0,3}(?:\$\$((?:(?!\$\$)[\s\S]){1,${maxFormula}})\$\$|\\\[([\s\S]{1,${maxFormula}}?)\\\])[ \t]*(?:\n|$)`,
);
const openBlockFormula = new RegExp(
  String.raw`^ {0,3}(?:\$\$|\\\[)((?:(?!\$\$|\\\])[\s\S]){0,${maxFormula}})$`,
);
const inlineFormula = new RegExp(
  String.raw`^(?:\\\((${noBlankLine}{1,${maxFormula}}?)\\\)|\\\[(${noBlankLine}{1,${maxFormula}}?)\\\]|\$\$((?:(?!\$\$)${noBlankLine}){1,${maxFormula}})\$\$|\$(?![\s$])((?:\\.|(?!\n[ \t]*\n)[^\\$]){1,${maxFormula}})(?<!\s)\$(?![\d$]))`,
);
/** Between two dollars stands a price, not a formula, where there are words with spaces around them. */
const prose = /^[A-Za-z]{2,}\s|\s[A-Za-z]{2,}(?=\s|$)/;
const openInlineFormula = new RegExp(String.raw`^\\[([]((?:(?!\\[)\]])[^\n]){1,300})$`);

function formula(raw: string, tex: string, display: boolean, open = false): FormulaToken {
  return { type: 'formula', raw, tex: tex.trim(), display, open };
}

/** The nearest place of any of these, or undefined. */
function nearest(source: string, wanted: readonly string[]): number | undefined {
  const places = wanted.map((each) => source.indexOf(each)).filter((at) => at >= 0);
  return places.length === 0 ? undefined : Math.min(...places);
}

/** @param growing more may come: a formula whose end is missing is taken for one that is being written */
function formulas(growing: boolean): TokenizerAndRendererExtension[] {
  return [
    {
      name: 'formula-block',
      level: 'block',
      start: (source) => nearest(source, ['\n$$', '\n\\[']),
      tokenizer(source) {
        const whole = blockFormula.exec(source);
        if (whole !== null) return formula(whole[0], whole[1] ?? whole[2] ?? '', true);
        const open = growing ? openBlockFormula.exec(source) : null;
        return open === null ? undefined : formula(open[0], open[1] ?? '', true, true);
      },
    },
    {
      name: 'formula-inline',
      level: 'inline',
      start: (source) => nearest(source, ['$', '\\(', '\\[']),
      tokenizer(source) {
        const whole = inlineFormula.exec(source);
        if (whole !== null) {
          const [raw, round, square, double, single] = whole;
          if (single !== undefined && prose.test(single)) return undefined;
          const display = square !== undefined || double !== undefined;
          return formula(raw, round ?? square ?? double ?? single ?? '', display);
        }
        const open = growing ? openInlineFormula.exec(source) : null;
        return open === null ? undefined : formula(open[0], open[1] ?? '', false, true);
      },
    },
  ];
}

const noteMark = /^\[\^([^\]\s\\]{1,60})\](?!:)/;
const note = /^ {0,3}\[\^([^\]\s\\]{1,60})\]:[ \t]*([^\n]*(?:\n[ \t]+[^\s][^\n]*)*)(?:\n|$)/;

const notes: TokenizerAndRendererExtension[] = [
  {
    name: 'note',
    level: 'block',
    start: (source) => nearest(source, ['\n[^']),
    tokenizer(source): NoteToken | undefined {
      const found = note.exec(source);
      if (found === null) return undefined;
      const [raw, label = '', words = ''] = found;
      const tokens: Token[] = [];
      this.lexer.inline(words.replaceAll(/\n[ \t]+/g, ' '), tokens);
      return { type: 'note', raw, label, tokens };
    },
  },
  {
    name: 'note-mark',
    level: 'inline',
    start: (source) => nearest(source, ['[^']),
    tokenizer(source): NoteMarkToken | undefined {
      const found = noteMark.exec(source);
      return found === null
        ? undefined
        : { type: 'note-mark', raw: found[0], label: found[1] ?? '' };
    },
  },
];

/** An extension costs a search for each paragraph: only those that a text can need are there. */
function optionsFor(source: string, growing: boolean): Marked['defaults'] {
  const key = `${/\$|\\[([]/.test(source)} ${source.includes('[^')} ${growing}`;
  const known = optionsByNeed.get(key);
  if (known !== undefined) return known;
  const [needsFormulas, needsNotes] = key.split(' ');
  const marked = new Marked({ gfm: true, breaks: true });
  const extensions = [
    ...(needsFormulas === 'true' ? formulas(growing) : []),
    ...(needsNotes === 'true' ? notes : []),
  ];
  if (extensions.length > 0) marked.use({ extensions });
  optionsByNeed.set(key, marked.defaults);
  return marked.defaults;
}
const optionsByNeed = new Map<string, Marked['defaults']>();

/**
 * The tokens of a text, in order; their `raw` together is the text.
 * @param source without carriage returns
 * @param growing more may come after it
 * @throws what marked throws; then the text is to be shown as it is
 */
export function lex(source: string, growing: boolean): Token[] {
  const lexer = new Lexer(optionsFor(source, growing));
  const tokens = lexer.blockTokens(source, lexer.tokens);
  // As marked's own `lex` does, but for the limit. The queue grows while it is gone through.
  for (const { src, tokens: into } of lexer.inlineQueue) {
    if (tooMuchInline(src)) into.push({ type: 'text', raw: src, text: src });
    else lexer.inlineTokens(src, into);
  }
  return tokens;
}
