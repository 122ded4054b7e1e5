import type { Migration } from '../migration.ts';

/**
 * Keys are integers inside and UUIDs outside: full-text rows need an integer, and an integer key keeps the indexes
 * small. A part has the row 2 * key in `search`, a title the row 2 * key + 1, so that the two never meet.
 */
export const migration0001: Migration = {
  version: 1,
  name: 'conversations',
  sql: `
CREATE TABLE conversations (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER
) STRICT;
CREATE INDEX conversations_by_time ON conversations (deleted_at, updated_at DESC, key DESC);

CREATE TABLE turns (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  conversation_key INTEGER NOT NULL REFERENCES conversations (key) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position >= 0),
  role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
  status TEXT NOT NULL
    CHECK (status IN ('streaming', 'complete', 'cut', 'stopped', 'interrupted', 'failed')),
  error TEXT CHECK (error IS NULL OR json_valid(error)),
  notices TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(notices)),
  usage TEXT CHECK (usage IS NULL OR json_valid(usage)),
  model TEXT,
  created_at INTEGER NOT NULL,
  UNIQUE (conversation_key, position)
) STRICT;
CREATE INDEX turns_streaming ON turns (status) WHERE status = 'streaming';

CREATE TABLE pictures (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  hash TEXT NOT NULL CHECK (length(hash) = 64),
  media_type TEXT NOT NULL,
  width INTEGER NOT NULL CHECK (width > 0),
  height INTEGER NOT NULL CHECK (height > 0),
  bytes INTEGER NOT NULL CHECK (bytes > 0),
  origin TEXT NOT NULL CHECK (origin IN ('user', 'drawn')),
  caption TEXT,
  recipe TEXT CHECK (recipe IS NULL OR json_valid(recipe)),
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX pictures_by_hash ON pictures (hash);
CREATE INDEX pictures_by_time ON pictures (created_at);

CREATE TABLE parts (
  key INTEGER PRIMARY KEY,
  turn_key INTEGER NOT NULL REFERENCES turns (key) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position >= 0),
  kind TEXT NOT NULL CHECK (kind IN ('text', 'picture', 'undrawn')),
  body TEXT,
  picture_key INTEGER REFERENCES pictures (key),
  error TEXT CHECK (error IS NULL OR json_valid(error)),
  UNIQUE (turn_key, position),
  CHECK ((kind = 'picture') = (picture_key IS NOT NULL)),
  CHECK ((kind = 'picture') = (body IS NULL)),
  CHECK ((kind = 'undrawn') = (error IS NOT NULL))
) STRICT;
CREATE INDEX parts_by_picture ON parts (picture_key) WHERE picture_key IS NOT NULL;

CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL CHECK (json_valid(value))) STRICT;

CREATE VIRTUAL TABLE search USING fts5 (
  body, conversation_key UNINDEXED, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);

CREATE TRIGGER conversations_search_insert AFTER INSERT ON conversations BEGIN
  INSERT INTO search (rowid, body, conversation_key) VALUES (2 * new.key + 1, new.title, new.key);
END;
CREATE TRIGGER conversations_search_update AFTER UPDATE OF title ON conversations BEGIN
  UPDATE search SET body = new.title WHERE rowid = 2 * new.key + 1;
END;
CREATE TRIGGER conversations_search_delete AFTER DELETE ON conversations BEGIN
  DELETE FROM search WHERE rowid = 2 * old.key + 1;
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
`,
};
