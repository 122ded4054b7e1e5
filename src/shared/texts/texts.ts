import { en, type Texts } from './en.ts';
import { zh } from './zh.ts';
import type { Language } from './language.ts';

export type { Texts };

export const texts: Readonly<Record<Language, Texts>> = { en, zh };
