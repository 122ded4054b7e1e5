import type { Migration } from '../migration.ts';

/** What a person thinks of a reply: 1 good, -1 poor; null where they said nothing. */
export const migration0005: Migration = {
  version: 5,
  name: 'ratings',
  sql: `
ALTER TABLE turns ADD COLUMN rating INTEGER CHECK (rating IN (-1, 1));
CREATE INDEX turns_rated ON turns (rating, conversation_key) WHERE rating IS NOT NULL;
`,
};
