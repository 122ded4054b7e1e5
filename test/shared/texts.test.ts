import { describe, expect, test } from 'vitest';
import {
  htmlLanguages,
  languageArgument,
  languageOf,
  localeOf,
  readLanguageArgument,
} from '../../src/shared/texts/language.ts';
import { texts } from '../../src/shared/texts/texts.ts';

type Text = string | ((...values: never[]) => string);

/** Each text with the path of its key. */
function flat(tree: object, at = ''): [string, Text][] {
  return Object.entries(tree).flatMap(([key, value]: [string, unknown]): [string, Text][] =>
    typeof value === 'object' && value !== null
      ? flat(value, `${at}${key}.`)
      : [[`${at}${key}`, value as Text]],
  );
}

const english = new Map(flat(texts.en));
const chinese = new Map(flat(texts.zh));

/** Numbers that no text has of its own; more than one, so that plurals are. */
const marks = [90_001, 90_003, 90_007, 90_011, 90_013, 90_017];

/** Which values stand in what it says. */
function valuesIn(text: Text): readonly number[] {
  if (typeof text === 'string') return [];
  const said = text(...(marks as never[]));
  return marks.filter((mark) => said.includes(String(mark)));
}

test('every English text has a Chinese one, and no other', () => {
  expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort());
});

test('a text says the same values in both languages', () => {
  const differing = [...english].filter(
    ([key, text]) => String(valuesIn(text)) !== String(valuesIn(chinese.get(key) ?? '')),
  );
  expect(differing.map(([key]) => key)).toEqual([]);
});

/** What is called the same in Chinese; the last is asked of a model, which reads English. */
const names =
  /^(CUDA|WebGPU|Q-Former|GGUF|PDF|Markdown|TextBind JSON|Top[- ][pk]|Control [CS]|English|Adam|Draw a red apple\.)$/;

test('the Chinese texts are Chinese, but for names and keys', () => {
  const said = (text: Text): string =>
    typeof text === 'string' ? text : text(...(marks as never[]));
  const same = [...chinese]
    .filter(
      ([key, text]) =>
        said(text) === said(english.get(key) ?? '') &&
        /[a-z]{3}/i.test(said(text)) &&
        !names.test(said(text)),
    )
    .map(([key]) => key);
  expect(same).toEqual([]);
});

test('Chinese is set as Chinese is: its own punctuation, and no blank before it', () => {
  const says = (text: Text): string =>
    typeof text === 'string' ? text : text(...(marks as never[]));
  const wrong = [...chinese]
    .map(([key, text]) => [key, says(text)] as const)
    .filter(([, said]) =>
      /\p{Script=Han}[,;:!?()]|\p{Script=Han}\.(?!\w)| [，。：；！？）]|[，。：；（] /u.test(said),
    )
    .map(([key, said]) => `${key}: ${said}`);
  expect(wrong).toEqual([]);
});

describe('the language', () => {
  test('is the first of the desktop’s that there is, unless one is chosen', () => {
    expect(languageOf('system', ['fr-FR', 'zh-CN', 'en-US'])).toBe('zh');
    expect(languageOf('system', ['zh_TW'])).toBe('zh');
    expect(languageOf('system', ['de'])).toBe('en');
    expect(languageOf('system', [])).toBe('en');
    expect(languageOf('en', ['zh-CN'])).toBe('en');
    expect(languageOf('zh', ['en'])).toBe('zh');
  });

  test('writes dates as the desktop’s region does, where that is of the language', () => {
    expect(localeOf('en', ['de-DE', 'en-GB'])).toBe('en-GB');
    expect(localeOf('zh', ['en-GB'])).toBe('zh-CN');
    expect(htmlLanguages.zh).toBe('zh-Hans');
  });

  test('goes to the window as an argument', () => {
    const start = { chosen: 'zh', preferred: ['de-DE', 'en'] } as const;
    expect(readLanguageArgument(['electron', languageArgument(start)])).toEqual(start);
    expect(readLanguageArgument([])).toEqual({ chosen: 'system', preferred: [] });
    expect(readLanguageArgument(['--textbind-language=xx,en'])).toEqual({
      chosen: 'system',
      preferred: ['en'],
    });
  });
});
