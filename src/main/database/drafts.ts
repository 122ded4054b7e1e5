import { keptDraftSchema, newConversationKey, type KeptDraft } from '../../shared/domain/draft.ts';
import type { StudioDatabase } from './connection.ts';
import { draftRowPrefix } from './settings.ts';

/** Queries on what a person has begun to write: rows of settings, where what is deleted is overwritten. */
export interface DraftTable {
  /** Those that can be read; drafts of conversations that are gone for good go first. */
  list(): readonly { readonly key: string; readonly draft: KeptDraft }[];
  /** Null: there is none any more. */
  keep(key: string, draft: KeptDraft | null): void;
}

/** Prepares the queries on drafts. */
export function createDraftTable(database: StudioDatabase): DraftTable {
  const forgetGone = database.prepare(
    `DELETE FROM settings WHERE name GLOB '${draftRowPrefix}*' AND name <> '${draftRowPrefix}${newConversationKey}'
       AND substr(name, ${draftRowPrefix.length + 1}) NOT IN (SELECT id FROM conversations)`,
  );
  const all = database.prepare<[], { name: string; value: string }>(
    `SELECT name, value FROM settings WHERE name GLOB '${draftRowPrefix}*'`,
  );
  const put = database.prepare(
    'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );
  const drop = database.prepare('DELETE FROM settings WHERE name = ?');
  return {
    list() {
      forgetGone.run();
      return all.all().flatMap(({ name, value }) => {
        const draft = keptDraftSchema.safeParse(JSON.parse(value));
        return draft.success ? [{ key: name.slice(draftRowPrefix.length), draft: draft.data }] : [];
      });
    },
    keep(key, draft) {
      if (draft === null) drop.run(draftRowPrefix + key);
      else put.run(draftRowPrefix + key, JSON.stringify(draft));
    },
  };
}
