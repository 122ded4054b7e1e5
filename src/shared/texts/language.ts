export const languages = ['en', 'zh'] as const;
export type Language = (typeof languages)[number];

/** What a person may choose; `system` is the first of the desktop's languages that there is. */
export const languageChoices = ['system', ...languages] as const;
export type LanguageChoice = (typeof languageChoices)[number];

/** @param preferred the desktop's languages as BCP 47 tags, the dearest first */
export function languageOf(choice: LanguageChoice, preferred: readonly string[]): Language {
  if (choice !== 'system') return choice;
  for (const tag of preferred) {
    const found = languages.find((language) => isOf(tag, language));
    if (found !== undefined) return found;
  }
  return 'en';
}

/** The tag that dates are written by: the desktop's own where it is of this language ("en-GB"), else the language's. */
export function localeOf(language: Language, preferred: readonly string[]): string {
  return preferred.find((tag) => isOf(tag, language)) ?? { en: 'en', zh: 'zh-CN' }[language];
}

/** What `lang` says on a page: which Chinese it is decides which shapes letters have. */
export const htmlLanguages = { en: 'en', zh: 'zh-Hans' } as const satisfies Record<
  Language,
  string
>;

function isOf(tag: string, language: Language): boolean {
  return tag.toLowerCase().split(/[-_]/)[0] === language;
}

/** What a window is made with. */
export interface LanguageStart {
  readonly chosen: LanguageChoice;
  /** The desktop's languages as BCP 47 tags, the dearest first. */
  readonly preferred: readonly string[];
}

const argument = '--textbind-language=';

/** As an argument of the window's process, which is all that a preload without Node's modules can be handed. */
export function languageArgument({ chosen, preferred }: LanguageStart): string {
  return argument + [chosen, ...preferred].join(',');
}

export function readLanguageArgument(argv: readonly string[]): LanguageStart {
  const found = argv.find((each) => each.startsWith(argument))?.slice(argument.length) ?? '';
  const [first, ...preferred] = found.split(',');
  return { chosen: languageChoices.find((each) => each === first) ?? 'system', preferred };
}
