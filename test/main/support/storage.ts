import path from 'node:path';
import { onTestFinished } from 'vitest';
import { openDatabase, type StudioDatabase } from '../../../src/main/database/open.ts';
import { createStore, type Store } from '../../../src/main/database/store.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

export { temporaryFolder };

/** Where storage lies in a folder. */
export function placesIn(folder: string) {
  return {
    database: path.join(folder, 'textbind.db'),
    backups: path.join(folder, 'backups'),
    pictures: path.join(folder, 'pictures'),
  };
}

export type Places = ReturnType<typeof placesIn>;

export interface TestStorage {
  readonly folder: string;
  readonly database: StudioDatabase;
  readonly store: Store;
}

/** A real database in a temporary folder. */
export function openTestStorage(folder = temporaryFolder()): TestStorage {
  const database = openDatabase({
    file: path.join(folder, 'textbind.db'),
    backupFolder: path.join(folder, 'backups'),
  });
  onTestFinished(() => void database.close());
  return { folder, database, store: createStore(database) };
}
