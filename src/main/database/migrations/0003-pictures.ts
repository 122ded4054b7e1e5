import type { Migration } from '../migration.ts';

/**
 * What a person says of a picture: the name of its file, words for who cannot see it, whether it is a favourite. The
 * index on parts holds all that the gallery asks of a part, so that 50,000 pictures are listed from it alone.
 */
export const migration0003: Migration = {
  version: 3,
  name: 'pictures',
  sql: `
ALTER TABLE pictures ADD COLUMN name TEXT;
ALTER TABLE pictures ADD COLUMN alt TEXT;
ALTER TABLE pictures ADD COLUMN favourite INTEGER NOT NULL DEFAULT 0 CHECK (favourite IN (0, 1));

DROP INDEX parts_by_picture;
CREATE INDEX parts_by_picture ON parts (picture_key, deletion_key, turn_key) WHERE picture_key IS NOT NULL;
`,
};
