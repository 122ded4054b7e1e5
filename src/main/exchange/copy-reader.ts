import { rmSync } from 'node:fs';
import path from 'node:path';
import { StudioError } from '../../shared/errors.ts';
import type { Backup, Backups } from '../database/backups.ts';
import { closeDatabase, openDatabase } from '../database/open.ts';
import { createRecordTable } from '../database/records.ts';
import type { ImportSource } from './import-source.ts';

/**
 * Opens a copy of the database as something that can be imported: what it has and the database has not comes beside what
 * is here. Read from a copy of the copy, which is brought to today's form and goes when it is closed.
 * @param folder where that lies meanwhile
 * @throws {StudioError} `storage`: the copy is damaged
 */
export function openCopy(
  backups: Pick<Backups, 'restoreTo'>,
  backup: Backup,
  folder: string,
): ImportSource {
  const file = path.join(folder, `reading-${path.basename(backup.file)}`);
  const drop = (): void => {
    for (const ending of ['', '-wal', '-shm']) rmSync(`${file}${ending}`, { force: true });
  };
  drop();
  backups.restoreTo(backup, file);
  try {
    const database = openDatabase({ file, backupFolder: `${file}-backups` });
    const records = createRecordTable(database);
    return {
      file: backup.file,
      conversationIds: records.ids({ withDeleted: false }),
      async conversation(id) {
        const record = records.read(id);
        if (record === null) throw new StudioError('bad-input', `Conversation ${id} is not whole.`);
        return record;
      },
      // Its pictures lie where they always did.
      picture: async () => null,
      close() {
        closeDatabase(database);
        drop();
        rmSync(`${file}-backups`, { recursive: true, force: true });
      },
    };
  } catch (error) {
    drop();
    throw error;
  }
}
