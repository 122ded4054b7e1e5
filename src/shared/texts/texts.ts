import { en } from './en.ts';
import { zh } from './zh.ts';
import type { Language } from './language.ts';

/** Every text of the window and of main, by room. A key that a language lacks, or whose values differ, does not compile. */
export type Texts = typeof en;

export const texts: Readonly<Record<Language, Texts>> = { en, zh };
