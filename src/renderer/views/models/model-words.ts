import type { PartRole } from '../../../shared/domain/catalogue.ts';
import type { FoundKind } from '../../../shared/domain/model-import.ts';
import { t } from '../../texts.svelte.ts';

/** What a part is in a model, in a word or two. */
export const roleWords = (role: PartRole): string => t.models.roles[role];

/** What of a model is being copied or checked. */
export const importPartWords = (part: string): string =>
  new Map(Object.entries(t.models.importParts)).get(part) ?? part;

/** What something is that a person brought. */
export const kindWords = (kind: FoundKind): string => t.models.kinds[kind];
