import { shownTurns } from './path.ts';

/**
 * Makes what a person typed into an FTS5 query: every word must occur, the last one may be a beginning. Each word is
 * quoted, so that no character of it is an operator. Null where nothing can be looked for.
 */
export function toSearchQuery(typed: string): string | null {
  const words = typed
    .replaceAll(/["\0]/g, ' ')
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  return words.length === 0 ? null : `${words.map((word) => `"${word}"`).join(' ')}*`;
}

/** The statements of the conversation list and of search; here so that a test can look at their plans. */
export const listQueries = {
  /** ?1 limit, ?2 offset. */
  list: `
SELECT c.id, c.title, c.created_at, c.updated_at,
  ${shownTurns} AS turn_count
FROM conversations c WHERE c.deleted_at IS NULL
ORDER BY c.updated_at DESC, c.key DESC LIMIT ? OFFSET ?`,

  count: 'SELECT count(*) FROM conversations WHERE deleted_at IS NULL',

  /** ?1 limit, ?2 offset. What was deleted last comes first. */
  deleted: `
SELECT c.id, c.title, c.created_at, c.updated_at, c.deleted_at,
  ${shownTurns} AS turn_count
FROM conversations c WHERE c.deleted_at > 0
ORDER BY c.deleted_at DESC LIMIT ? OFFSET ?`,

  deletedCount: 'SELECT count(*) FROM conversations WHERE deleted_at > 0',

  /** ?1 query, ?2 limit, ?3 offset. The newest place found stands for its conversation. */
  search: `
SELECT c.id, c.title, c.created_at, c.updated_at, found.hit,
  ${shownTurns} AS turn_count
FROM (
  SELECT conversation_key, max(rowid) AS hit FROM search WHERE search MATCH ? GROUP BY conversation_key
) AS found
CROSS JOIN conversations c ON c.key = found.conversation_key
WHERE c.deleted_at IS NULL
ORDER BY c.updated_at DESC, c.key DESC LIMIT ? OFFSET ?`,

  searchCount: `
SELECT count(*) FROM (SELECT DISTINCT conversation_key FROM search WHERE search MATCH ?) AS found
CROSS JOIN conversations c ON c.key = found.conversation_key
WHERE c.deleted_at IS NULL`,

  /** ?1 query, ?2 row; the driver binds a number as a real, by which full text finds no row but ignores the limit. */
  snippet: `SELECT snippet(search, 0, '', '', '…', 16) FROM search WHERE search MATCH ? AND rowid = CAST(? AS INTEGER)`,
} as const;
