import type { ConversationFilter } from '../../shared/domain/conversation.ts';
import { shownTurns } from './path.ts';

export interface SummaryRow {
  readonly id: string;
  readonly title: string;
  readonly created_at: number;
  readonly updated_at: number;
  readonly turn_count: number;
  readonly pinned: number;
  readonly archived: number;
  readonly tags: string;
  readonly thumbnail: string | null;
}

/** Columns of a conversation `c`, as `SummaryRow` has them. */
export const summaryColumns = `c.id, c.title, c.created_at, c.updated_at, c.pinned, c.archived, c.tags,
  ${shownTurns} AS turn_count, (
    SELECT i.hash FROM turns t
    CROSS JOIN parts p ON p.turn_key = t.key AND p.is_current = 1 AND p.deletion_key IS NULL
      AND p.picture_key IS NOT NULL
    CROSS JOIN pictures i ON i.key = p.picture_key
    WHERE t.conversation_key = c.key AND t.deletion_key IS NULL ORDER BY t.key DESC LIMIT 1
  ) AS thumbnail`;

/** A part `p` of a turn `t` with a picture `i` as the filter asks for one. */
const pictured = `p.picture_key IS NOT NULL AND p.deletion_key IS NULL AND t.deletion_key IS NULL
      AND (@has = 'picture' OR i.origin = 'drawn')`;

/** What a filter asks of a conversation's own columns. */
const ownColumns = `(@tag IS NULL OR EXISTS (SELECT 1 FROM json_each(c.tags) WHERE value = @tag))
  AND c.updated_at >= @since AND c.updated_at < @until`;

/** What a filter asks of a conversation `c`; parameters of `filterParameters`. */
const filtered = `
  ${ownColumns}
  AND (@model IS NULL OR c.key IN (SELECT conversation_key FROM turns WHERE model = @model))
  AND (@has IS NULL OR c.key IN (
    SELECT t.conversation_key FROM parts p CROSS JOIN turns t ON t.key = p.turn_key
    LEFT JOIN pictures i ON i.key = p.picture_key
    WHERE ${pictured}
  ))`;

/** The same of one conversation: what all have is not gathered for it. */
const filteredAlone = `
  ${ownColumns}
  AND (@model IS NULL OR EXISTS (
    SELECT 1 FROM turns t WHERE t.conversation_key = c.key AND +t.model = @model))
  AND (@has IS NULL OR EXISTS (
    SELECT 1 FROM turns t CROSS JOIN parts p ON p.turn_key = t.key
    LEFT JOIN pictures i ON i.key = p.picture_key
    WHERE t.conversation_key = c.key AND ${pictured}
  ))`;

/** The statements of the conversation list and of search; here so that a test can look at their plans. */
export const listQueries = {
  /** ?1 limit, ?2 offset. */
  list: `
SELECT ${summaryColumns}
FROM conversations c WHERE c.archived = 0 AND c.deleted_at IS NULL
ORDER BY c.pinned DESC, c.updated_at DESC, c.key DESC LIMIT ? OFFSET ?`,

  count: 'SELECT count(*) FROM conversations WHERE archived = 0 AND deleted_at IS NULL',

  filtered: `
SELECT ${summaryColumns}
FROM conversations c WHERE c.archived = @archived AND c.deleted_at IS NULL AND ${filtered}
ORDER BY c.pinned DESC, c.updated_at DESC, c.key DESC LIMIT @limit OFFSET @offset`,

  filteredCount: `
SELECT count(*) FROM conversations c INDEXED BY conversations_listed WHERE c.archived = @archived AND c.deleted_at IS NULL AND ${filtered}`,

  /** When a conversation was changed, by its key, if it is in the filter. */
  found: `
SELECT c.updated_at FROM conversations c
WHERE c.key = @key AND c.deleted_at IS NULL AND (@archived IS NULL OR c.archived = @archived)
  AND ${filteredAlone}`,

  /** ?1 key. */
  one: `SELECT ${summaryColumns} FROM conversations c WHERE c.key = ?`,

  /** The next in the filter behind one, the newest first. */
  next: `
SELECT c.key, c.updated_at FROM conversations c
WHERE c.deleted_at IS NULL AND (c.updated_at, c.key) < (@updated, @key)
  AND (@archived IS NULL OR c.archived = @archived) AND ${filtered}
ORDER BY c.updated_at DESC, c.key DESC LIMIT @limit`,

  /** ?1 limit, ?2 offset. What was deleted last comes first. */
  deleted: `
SELECT ${summaryColumns}, c.deleted_at
FROM conversations c WHERE c.deleted_at > 0
ORDER BY c.deleted_at DESC LIMIT ? OFFSET ?`,

  deletedCount: 'SELECT count(*) FROM conversations WHERE deleted_at > 0',

  tags: `
SELECT value FROM conversations c, json_each(c.tags) WHERE c.deleted_at IS NULL
GROUP BY value ORDER BY value COLLATE NOCASE`,

  /** Each model once, by one look-up a model. */
  models: `
WITH RECURSIVE each (model) AS (
  SELECT min(model) FROM turns WHERE model IS NOT NULL
  UNION ALL
  SELECT (SELECT min(model) FROM turns WHERE model > each.model) FROM each WHERE model IS NOT NULL
)
SELECT model FROM each WHERE model IS NOT NULL`,
} as const;

/** A filter as its statements take it. */
export function filterParameters({ tag, has, model, since, until }: ConversationFilter) {
  return {
    tag: tag ?? null,
    has: has ?? null,
    model: model ?? null,
    since: since ?? Number.MIN_SAFE_INTEGER,
    until: until ?? Number.MAX_SAFE_INTEGER,
  };
}
