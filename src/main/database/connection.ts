import type Database from 'better-sqlite3';

/** An open database. */
export type StudioDatabase = Database.Database;

/**
 * Keeps what SQLite sorts and undoes in memory: its files for that lie in the system's folder for temporary files, and
 * hold words of conversations.
 */
export function keepTemporariesInMemory(database: StudioDatabase): void {
  database.pragma('temp_store = MEMORY');
}
