import Database from 'better-sqlite3';
import { migrations } from './migrations/index.ts';
import { keepTemporariesInMemory, type StudioDatabase } from './connection.ts';

/** From this form on full text holds trigrams, and its rows lie by conversation. */
const trigramForm = 4;

/**
 * What stands in full text, by the same rule as the triggers of the database's form. What is deleted is not found; a
 * database of before form 2 knows no such thing.
 */
export function searchRows(form: number): string {
  const isByConversation = form >= trigramForm;
  const row = (conversation: string, own: string): string =>
    isByConversation ? `${conversation} << 32 | (${own})` : own;
  const end = isByConversation ? ' || char(10, 10)' : '';
  return `
SELECT ${row('key', '2 * key + 1')} AS rowid, title${end} AS body, key AS conversation_key FROM conversations
UNION ALL
SELECT ${row('t.conversation_key', '2 * p.key')}, coalesce(p.body, i.caption, '')${end}, t.conversation_key
FROM parts p JOIN turns t ON t.key = p.turn_key LEFT JOIN pictures i ON i.key = p.picture_key
${form >= 2 ? 'WHERE p.deletion_key IS NULL AND t.deletion_key IS NULL' : ''}`;
}

const searchTable = 'search';

/**
 * Makes full text anew from the conversations, whatever became of it: it holds nothing of its own.
 * @throws SQLite's error where the conversations themselves cannot be read
 */
export function rebuildSearch(database: StudioDatabase): void {
  const form = Number(database.pragma('user_version', { simple: true }));
  const sql = searchDefinition(form);
  try {
    database.transaction(() => {
      database.exec(`DROP TABLE IF EXISTS ${searchTable}`);
      fill(database, sql, form);
    })();
  } catch {
    forget(database);
    database.transaction(() => fill(database, sql, form))();
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

function fill(database: StudioDatabase, sql: string, form: number): void {
  database.exec(sql);
  secureSearch(database);
  database.exec(`INSERT INTO ${searchTable} (rowid, body, conversation_key) ${searchRows(form)}`);
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

/** The table as the steps up to a form make it. */
function searchDefinition(form: number): string {
  const database = new Database(':memory:');
  keepTemporariesInMemory(database);
  try {
    // As for every step: one may rebuild a table that another refers to.
    database.pragma('foreign_keys = OFF');
    for (const { version, sql } of migrations) if (version <= form) database.exec(sql);
    return String(
      database.prepare('SELECT sql FROM sqlite_schema WHERE name = ?').pluck().get(searchTable),
    );
  } finally {
    database.close();
  }
}
