import {
  conversationSummarySchema,
  type ConversationSummary,
  type DeletedConversation,
} from '../../shared/domain/conversation.ts';
import { createFindPlace, type FindPlace } from './found-places.ts';
import type { StudioDatabase } from './open.ts';
import { shownTurns } from './path.ts';
import { listQueries, toSearchQuery } from './search.ts';

interface SummaryRow {
  readonly id: string;
  readonly title: string;
  readonly created_at: number;
  readonly updated_at: number;
  readonly turn_count: number;
}

interface DeletedRow extends SummaryRow {
  readonly deleted_at: number;
}

interface FoundRow extends SummaryRow {
  readonly hit: number;
}

export interface ConversationList {
  readonly conversations: readonly ConversationSummary[];
  /** How many there are without limit and offset. */
  readonly total: number;
}

export interface DeletedList {
  readonly conversations: readonly DeletedConversation[];
  readonly total: number;
}

/** Queries on conversations. Those that were deleted are kept, unseen, until `purge`. */
export interface ConversationTable {
  create(id: string, title: string, at: number): void;
  list(limit: number, offset: number): ConversationList;
  search(typed: string, limit: number, offset: number): ConversationList;
  /** Where in a conversation what was typed is found; null where only its title has it. */
  findPlace: FindPlace;
  /** Null where there is none, or it was deleted. */
  summary(id: string): ConversationSummary | null;
  /** Whether there is one, deleted or not. */
  isKnown(id: string): boolean;
  rename(id: string, title: string): void;
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

const summaryColumns = `c.id, c.title, c.created_at, c.updated_at,
  ${shownTurns} AS turn_count`;

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
  return {
    create: (id, title, at) => void create.run(id, title, at, at),
    ...createLists(database),
    findPlace: createFindPlace(database),
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

function createLists(database: StudioDatabase): Pick<ConversationTable, 'list' | 'search'> {
  const list = database.prepare<[number, number], SummaryRow>(listQueries.list);
  const count = database.prepare<[], number>(listQueries.count).pluck();
  const search = database.prepare<[string, number, number], FoundRow>(listQueries.search);
  const searchCount = database.prepare<[string], number>(listQueries.searchCount).pluck();
  const snippet = database.prepare<[string, number], string>(listQueries.snippet).pluck();
  return {
    list: (limit, offset) => ({
      conversations: list.all(limit, offset).flatMap((row) => readable(toSummary(row, null))),
      total: count.get() ?? 0,
    }),
    search(typed, limit, offset) {
      const query = toSearchQuery(typed);
      if (query === null) return { conversations: [], total: 0 };
      const rows = search.all(query, limit, offset);
      return {
        conversations: rows.flatMap((row) =>
          readable(toSummary(row, snippet.get(query, row.hit) ?? null)),
        ),
        total: searchCount.get(query) ?? 0,
      };
    },
  };
}

/** A row that the window could not take is left out, alone: the next start gives it what it lacks. */
function readable(summary: ConversationSummary): ConversationSummary[] {
  return conversationSummarySchema.safeParse(summary).success ? [summary] : [];
}

function toSummary(row: SummaryRow, snippet: string | null): ConversationSummary {
  return {
    id: row.id,
    title: row.title,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    turnCount: row.turn_count,
    snippet,
  };
}
