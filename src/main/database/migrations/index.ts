import type { Migration } from '../migration.ts';
import { migration0001 } from './0001-conversations.ts';
import { migration0002 } from './0002-versions.ts';
import { migration0003 } from './0003-pictures.ts';
import { migration0004 } from './0004-finding.ts';
import { migration0005 } from './0005-ratings.ts';

/** Every step, oldest first. A released step is never changed: a new one is added. Numbers rise; some may be left out. */
export const migrations: readonly Migration[] = [
  migration0001,
  migration0002,
  migration0003,
  migration0004,
  migration0005,
];
