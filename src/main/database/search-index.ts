import Database from 'better-sqlite3';
import { migrations } from './migrations/index.ts';
import { keepTemporariesInMemory, type StudioDatabase } from './connection.ts';

/**
 * What stands in full text, by the same rule as the triggers: a part in row 2k, a title in row 2k + 1. What is deleted
 * is not found; a database of before form 2 knows no such thing.
 */
export function searchRows(database: StudioDatabase): string {
  const columns = database.pragma('table_info(turns)') as { name: string }[];
  const hasDeletions = columns.some(({ name }) => name === 'deletion_key');
  return `
SELECT 2 * key + 1 AS rowid, title AS body, key AS conversation_key FROM conversations
UNION ALL
SELECT 2 * p.key, coalesce(p.body, i.caption, ''), t.conversation_key
FROM parts p JOIN turns t ON t.key = p.turn_key LEFT JOIN pictures i ON i.key = p.picture_key
${hasDeletions ? 'WHERE p.deletion_key IS NULL AND t.deletion_key IS NULL' : ''}`;
}

const searchTable = 'search';

/**
 * Makes full text anew from the conversations, whatever became of it: it holds nothing of its own.
 * @throws SQLite's error where the conversations themselves cannot be read
 */
export function rebuildSearch(database: StudioDatabase): void {
  const sql = searchDefinition();
  try {
    database.transaction(() => {
      database.exec(`DROP TABLE IF EXISTS ${searchTable}`);
      fill(database, sql);
    })();
  } catch {
    forget(database);
    database.transaction(() => fill(database, sql))();
    reclaim(database);
  }
}

function reclaim(database: StudioDatabase): void {
  try {
    database.exec('VACUUM');
  } catch {
    // The unused pages stay: they cost room, nothing else.
  }
}

function fill(database: StudioDatabase, sql: string): void {
  database.exec(sql);
  secureSearch(database);
  database.exec(
    `INSERT INTO ${searchTable} (rowid, body, conversation_key) ${searchRows(database)}`,
  );
}

/** Deleted words leave the index at once, not only when its segments are merged. Stays with the table. */
export function secureSearch(database: StudioDatabase): void {
  database.exec(`INSERT INTO ${searchTable} (${searchTable}, rank) VALUES ('secure-delete', 1)`);
}

/**
 * Takes the table out of the schema without walking its pages, which is what fails where they are damaged. Its pages
 * belong to nothing until the next VACUUM.
 */
function forget(database: StudioDatabase): void {
  database.unsafeMode(true);
  try {
    database.pragma('writable_schema = ON');
    database.exec(
      `DELETE FROM sqlite_schema WHERE name = '${searchTable}' OR name LIKE '${searchTable}\\_%' ESCAPE '\\'
       AND type = 'table'`,
    );
    database.pragma('writable_schema = RESET');
  } finally {
    database.unsafeMode(false);
  }
}

/** The table as the steps make it. */
function searchDefinition(): string {
  const database = new Database(':memory:');
  keepTemporariesInMemory(database);
  try {
    // As for every step: one may rebuild a table that another refers to.
    database.pragma('foreign_keys = OFF');
    for (const { sql } of migrations) database.exec(sql);
    return String(
      database.prepare('SELECT sql FROM sqlite_schema WHERE name = ?').pluck().get(searchTable),
    );
  } finally {
    database.close();
  }
}
