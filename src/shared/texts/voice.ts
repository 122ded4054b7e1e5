import { languageOf, type Language, type LanguageStart } from './language.ts';
import { sentenceIn } from './sentences.ts';
import { texts, type Texts } from './texts.ts';

/** What main says by itself: the menu, dialogs, notices on the desktop, and pages of its own. */
export interface Voice {
  language(): Language;
  texts(): Texts;
  /** A sentence that was made in English. */
  said(sentence: string): string;
}

/** @param start asked each time: the language changes while the app runs */
export function createVoice(start: () => LanguageStart): Voice {
  const language = (): Language => {
    const { chosen, preferred } = start();
    return languageOf(chosen, preferred);
  };
  return {
    language,
    texts: () => texts[language()],
    said: (sentence) => sentenceIn(language(), sentence),
  };
}

export const english: Voice = createVoice(() => ({ chosen: 'en', preferred: [] }));
