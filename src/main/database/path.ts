/**
 * `path (conversation_key, key, depth)`: the current path of a conversation by its id, deleted turns included, in
 * order; its first row stands for the conversation itself, with no key. A bound id comes first in a statement with it.
 */
export const currentPath = `
WITH RECURSIVE path (conversation_key, key, depth) AS (
  SELECT c.key, NULL, -1 FROM conversations c WHERE c.id = ?
  UNION ALL
  SELECT path.conversation_key, t.key, path.depth + 1
  FROM path CROSS JOIN turns t
    ON t.conversation_key = path.conversation_key AND t.parent_key IS path.key AND t.is_current = 1
)`;

/** How many turns the current path of the conversation `c` of the statement around it shows. */
export const shownTurns = `(
  WITH RECURSIVE path (key) AS (
    SELECT NULL
    UNION ALL
    SELECT t.key FROM path CROSS JOIN turns t
      ON t.conversation_key = c.key AND t.parent_key IS path.key AND t.is_current = 1
  )
  SELECT count(*) FROM path CROSS JOIN turns t ON t.key = path.key WHERE t.deletion_key IS NULL
)`;
