import type { Turn } from '../../shared/domain/turn.ts';
import { createConversationTable, type ConversationTable } from './conversations.ts';
import type { StudioDatabase } from './connection.ts';
import { createDraftTable, type DraftTable } from './drafts.ts';
import { createGalleryTable, type GalleryTable } from './gallery.ts';
import { createPictureTable, type PictureTable } from './pictures.ts';
import { createRecordMerge, type RecordMerge } from './record-merge.ts';
import { createRecordTable, type RecordTable } from './records.ts';
import { rebuildSearch } from './search-index.ts';
import { createSettingsTable, type SettingsTable } from './settings.ts';
import { storageFaultOf, toStorageError } from './sqlite-errors.ts';
import { createPartWrite, createTurnTable, type TurnTable } from './turns.ts';
import { UnsavedTurns, type StoredWith } from './unsaved.ts';
import { createVersionTable, type VersionTable } from './versions.ts';

/** Everything that is stored in the database, by table. Its errors are `storage`, in words for a person. */
export interface Store {
  readonly conversations: ConversationTable;
  readonly turns: TurnTable;
  readonly versions: VersionTable;
  readonly pictures: PictureTable;
  readonly gallery: GalleryTable;
  readonly settings: SettingsTable;
  readonly drafts: DraftTable;
  /** Whole conversations, out and in. */
  readonly records: RecordTable & RecordMerge;
  /** Runs it as one transaction: all of it is stored, or nothing. It may be run twice. */
  transaction<Result>(work: () => Result): Result;
  /**
   * Stores a reply that is being written, its parts from `from` on; where the disk refuses it is kept in memory, shown
   * as stored, and stored later (`unsaved`).
   */
  saveReply(turn: Turn, from: number, beside?: StoredWith | null): void;
  readonly unsaved: Pick<UnsavedTurns, 'count' | 'error' | 'retry'>;
  /** Rows changed since the database was opened, settings and drafts left out: what a copy is made for. */
  changes(): number;
}

export interface StoreOptions {
  /** Asked before a transaction, and after every other write: throws where what is written is lost. */
  readonly checkPlace?: () => void;
  /** Told of what was made anew because it was damaged. */
  readonly onMended?: () => void;
}

/** How often full text is made anew under one open database: were it at fault more often, something else is. */
const mostRebuilds = 3;

/** Prepares every query on an open database. */
export function createStore(database: StudioDatabase, options: StoreOptions = {}): Store {
  const guard = createGuard(database, options);
  const total = database.prepare<[], number>('SELECT total_changes()').pluck();
  let changes = 0;
  const counted: Guard = (work) => {
    if (database.inTransaction) return work();
    const before = total.get() ?? 0;
    try {
      return guard(work);
    } finally {
      const changed = (total.get() ?? 0) - before;
      changes += changed;
      if (changed > 0) options.checkPlace?.();
    }
  };
  const transaction: Store['transaction'] = (work) => {
    if (!database.inTransaction) options.checkPlace?.();
    return counted(() => database.transaction(work).immediate());
  };
  const turns = guarded(createTurnTable(database), counted);
  const exists = database.prepare('SELECT 1 FROM turns WHERE id = ?');
  const unsaved = new UnsavedTurns((turn, from, beside) =>
    transaction(() => {
      // Deleted for good while it was being written: there is nothing to store it in.
      if (exists.get(turn.id) === undefined) return;
      turns.saveParts(turn.id, turn.parts, from);
      turns.saveState(turn.id, turn);
      beside?.storing(turn);
    }),
  );
  return {
    conversations: guarded(createConversationTable(database), counted),
    turns: unsaved.over(turns),
    versions: guarded(createVersionTable(database, createPartWrite(database)), counted),
    pictures: guarded(createPictureTable(database), counted),
    gallery: guarded(createGalleryTable(database), counted),
    records: guarded({ ...createRecordTable(database), ...createRecordMerge(database) }, counted),
    settings: guarded(createSettingsTable(database), guard),
    drafts: guarded(createDraftTable(database), guard),
    transaction,
    saveReply: (turn, from, beside = null) => unsaved.save(turn, from, beside),
    unsaved,
    changes: () => changes,
  };
}

type Guard = <Result>(work: () => Result) => Result;

/**
 * A damaged search index must not refuse a send, for it holds nothing of its own: it is made anew, and what failed is
 * done again. Inside a transaction that is the transaction.
 */
function createGuard(database: StudioDatabase, options: StoreOptions): Guard {
  let rebuilds = 0;
  const mend = (error: unknown): boolean => {
    if (storageFaultOf(error) !== 'damaged' || rebuilds >= mostRebuilds) return false;
    rebuilds += 1;
    try {
      rebuildSearch(database);
      options.onMended?.();
      return true;
    } catch {
      return false;
    }
  };
  return (work) => {
    if (database.inTransaction) return work();
    try {
      return work();
    } catch (error) {
      if (!mend(error)) throw toStorageError(error);
    }
    try {
      return work();
    } catch (error) {
      throw toStorageError(error);
    }
  };
}

/** The same table, each of whose functions runs under the guard. */
function guarded<Table extends object>(table: Table, guard: Guard): Table {
  const entries = Object.entries(table).map(([name, run]) => [
    name,
    (...given: unknown[]): unknown =>
      guard(() => (run as (...given: unknown[]) => unknown)(...given)),
  ]);
  return Object.fromEntries(entries) as Table;
}
