import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Backups } from './backups.ts';
import type { StudioDatabase } from './connection.ts';
import { secureSearch } from './search-index.ts';
import { draftRowPrefix, type SettingsTable } from './settings.ts';

const compacted = 'erasure.compacted';

export interface ErasurePlaces {
  readonly database: StudioDatabase;
  readonly settings: SettingsTable;
  readonly backups: Backups;
  /** The database's file: damaged ones that were kept lie beside it. */
  readonly file: string;
}

/**
 * Deletes conversations for good, those in the trash too, with their drafts and the rows of the pictures that only they
 * show.
 * @returns hashes of those pictures, whose files may go
 */
export function eraseRows(database: StudioDatabase, conversationIds: readonly string[]): string[] {
  const shown = database.prepare<[string], { key: number; hash: string }>(
    `SELECT DISTINCT i.key, i.hash FROM conversations c
     JOIN turns t ON t.conversation_key = c.key
     JOIN parts p ON p.turn_key = t.key JOIN pictures i ON i.key = p.picture_key
     WHERE c.id = ?`,
  );
  const erase = database.prepare('DELETE FROM conversations WHERE id = ?');
  const eraseDraft = database.prepare('DELETE FROM settings WHERE name = ?');
  const erasePicture = database.prepare(
    'DELETE FROM pictures WHERE key = ? AND NOT EXISTS (SELECT 1 FROM parts WHERE picture_key = pictures.key)',
  );
  return database.transaction(() => {
    const pictures = conversationIds.flatMap((id) => shown.all(id));
    for (const id of conversationIds) {
      erase.run(id);
      eraseDraft.run(draftRowPrefix + id);
    }
    return pictures.filter(({ key }) => erasePicture.run(key).changes > 0).map(({ hash }) => hash);
  })();
}

/**
 * Leaves no byte of what was deleted in the data folder: not in the file, its log, full text, the copies, or the
 * damaged files that were kept. One fresh copy is made.
 */
export async function wipeTraces(places: ErasurePlaces): Promise<void> {
  const { database, settings, backups, file } = places;
  if (settings.state(compacted) !== true) {
    // What was deleted before deleting overwrote: once, since it rewrites the whole file.
    database.exec("INSERT INTO search (search) VALUES ('optimize')");
    database.exec('VACUUM');
    settings.keepState(compacted, true);
  }
  database.pragma('wal_checkpoint(TRUNCATE)');
  backups.erase();
  eraseKeptFiles(file);
  await backups.make(database, 'erasure');
}

/** Makes full text overwrite what is deleted from it, where it does not yet. */
export function keepSearchSecure(database: StudioDatabase): void {
  const isSecure = database
    .prepare("SELECT v FROM search_config WHERE k = 'secure-delete'")
    .pluck()
    .get();
  if (isSecure !== 1) secureSearch(database);
}

function eraseKeptFiles(file: string): void {
  const { dir, name } = path.parse(file);
  for (const entry of readdirSync(dir)) {
    if (entry.startsWith(`${name}-damaged-`)) rmSync(path.join(dir, entry), { force: true });
  }
}
