import { keepTemporariesInMemory } from '../connection.ts';
import Database from 'better-sqlite3';
import { newestForm, type Migration } from '../migration.ts';
import { openPages, type PageFile } from './pages.ts';
import { freePages, leafRows, walkTable, type RawRow, type StoredValue } from './rows.ts';
import { known } from '../../../shared/errors.ts';

/** A row by its columns' names; `key` is its integer key, whatever the column is called. */
export interface NamedRow {
  readonly key: number;
  readonly columns: Readonly<Record<string, StoredValue>>;
}

/** Everything that could be read from a damaged database. */
export interface ReadRows {
  /** The form that the database has; the newest known where its header cannot be read. */
  readonly form: number;
  /** By table, each row once, in the order of keys. */
  readonly tables: ReadonlyMap<string, readonly NamedRow[]>;
  /** What full text keeps of its own: a second copy of every title (2k + 1) and text (2k), by twice its key. */
  readonly indexed: ReadonlyMap<number, { readonly body: string; readonly conversation: number }>;
  /** Pages of tables (not of indexes) that could not be read, whole or in part; null where nobody can tell. */
  readonly badPages: number | null;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const isInteger = (value: StoredValue | undefined): boolean => Number.isInteger(value);
const matchesText = (value: StoredValue | undefined, pattern: RegExp): boolean =>
  typeof value === 'string' && pattern.test(value);

/** How a row is known by itself, where nothing says any more which table its page belongs to. */
export const recognisers: Readonly<
  Record<string, (columns: Readonly<Record<string, StoredValue>>) => boolean>
> = {
  conversations: ({ id, title, created_at: at }) =>
    matchesText(id, uuid) && typeof title === 'string' && isInteger(at),
  turns: ({ id, conversation_key: conversation, role }) =>
    matchesText(id, uuid) && isInteger(conversation) && matchesText(role, /^(user|assistant)$/),
  pictures: ({ id, hash }) => matchesText(id, uuid) && matchesText(hash, /^[0-9a-f]{64}$/),
  parts: ({ turn_key: turn, position, kind }) =>
    isInteger(turn) && isInteger(position) && matchesText(kind, /^(text|picture|undrawn)$/),
  deletions: ({ id, conversation_key: conversation, erased, role }) =>
    matchesText(id, uuid) && isInteger(conversation) && isInteger(erased) && role === undefined,
  settings: ({ name, value }) =>
    matchesText(name, /^[a-zA-Z][\w.-]*$/) && matchesText(value, /^(["[{\d-]|true|false|null)/),
  search_content: ({ c0, c1 }) => typeof c0 === 'string' && isInteger(c1),
};

/** Columns of each table of a form: that of a database that is made anew. */
export function tableColumns(
  migrations: readonly Migration[],
  form: number,
): ReadonlyMap<string, readonly string[]> {
  const database = new Database(':memory:');
  keepTemporariesInMemory(database);
  // As when they are opened: a table may be rebuilt inside a step.
  database.pragma('foreign_keys = OFF');
  try {
    for (const { version, sql } of migrations) if (version <= form) database.exec(sql);
    const tables = database
      .prepare<[], { name: string; type: string }>('SELECT name, type FROM pragma_table_list')
      .all();
    const columns = database
      .prepare<[string], string>('SELECT name FROM pragma_table_info(?)')
      .pluck();
    const wanted = tables.filter(
      ({ name, type }) =>
        name === 'search_content' || (type === 'table' && !name.startsWith('sqlite_')),
    );
    return new Map(wanted.map(({ name }) => [name, columns.all(name)]));
  } finally {
    database.close();
  }
}

/**
 * Reads every row that can still be read, past SQLite: first by the tables' own trees, then from pages that nothing
 * leads to any more. Deleted rows on free pages are left where they are.
 * @throws the system's error where the file cannot be opened
 */
export function readDamaged(file: string, migrations: readonly Migration[]): ReadRows {
  const pages = openPages(file);
  try {
    const newest = newestForm(migrations);
    const known = pages.form !== null && pages.form >= 1 && pages.form <= newest;
    const form = known ? pages.form : newest;
    return collect(pages, form, tableColumns(migrations, form));
  } finally {
    pages.close();
  }
}

function collect(
  file: PageFile,
  form: number,
  columns: ReadonlyMap<string, readonly string[]>,
): ReadRows {
  const found = new Map<string, Map<number, NamedRow>>();
  for (const name of columns.keys()) found.set(name, new Map());
  const visited = new Set<number>();
  const roots = readRoots(file);
  let badPages = 0;
  for (const [name, names] of columns) {
    const root = roots?.get(name);
    const walked = root === undefined ? null : walkTable(file, root, visited);
    for (const row of walked?.rows ?? [])
      known(found.get(name), name).set(row.key, nameColumns(row, names));
    if (name !== 'search_content') badPages += walked?.badPages.length ?? 1;
  }
  // Where every tree is whole, a page beside them holds nothing but what was deleted.
  if (roots === null || badPages > 0) addStrays(file, columns, visited, found);
  return {
    form,
    tables: new Map(
      [...found]
        .filter(([name]) => name !== 'search_content')
        .map(([name, rows]) => [name, [...rows.values()].sort((a, b) => a.key - b.key)]),
    ),
    indexed: readIndexed(found.get('search_content') ?? new Map()),
    badPages: roots === null ? null : badPages,
  };
}

/** Root pages by table, or null where the list of tables itself cannot be read. */
function readRoots(file: PageFile): ReadonlyMap<string, number> | null {
  if (!file.hasHeader) return null;
  const { rows, badPages } = walkTable(file, 1, new Set());
  if (badPages.length > 0 || rows.length === 0) return null;
  const roots = new Map<string, number>();
  for (const { values } of rows) {
    const [type, name, , root] = values;
    if (type === 'table' && typeof name === 'string' && typeof root === 'number' && root > 0) {
      roots.set(name, root);
    }
  }
  return roots;
}

function addStrays(
  file: PageFile,
  columns: ReadonlyMap<string, readonly string[]>,
  visited: ReadonlySet<number>,
  found: ReadonlyMap<string, Map<number, NamedRow>>,
): void {
  const free = freePages(file);
  for (let number = 2; number <= file.pageCount; number += 1) {
    if (visited.has(number) || free.has(number)) continue;
    for (const row of leafRows(file, number)) {
      for (const [name, recognises] of Object.entries(recognisers)) {
        const names = columns.get(name);
        if (names === undefined || row.values.length > names.length) continue;
        const named = nameColumns(row, names);
        const rows = known(found.get(name), name);
        if (!recognises(named.columns)) continue;
        if (!rows.has(row.key)) rows.set(row.key, named);
        break;
      }
    }
  }
}

function nameColumns(row: RawRow, names: readonly string[]): NamedRow {
  const columns = Object.fromEntries(row.values.map((value, index) => [names[index] ?? '', value]));
  return { key: row.key, columns };
}

/** Rows of full text that one conversation may have. */
const rowsOfConversation = 2 ** 32;

function readIndexed(rows: ReadonlyMap<number, NamedRow>): ReadRows['indexed'] {
  const indexed = new Map<number, { body: string; conversation: number }>();
  for (const [key, { columns }] of rows) {
    const { c0, c1 } = columns;
    if (typeof c0 === 'string' && typeof c1 === 'number') {
      // From form 4 on a row's number begins with its conversation, and its text ends in two line breaks.
      const isByConversation = key >= rowsOfConversation;
      const body = isByConversation ? c0.replace(/\n{1,2}$/, '') : c0;
      indexed.set(key % rowsOfConversation, { body, conversation: c1 });
    }
  }
  return indexed;
}
