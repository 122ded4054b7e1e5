/** The window's texts in the language that is chosen. */
import { localeOf, type Language } from '../shared/texts/language.ts';
import { sentenceIn } from '../shared/texts/sentences.ts';
import { toWireError } from '../shared/errors.ts';
import { texts, type Texts } from '../shared/texts/texts.ts';

let language = $state<Language>('en');
let preferred = $state.raw<readonly string[]>([]);

/** Shows everything in that language, at once; `desktop` is the languages of the desktop. */
export function showLanguage(next: Language, desktop: readonly string[]): void {
  language = next;
  preferred = desktop;
}

/** The language that is shown. */
export function shownLanguage(): Language {
  return language;
}

/** What dates are written by: the language that is shown, as the desktop's region writes it. */
export function shownLocale(): string {
  return localeOf(language, preferred);
}

/** A sentence of main, a library or the engine, in the language that is shown where that has it. */
export function said(sentence: string): string {
  return sentenceIn(language, sentence);
}

/**
 * The texts by room: `t.chat.regenerate`. Each is read when it is shown, so that a template or `$derived` that reads one
 * follows the language; a constant of a module would not.
 */
export const t: Texts = {
  get bench() {
    return texts[language].bench;
  },
  get chat() {
    return texts[language].chat;
  },
  get common() {
    return texts[language].common;
  },
  get composer() {
    return texts[language].composer;
  },
  get cuda() {
    return texts[language].cuda;
  },
  get desktop() {
    return texts[language].desktop;
  },
  get doctor() {
    return texts[language].doctor;
  },
  get engine() {
    return texts[language].engine;
  },
  get exchange() {
    return texts[language].exchange;
  },
  get gallery() {
    return texts[language].gallery;
  },
  get lightbox() {
    return texts[language].lightbox;
  },
  get list() {
    return texts[language].list;
  },
  get models() {
    return texts[language].models;
  },
  get recipe() {
    return texts[language].recipe;
  },
  get settings() {
    return texts[language].settings;
  },
  get shell() {
    return texts[language].shell;
  },
  get training() {
    return texts[language].training;
  },
  get trash() {
    return texts[language].trash;
  },
};

/** What to tell a person about anything thrown. */
export function sentenceOf(error: unknown): string {
  return said(toWireError(error).message);
}
