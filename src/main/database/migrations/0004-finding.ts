import type { Migration } from '../migration.ts';

/**
 * What a conversation is kept by (pinned, archived, tags, settings of its own), and full text that finds parts of
 * words in any script.
 *
 * - A row of full text is `conversation << 32 | 2 * part` (a title `2 * conversation + 1`), so that a conversation's
 *   rows lie together.
 * - It holds trigrams without their places: no larger than words with their places were. What has several trigrams is
 *   looked at once more by who asks. Two line breaks at the end of each text make its last one and two letters
 *   beginnings of trigrams, which is how shorter words are found.
 * - Two indexes: which turns have pictures, and which conversations a model wrote in.
 */
export const migration0004: Migration = {
  version: 4,
  name: 'finding',
  sql: `
ALTER TABLE conversations ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1));
ALTER TABLE conversations ADD COLUMN archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1));
ALTER TABLE conversations ADD COLUMN tags TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tags));
ALTER TABLE conversations ADD COLUMN settings TEXT CHECK (settings IS NULL OR json_valid(settings));
CREATE INDEX conversations_listed ON conversations (archived, deleted_at, pinned DESC, updated_at DESC, key DESC);
CREATE INDEX parts_with_picture ON parts (turn_key, is_current, deletion_key, picture_key) WHERE picture_key IS NOT NULL;
CREATE INDEX turns_by_model ON turns (model, conversation_key) WHERE model IS NOT NULL;

DROP TRIGGER conversations_search_insert;
DROP TRIGGER conversations_search_update;
DROP TRIGGER conversations_search_delete;
DROP TRIGGER parts_search_insert;
DROP TRIGGER parts_search_update;
DROP TRIGGER parts_search_delete;
DROP TRIGGER pictures_search_update;
DROP TRIGGER turns_search_deletion;
DROP TRIGGER parts_search_deletion;
DROP TABLE search;

CREATE VIRTUAL TABLE search USING fts5 (
  body, conversation_key UNINDEXED, tokenize = 'trigram remove_diacritics 1', detail = none
);
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
INSERT INTO search (rowid, body, conversation_key)
SELECT key << 32 | (2 * key + 1), title || char(10, 10), key FROM conversations
UNION ALL
SELECT t.conversation_key << 32 | (2 * p.key), coalesce(p.body, i.caption, '') || char(10, 10), t.conversation_key
FROM parts p JOIN turns t ON t.key = p.turn_key LEFT JOIN pictures i ON i.key = p.picture_key
WHERE p.deletion_key IS NULL AND t.deletion_key IS NULL;

CREATE TRIGGER conversations_search_insert AFTER INSERT ON conversations BEGIN
  INSERT INTO search (rowid, body, conversation_key)
  VALUES (new.key << 32 | (2 * new.key + 1), new.title || char(10, 10), new.key);
END;
CREATE TRIGGER conversations_search_update AFTER UPDATE OF title ON conversations BEGIN
  UPDATE search SET body = new.title || char(10, 10) WHERE rowid = (new.key << 32 | (2 * new.key + 1));
END;
CREATE TRIGGER conversations_search_delete AFTER DELETE ON conversations BEGIN
  DELETE FROM search WHERE rowid = (old.key << 32 | (2 * old.key + 1));
END;

CREATE TRIGGER parts_search_insert AFTER INSERT ON parts BEGIN
  INSERT INTO search (rowid, body, conversation_key)
  SELECT t.conversation_key << 32 | (2 * new.key),
    coalesce(new.body, (SELECT caption FROM pictures WHERE key = new.picture_key), '') || char(10, 10),
    t.conversation_key
  FROM turns t WHERE t.key = new.turn_key;
END;
CREATE TRIGGER parts_search_update AFTER UPDATE OF body, picture_key ON parts BEGIN
  UPDATE search
  SET body = coalesce(new.body, (SELECT caption FROM pictures WHERE key = new.picture_key), '') || char(10, 10)
  WHERE rowid = ((SELECT conversation_key FROM turns WHERE key = new.turn_key) << 32 | (2 * new.key));
END;
CREATE TRIGGER parts_search_delete BEFORE DELETE ON parts BEGIN
  DELETE FROM search
  WHERE rowid = ((SELECT conversation_key FROM turns WHERE key = old.turn_key) << 32 | (2 * old.key));
END;
CREATE TRIGGER turns_search_delete BEFORE DELETE ON turns BEGIN
  DELETE FROM search
  WHERE rowid IN (SELECT old.conversation_key << 32 | (2 * key) FROM parts WHERE turn_key = old.key);
END;
CREATE TRIGGER pictures_search_update AFTER UPDATE OF caption ON pictures BEGIN
  UPDATE search SET body = coalesce(new.caption, '') || char(10, 10)
  WHERE rowid IN (
    SELECT t.conversation_key << 32 | (2 * p.key) FROM parts p JOIN turns t ON t.key = p.turn_key
    WHERE p.picture_key = new.key
  );
END;

CREATE TRIGGER turns_search_deletion AFTER UPDATE OF deletion_key ON turns
WHEN (old.deletion_key IS NULL) <> (new.deletion_key IS NULL) BEGIN
  DELETE FROM search
  WHERE rowid IN (SELECT new.conversation_key << 32 | (2 * key) FROM parts WHERE turn_key = new.key);
  INSERT INTO search (rowid, body, conversation_key)
  SELECT new.conversation_key << 32 | (2 * p.key),
    coalesce(p.body, (SELECT caption FROM pictures WHERE key = p.picture_key), '') || char(10, 10),
    new.conversation_key
  FROM parts p WHERE p.turn_key = new.key AND p.deletion_key IS NULL AND new.deletion_key IS NULL;
END;
CREATE TRIGGER parts_search_deletion AFTER UPDATE OF deletion_key ON parts
WHEN (old.deletion_key IS NULL) <> (new.deletion_key IS NULL) BEGIN
  DELETE FROM search
  WHERE rowid = ((SELECT conversation_key FROM turns WHERE key = new.turn_key) << 32 | (2 * new.key));
  INSERT INTO search (rowid, body, conversation_key)
  SELECT t.conversation_key << 32 | (2 * new.key),
    coalesce(new.body, (SELECT caption FROM pictures WHERE key = new.picture_key), '') || char(10, 10),
    t.conversation_key
  FROM turns t WHERE t.key = new.turn_key AND t.deletion_key IS NULL AND new.deletion_key IS NULL;
END;
`,
};
