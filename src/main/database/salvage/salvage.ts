import { rmSync } from 'node:fs';
import type { Migration } from '../migration.ts';
import { migrations as allMigrations } from '../migrations/index.ts';
import { closeDatabase, openDatabase, type StudioDatabase } from '../open.ts';
import { mendRows, type MendedRows } from './mend.ts';
import { readDamaged, type ReadRows } from './read.ts';

/** What can be read of a damaged database. */
export interface Salvage {
  readonly conversations: number;
  readonly turns: number;
  readonly pictures: number;
  /** What is missing, a sentence each, where that is known. */
  readonly losses: readonly string[];
  /** Every row is there: only indexes, or single fields that could be set anew, were damaged. */
  readonly lossless: boolean;
  /**
   * Writes it as a new database, of the same form, to `target`.
   * @returns how many rows could not be stored
   * @throws {StudioError} `storage`
   */
  write(target: string): number;
}

/**
 * Reads what can be read of a damaged database, without changing it.
 * @returns null where nothing of ours is in it
 */
export function readSalvage(
  file: string,
  migrations: readonly Migration[] = allMigrations,
): Salvage | null {
  const read = tryRead(file, migrations);
  if (read === null) return null;
  const mended = mendRows(read);
  const count = (table: string): number => mended.tables.get(table)?.length ?? 0;
  if (count('conversations') + count('pictures') === 0) return null;
  return {
    conversations: count('conversations'),
    turns: count('turns'),
    pictures: count('pictures'),
    losses: mended.losses,
    lossless: read.badPages === 0 && mended.patched === 0,
    write(target) {
      rmSync(target, { force: true });
      const steps = migrations.filter(({ version }) => version <= read.form);
      const database = openDatabase({ file: target, backupFolder: target, migrations: steps });
      try {
        return database.transaction(() => storeRows(database, mended.tables))();
      } finally {
        closeDatabase(database);
      }
    },
  };
}

function tryRead(file: string, migrations: readonly Migration[]): ReadRows | null {
  try {
    return readDamaged(file, migrations);
  } catch {
    return null;
  }
}

/** Those that others refer to come first. */
const order = ['conversations', 'deletions', 'pictures', 'turns', 'parts'];

/** Returns how many rows the tables' own checks refused. */
function storeRows(database: StudioDatabase, tables: MendedRows['tables']): number {
  const others = [...tables.keys()].filter((name) => !order.includes(name));
  let refused = 0;
  const columnsOf = database.prepare<[string], { name: string; pk: number }>(
    'SELECT name, pk FROM pragma_table_info(?)',
  );
  for (const table of [...order, ...others]) {
    const known = columnsOf.all(table);
    if (known.length === 0) continue;
    const hasKey = known.some(({ name, pk }) => pk === 1 && name === 'key');
    const statements = new Map<string, Insert>();
    for (const { key, columns } of tables.get(table) ?? []) {
      const row = hasKey ? { ...columns, key } : columns;
      const names = known.map(({ name }) => name).filter((name) => row[name] !== undefined);
      const list = names.join(', ');
      const statement = statements.get(list) ?? prepareInsert(database, table, names);
      statements.set(list, statement);
      try {
        refused += 1 - statement.run(...names.map((name) => row[name])).changes;
      } catch {
        // What a table refuses after it was mended could not be shown either.
        refused += 1;
      }
    }
  }
  return refused;
}

/** `prepare` has two forms; what it returns for either could be called with no list of values. */
interface Insert {
  run(...values: unknown[]): { readonly changes: number };
}

function prepareInsert(database: StudioDatabase, table: string, names: readonly string[]): Insert {
  const places = names.map(() => '?').join(', ');
  return database.prepare(
    `INSERT OR IGNORE INTO ${table} (${names.join(', ')}) VALUES (${places})`,
  );
}
