import path from 'node:path';
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { longMigrationAhead } from '../../../src/main/database/long-migration.ts';
import { migrations } from '../../../src/main/database/migrations/index.ts';
import { closeDatabase, openDatabase } from '../../../src/main/database/open.ts';
import { temporaryFolder } from '../support/storage.ts';

test('a migration is told of before it begins, where there is one and the database is large', () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'textbind.db');
  const open = (steps = migrations) =>
    openDatabase({ file, backupFolder: path.join(folder, 'backups'), migrations: steps });
  expect(longMigrationAhead(file, 1)).toBeNull();
  closeDatabase(open(migrations.slice(0, 3)));
  expect(longMigrationAhead(file, 1)).toBeGreaterThan(4096);
  expect(longMigrationAhead(file)).toBeNull();
  closeDatabase(open());
  expect(longMigrationAhead(file, 1)).toBeNull();
  writeFileSync(file, 'no database at all');
  expect(longMigrationAhead(file, 1)).toBeNull();
});
