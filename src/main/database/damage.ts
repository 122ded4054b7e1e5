import type { StudioDatabase } from './connection.ts';
import { rebuildSearch } from './search-index.ts';
import { reasonOf } from '../../shared/errors.ts';

/** `full` also compares each index with its table, at two to three times the cost. */
export type Thoroughness = 'full' | 'quick';

/** What a look at a database found. */
export interface Examination {
  /** Full text was damaged, and was made anew. */
  readonly searchRebuilt: boolean;
  /** Lines of SQLite's check, and rows that break the rules; empty where all is well. */
  readonly faults: readonly string[];
}

const checks = { full: 'integrity_check', quick: 'quick_check' } as const;
/** Lines of a check that are read; one is enough to know. */
const mostLines = 20;

/** Ids that are no UUID, which the window would refuse. */
const badIds = ['conversations', 'turns', 'pictures'].map(
  (table) =>
    `SELECT count(*) FROM ${table} WHERE length(id) <> 36 OR id GLOB '*[^0-9a-f-]*'
     OR id NOT GLOB '????????-????-????-????-????????????'`,
);

/**
 * Looks at every page and every id. Full text that is damaged is made anew where nothing else is (where something is,
 * it holds a second copy of the words); everything else is only said.
 */
export function examine(database: StudioDatabase, how: Thoroughness): Examination {
  const faults = check(database, how);
  const searchOnly = faults.length > 0 ? tablesAreWhole(database, how) : isSearchBroken(database);
  if (!searchOnly) {
    return { searchRebuilt: false, faults: faults.length > 0 ? faults : findBadIds(database) };
  }
  try {
    rebuildSearch(database);
  } catch (error) {
    return { searchRebuilt: false, faults: [...faults, reasonOf(error)] };
  }
  return { searchRebuilt: true, faults: [...check(database, how), ...findBadIds(database)] };
}

/** SQLite's check of the whole file, or of one table with its indexes. Empty where all is well. */
export function check(database: StudioDatabase, how: Thoroughness, table?: string): string[] {
  try {
    const argument = table ?? String(mostLines);
    const rows = database.prepare(`PRAGMA ${checks[how]}(${argument})`).pluck().all();
    return rows
      .flatMap((row) => String(row).split('\n'))
      .filter((line) => line !== 'ok' && line.trim() !== '' && !line.startsWith('***'));
  } catch (error) {
    return [reasonOf(error)];
  }
}

function tablesAreWhole(database: StudioDatabase, how: Thoroughness): boolean {
  try {
    const tables = database
      .prepare<[], string>(
        `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'`,
      )
      .pluck()
      .all();
    return tables.every((table) => check(database, how, table).length === 0);
  } catch {
    return false;
  }
}

/** Full text's own check: its lists may contradict its content on pages that are whole. */
function isSearchBroken(database: StudioDatabase): boolean {
  try {
    database.exec("INSERT INTO search (search) VALUES ('integrity-check')");
    return false;
  } catch {
    return true;
  }
}

function findBadIds(database: StudioDatabase): string[] {
  try {
    const bad = badIds.map((sql) => Number(database.prepare(sql).pluck().get()));
    const count = bad.reduce((sum, each) => sum + each, 0);
    return count === 0 ? [] : [`${count} rows have an id that is none`];
  } catch (error) {
    return [reasonOf(error)];
  }
}
