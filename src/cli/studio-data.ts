import { existsSync } from 'node:fs';
import path from 'node:path';
import { StudioError } from '../shared/errors.ts';
import { closeDatabase, openDatabase, readDatabaseVersion } from '../main/database/open.ts';
import { migrations } from '../main/database/migrations/index.ts';
import { createStore, type Store } from '../main/database/store.ts';
import { createPictureStore, type PictureStore } from '../main/pictures/store.ts';
import { userDataFolder } from './user-data.ts';

/** The app's conversations and pictures, without the app. */
export interface StudioData {
  readonly folder: string;
  readonly store: Store;
  readonly pictures: PictureStore;
  close(): void;
}

/**
 * Opens what the app has stored. It may run meanwhile: SQLite lets both in.
 * @param chosen the app's data folder (`--data`); the usual one where it is not given
 * @throws {StudioError} `not-found` where there is no database, `storage` where it cannot be used
 */
export function openStudioData(chosen: string | undefined): StudioData {
  const folder = path.join(path.resolve(chosen ?? userDataFolder()), 'data');
  const file = path.join(folder, 'textbind.db');
  if (!existsSync(file)) {
    throw new StudioError('not-found', `There are no conversations in ${folder}: no textbind.db.`);
  }
  // The app brings its database to a new form itself, with a copy made before: not a command beside it.
  const newest = migrations.at(-1)?.version ?? 0;
  const version = readDatabaseVersion(file);
  if (version < newest) {
    throw new StudioError(
      'storage',
      `${file} has the form ${version} of an earlier version; this one writes ${newest}. Open TextBind Studio once.`,
    );
  }
  const database = openDatabase({ file, backupFolder: path.join(folder, 'backups') });
  const store = createStore(database);
  return {
    folder,
    store,
    pictures: createPictureStore(path.join(folder, 'pictures'), store.pictures, Date.now),
    close: () => closeDatabase(database),
  };
}
