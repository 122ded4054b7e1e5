import {
  type ConversationMarks,
  type ConversationSummary,
  type DeletedConversation,
} from '../../shared/domain/conversation.ts';
import {
  conversationSettingsSchema,
  type ConversationSettings,
} from '../../shared/domain/conversation-settings.ts';
import {
  createConversationLists,
  toSummary,
  type ConversationLists,
} from './conversation-lists.ts';
import { createFindPlace, type FindPlace } from './found-places.ts';
import { listQueries, summaryColumns, type SummaryRow } from './list-queries.ts';
import type { StudioDatabase } from './open.ts';
import { createFullText } from './search.ts';

interface DeletedRow extends SummaryRow {
  readonly deleted_at: number;
}

export interface DeletedList {
  readonly conversations: readonly DeletedConversation[];
  readonly total: number;
}

/** Queries on conversations. Those that were deleted are kept, unseen, until `purge`. */
export interface ConversationTable extends ConversationLists {
  create(id: string, title: string, at: number): void;
  /** Where in a conversation what was typed is found; null where only its title has it. */
  findPlace: FindPlace;
  /** Null where there is none, or it was deleted. */
  summary(id: string): ConversationSummary | null;
  /** Whether there is one, deleted or not. */
  isKnown(id: string): boolean;
  rename(id: string, title: string): void;
  /** Pins, archives, tags. */
  mark(id: string, marks: ConversationMarks): void;
  /** Its own settings; what is left out of them is as everywhere. */
  settings(id: string): ConversationSettings;
  keepSettings(id: string, settings: ConversationSettings): void;
  touch(id: string, at: number): void;
  /** Marks it deleted; false where there is none. */
  remove(id: string, at: number): boolean;
  restore(id: string): boolean;
  /** Those that were deleted and are still kept, the last deleted first. */
  deleted(limit: number, offset: number): DeletedList;
  /** Deletes one for good that was deleted before; false where there is none. */
  erase(id: string): boolean;
  /** Deletes for good what was deleted before `before`; returns how many. */
  purge(before: number): number;
}

/** Prepares the queries on conversations. */
export function createConversationTable(database: StudioDatabase): ConversationTable {
  const create = database.prepare(
    'INSERT INTO conversations (id, title, created_at, updated_at) VALUES (?, ?, ?, ?)',
  );
  const summary = database.prepare<[string], SummaryRow>(
    `SELECT ${summaryColumns} FROM conversations c WHERE c.id = ? AND c.deleted_at IS NULL`,
  );
  const known = database.prepare('SELECT 1 FROM conversations WHERE id = ?');
  const rename = database.prepare('UPDATE conversations SET title = ? WHERE id = ?');
  const touch = database.prepare('UPDATE conversations SET updated_at = ? WHERE id = ?');
  const remove = database.prepare(
    'UPDATE conversations SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL',
  );
  const restore = database.prepare(
    'UPDATE conversations SET deleted_at = NULL WHERE id = ? AND deleted_at IS NOT NULL',
  );
  const deleted = database.prepare<[number, number], DeletedRow>(listQueries.deleted);
  const deletedCount = database.prepare<[], number>(listQueries.deletedCount).pluck();
  const erase = database.prepare(
    'DELETE FROM conversations WHERE id = ? AND deleted_at IS NOT NULL',
  );
  const purge = database.prepare('DELETE FROM conversations WHERE deleted_at < ?');
  const fullText = createFullText(database);
  return {
    create: (id, title, at) => void create.run(id, title, at, at),
    ...createConversationLists(database, fullText),
    ...createOwn(database),
    findPlace: createFindPlace(database, fullText),
    summary(id) {
      const row = summary.get(id);
      return row === undefined ? null : toSummary(row, null);
    },
    isKnown: (id) => known.get(id) !== undefined,
    rename: (id, title) => void rename.run(title, id),
    touch: (id, at) => void touch.run(at, id),
    remove: (id, at) => remove.run(at, id).changes > 0,
    restore: (id) => restore.run(id).changes > 0,
    deleted: (limit, offset) => ({
      conversations: deleted
        .all(limit, offset)
        .map((row) => ({ ...toSummary(row, null), deletedAt: row.deleted_at })),
      total: deletedCount.get() ?? 0,
    }),
    erase: (id) => erase.run(id).changes > 0,
    purge: (before) => purge.run(before).changes,
  };
}

/** What a person has set of single conversations. */
function createOwn(
  database: StudioDatabase,
): Pick<ConversationTable, 'mark' | 'settings' | 'keepSettings'> {
  const mark = database.prepare(
    `UPDATE conversations SET pinned = coalesce(@pinned, pinned), archived = coalesce(@archived, archived),
     tags = coalesce(@tags, tags) WHERE id = @id`,
  );
  const settings = database
    .prepare<[string], string | null>('SELECT settings FROM conversations WHERE id = ?')
    .pluck();
  const keep = database.prepare('UPDATE conversations SET settings = ? WHERE id = ?');
  const flag = (value: boolean | undefined): number | null =>
    value === undefined ? null : Number(value);
  return {
    mark: (id, { pinned, archived, tags }) =>
      void mark.run({
        id,
        pinned: flag(pinned),
        archived: flag(archived),
        tags: tags === undefined ? null : JSON.stringify([...new Set(tags)]),
      }),
    // What another version wrote, and this one cannot read, is as everywhere.
    settings: (id) => readConversationSettings(settings.get(id) ?? null),
    keepSettings(id, own) {
      const isEmpty = Object.values(own).every((value) => value === undefined);
      keep.run(isEmpty ? null : JSON.stringify(own), id);
    },
  };
}

export function readConversationSettings(text: string | null): ConversationSettings {
  try {
    return conversationSettingsSchema.parse(text === null ? {} : JSON.parse(text));
  } catch {
    return {};
  }
}
