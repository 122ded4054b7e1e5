/** The window's texts in the language that is chosen. */
import { localeOf, type Language } from '../shared/texts/language.ts';
import { texts, type Texts } from '../shared/texts/texts.ts';

let language = $state<Language>('en');
const shown = $derived(texts[language]);
let preferred = $state.raw<readonly string[]>([]);
const locale = $derived(localeOf(language, preferred));

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
  return locale;
}

/**
 * The texts by room: `t.chat.regenerate`. Each is read when it is shown, so that a template or `$derived` that reads one
 * follows the language; a constant of a module would not.
 */
export const t: Texts = {
  get bench() {
    return shown.bench;
  },
  get chat() {
    return shown.chat;
  },
  get common() {
    return shown.common;
  },
  get composer() {
    return shown.composer;
  },
  get doctor() {
    return shown.doctor;
  },
  get engine() {
    return shown.engine;
  },
  get exchange() {
    return shown.exchange;
  },
  get gallery() {
    return shown.gallery;
  },
  get lightbox() {
    return shown.lightbox;
  },
  get list() {
    return shown.list;
  },
  get models() {
    return shown.models;
  },
  get recipe() {
    return shown.recipe;
  },
  get settings() {
    return shown.settings;
  },
  get shell() {
    return shown.shell;
  },
  get training() {
    return shown.training;
  },
  get trash() {
    return shown.trash;
  },
};
