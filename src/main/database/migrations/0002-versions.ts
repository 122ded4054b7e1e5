import type { Migration } from '../migration.ts';

/**
 * Turns become a tree, and a place of a turn may have several parts, of which one is current.
 *
 * - Versions of a turn are the turns under one parent (under none: the conversation's first). One of them is current;
 *   the current path goes from current to current. A parent has a lower key than its children and lies in the same
 *   conversation, so that no circle and no bridge can be written.
 * - Versions of a drawing are the parts at one place of one turn. A drawing's picture is never changed in its row:
 *   a trigger refuses it.
 * - A deletion names what was taken away together, so that it can be undone together. A deleted turn that is still
 *   current is passed through: what follows it stays.
 *
 * Turns get new keys here, in reading order, so that the rule of the lower key holds whatever their keys were. Parts
 * keep theirs: full text refers to them.
 */
export const migration0002: Migration = {
  version: 2,
  name: 'versions',
  sql: `
DROP TRIGGER parts_search_insert;
DROP TRIGGER parts_search_update;
DROP TRIGGER parts_search_delete;
DROP TRIGGER pictures_search_update;

CREATE TABLE deletions (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  conversation_key INTEGER NOT NULL REFERENCES conversations (key) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  erased INTEGER NOT NULL DEFAULT 0 CHECK (erased IN (0, 1))
) STRICT;
CREATE INDEX deletions_by_conversation ON deletions (conversation_key);
CREATE INDEX deletions_by_time ON deletions (created_at) WHERE erased = 0;

CREATE TABLE turn_keys (old INTEGER PRIMARY KEY, new INTEGER NOT NULL, conversation_key INTEGER NOT NULL) STRICT;
INSERT INTO turn_keys SELECT key, row_number() OVER (ORDER BY conversation_key, position), conversation_key FROM turns;

CREATE TABLE turns_2 (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  conversation_key INTEGER NOT NULL REFERENCES conversations (key) ON DELETE CASCADE,
  parent_key INTEGER CHECK (parent_key < key),
  is_current INTEGER NOT NULL CHECK (is_current IN (0, 1)),
  deletion_key INTEGER REFERENCES deletions (key),
  role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
  status TEXT NOT NULL
    CHECK (status IN ('streaming', 'complete', 'cut', 'stopped', 'interrupted', 'failed')),
  error TEXT CHECK (error IS NULL OR json_valid(error)),
  notices TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(notices)),
  usage TEXT CHECK (usage IS NULL OR json_valid(usage)),
  model TEXT,
  recipe TEXT CHECK (recipe IS NULL OR json_valid(recipe)),
  created_at INTEGER NOT NULL,
  UNIQUE (conversation_key, key),
  FOREIGN KEY (conversation_key, parent_key) REFERENCES turns (conversation_key, key)
) STRICT;
INSERT INTO turns_2
SELECT k.new, t.id, t.conversation_key,
  lag(k.new) OVER (PARTITION BY t.conversation_key ORDER BY t.position),
  1, NULL, t.role, t.status, t.error, t.notices, t.usage, t.model, NULL, t.created_at
FROM turns t JOIN turn_keys k ON k.old = t.key
ORDER BY k.new;

CREATE TABLE parts_2 (
  key INTEGER PRIMARY KEY,
  turn_key INTEGER NOT NULL REFERENCES turns (key) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position >= 0),
  is_current INTEGER NOT NULL DEFAULT 1 CHECK (is_current IN (0, 1)),
  deletion_key INTEGER REFERENCES deletions (key),
  kind TEXT NOT NULL CHECK (kind IN ('text', 'picture', 'undrawn')),
  body TEXT,
  picture_key INTEGER REFERENCES pictures (key),
  error TEXT CHECK (error IS NULL OR json_valid(error)),
  CHECK ((kind = 'picture') = (picture_key IS NOT NULL)),
  CHECK ((kind = 'picture') = (body IS NULL)),
  CHECK ((kind = 'undrawn') = (error IS NOT NULL)),
  CHECK (kind <> 'text' OR is_current = 1),
  CHECK (deletion_key IS NULL OR is_current = 0)
) STRICT;
INSERT INTO parts_2
SELECT p.key, k.new, p.position, 1, NULL, p.kind, p.body, p.picture_key, p.error
FROM parts p JOIN turn_keys k ON k.old = p.turn_key;

DROP TABLE parts;
DROP TABLE turns;
DROP TABLE turn_keys;
ALTER TABLE turns_2 RENAME TO turns;
ALTER TABLE parts_2 RENAME TO parts;

CREATE INDEX turns_by_parent ON turns (conversation_key, parent_key, key);
CREATE UNIQUE INDEX turns_current ON turns (parent_key) WHERE is_current = 1 AND parent_key IS NOT NULL;
CREATE UNIQUE INDEX turns_current_first ON turns (conversation_key) WHERE is_current = 1 AND parent_key IS NULL;
CREATE INDEX turns_streaming ON turns (status) WHERE status = 'streaming';
CREATE INDEX turns_deleted ON turns (deletion_key) WHERE deletion_key IS NOT NULL;
CREATE INDEX parts_by_turn ON parts (turn_key, position);
CREATE UNIQUE INDEX parts_current ON parts (turn_key, position) WHERE is_current = 1;
CREATE INDEX parts_by_picture ON parts (picture_key) WHERE picture_key IS NOT NULL;
CREATE INDEX parts_deleted ON parts (deletion_key) WHERE deletion_key IS NOT NULL;

CREATE TRIGGER parts_keep_picture BEFORE UPDATE OF picture_key ON parts
WHEN old.picture_key IS NOT NULL AND new.picture_key IS NOT old.picture_key BEGIN
  SELECT raise(ABORT, 'a picture is never replaced in its row: it gets another version');
END;

CREATE TRIGGER parts_search_insert AFTER INSERT ON parts BEGIN
  INSERT INTO search (rowid, body, conversation_key) VALUES (
    2 * new.key,
    coalesce(new.body, (SELECT caption FROM pictures WHERE key = new.picture_key), ''),
    (SELECT conversation_key FROM turns WHERE key = new.turn_key)
  );
END;
CREATE TRIGGER parts_search_update AFTER UPDATE OF body, picture_key ON parts BEGIN
  UPDATE search
  SET body = coalesce(new.body, (SELECT caption FROM pictures WHERE key = new.picture_key), '')
  WHERE rowid = 2 * new.key;
END;
CREATE TRIGGER parts_search_delete AFTER DELETE ON parts BEGIN
  DELETE FROM search WHERE rowid = 2 * old.key;
END;
CREATE TRIGGER pictures_search_update AFTER UPDATE OF caption ON pictures BEGIN
  UPDATE search SET body = coalesce(new.caption, '')
  WHERE rowid IN (SELECT 2 * key FROM parts WHERE picture_key = new.key);
END;

CREATE TRIGGER turns_search_deletion AFTER UPDATE OF deletion_key ON turns
WHEN (old.deletion_key IS NULL) <> (new.deletion_key IS NULL) BEGIN
  DELETE FROM search WHERE rowid IN (SELECT 2 * key FROM parts WHERE turn_key = new.key);
  INSERT INTO search (rowid, body, conversation_key)
  SELECT 2 * p.key, coalesce(p.body, (SELECT caption FROM pictures WHERE key = p.picture_key), ''), new.conversation_key
  FROM parts p WHERE p.turn_key = new.key AND p.deletion_key IS NULL AND new.deletion_key IS NULL;
END;
CREATE TRIGGER parts_search_deletion AFTER UPDATE OF deletion_key ON parts
WHEN (old.deletion_key IS NULL) <> (new.deletion_key IS NULL) BEGIN
  DELETE FROM search WHERE rowid = 2 * new.key;
  INSERT INTO search (rowid, body, conversation_key)
  SELECT 2 * new.key, coalesce(new.body, (SELECT caption FROM pictures WHERE key = new.picture_key), ''), t.conversation_key
  FROM turns t WHERE t.key = new.turn_key AND t.deletion_key IS NULL AND new.deletion_key IS NULL;
END;
`,
};
