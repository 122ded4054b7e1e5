import type { MessagePart, Rating, Turn, TurnStatus } from '../../shared/domain/turn.ts';
import { StudioError } from '../../shared/errors.ts';
import type { StudioDatabase } from './open.ts';
import { currentPath } from './path.ts';
import { storageFaultOf } from './sqlite-errors.ts';
import { ratingNumbers, readTurn, type PartRow, type TurnRow } from './turn-rows.ts';

/** What a turn is apart from its parts. */
export type TurnState = Pick<Turn, 'status' | 'error' | 'notices' | 'usage' | 'model' | 'recipe'>;

export interface FoundTurn {
  readonly conversationId: string;
  readonly turn: Turn;
  /** The turn that it follows, deleted or not; null for the first of a conversation. */
  readonly parentId: string | null;
}

/** Where a new turn goes. */
export type TurnPlace =
  /** Behind this turn. */
  | { readonly behind: string }
  /** Beside this turn, as another version of it; current at once, or not yet. */
  | { readonly beside: string; readonly current: boolean };

/** Queries on turns and their parts. What is deleted is not seen by any of them. */
export interface TurnTable {
  /** The current path, in order; empty where there is no such conversation. What is damaged says so in its place. */
  list(conversationId: string): Turn[];
  /**
   * Any version, current or not.
   * @throws {StudioError} `storage`: the turn is damaged, and must not be written over
   */
  find(turnId: string): FoundTurn | null;
  /** Puts it, with its parts, at the end of the current path, or where it is told. */
  append(conversationId: string, turn: Turn, place?: TurnPlace): void;
  saveState(turnId: string, state: TurnState): void;
  /** Writes the current parts from `from` on, and drops what stands behind them. */
  saveParts(turnId: string, parts: readonly MessagePart[], from: number): void;
  /** Keeps what a person thinks of a reply; null takes it back. */
  rate(turnId: string, rating: Rating | null): void;
  /** Drops a turn that has no parts and that nothing follows; false where there is something to lose. */
  dropEmpty(turnId: string): boolean;
  /**
   * Marks what was `streaming` when the app died as interrupted; returns how many turns. A new version that had not
   * said anything yet is dropped: the one before it is current still.
   */
  interruptStreaming(): number;
}

/** Columns of a turn `t`, as `TurnRow` has them. */
export const turnColumns =
  't.key, t.id, t.role, t.status, t.error, t.notices, t.usage, t.model, t.recipe, t.rating, t.created_at';
/** Columns of a part `p` and its picture `i`, as `PartRow` has them. */
export const partColumns = `p.turn_key, p.position, p.kind, p.body, p.error AS part_error, i.id, i.hash, i.media_type, i.width,
  i.height, i.bytes, i.origin, i.caption, i.recipe, i.name, i.alt, i.favourite`;

/** The statements that open a conversation; here so that a test can look at their plans. ?1 conversation or turn. */
export const turnQueries = {
  turns: `${currentPath}
SELECT ${turnColumns} FROM path CROSS JOIN turns t ON t.key = path.key WHERE t.deletion_key IS NULL`,
  parts: `${currentPath}
SELECT ${partColumns}
FROM path CROSS JOIN turns t ON t.key = path.key
CROSS JOIN parts p ON p.turn_key = t.key AND p.is_current = 1 LEFT JOIN pictures i ON i.key = p.picture_key
WHERE t.deletion_key IS NULL`,
  turn: `
SELECT ${turnColumns}, c.id AS conversation_id, (SELECT id FROM turns WHERE key = t.parent_key) AS parent_id
FROM turns t JOIN conversations c ON c.key = t.conversation_key
WHERE t.id = ? AND t.deletion_key IS NULL AND c.deleted_at IS NULL`,
  partsOfTurn: `
SELECT ${partColumns}
FROM turns t JOIN parts p ON p.turn_key = t.key AND p.is_current = 1 LEFT JOIN pictures i ON i.key = p.picture_key
WHERE t.id = ?`,
  /** The last turn of the current path, deleted or not. */
  end: `${currentPath} SELECT key FROM path WHERE key IS NOT NULL ORDER BY depth DESC LIMIT 1`,
} as const;

interface FoundRow extends TurnRow {
  readonly conversation_id: string;
  readonly parent_id: string | null;
}

/** Prepares the queries on turns. */
export function createTurnTable(database: StudioDatabase): TurnTable {
  const turns = database.prepare<[string], TurnRow>(turnQueries.turns);
  const parts = database.prepare<[string], PartRow>(turnQueries.parts);
  const one = database.prepare<[string], FoundRow>(turnQueries.turn);
  const partsOfOne = database.prepare<[string], PartRow>(turnQueries.partsOfTurn);
  return {
    list(conversationId) {
      const rows = turns.all(conversationId);
      const ids = new Map(rows.map(({ key, id }) => [key, id]));
      const partsOf = readParts(
        () => parts.all(conversationId),
        (turnKey) => partsOfOne.all(ids.get(turnKey) ?? ''),
      );
      return rows.map((row) => readTurn(row, partsOf(row.key)).turn);
    },
    find(turnId) {
      const row = one.get(turnId);
      if (row === undefined) return null;
      const partsOf = readParts(
        () => partsOfOne.all(turnId),
        () => [],
      );
      const read = readTurn(row, partsOf(row.key));
      if (read.isDamaged) {
        throw new StudioError('storage', 'This turn is damaged: it can be read, but not changed.');
      }
      return { conversationId: row.conversation_id, turn: read.turn, parentId: row.parent_id };
    },
    ...createWrites(database),
  };
}

/** Parts by turn; where one page is damaged, those of the turns that lie elsewhere, and null for the others. */
function readParts(
  all: () => readonly PartRow[],
  ofTurn: (turnKey: number) => readonly PartRow[],
): (turnKey: number) => readonly PartRow[] | null {
  const orDamaged = <Result>(query: () => Result): Result | null => {
    try {
      return query();
    } catch (error) {
      if (storageFaultOf(error) === 'damaged') return null;
      throw error;
    }
  };
  const rows = orDamaged(all);
  if (rows === null) return (turnKey) => orDamaged(() => ofTurn(turnKey));
  const byTurn = new Map<number, PartRow[]>();
  // Sorted here: the statement would have to, for the path has no order of its own.
  for (const row of rows.toSorted((one, other) => one.position - other.position)) {
    const parts = byTurn.get(row.turn_key);
    if (parts === undefined) byTurn.set(row.turn_key, [row]);
    else parts.push(row);
  }
  return (turnKey) => byTurn.get(turnKey) ?? [];
}

type TurnWrites = Omit<TurnTable, 'list' | 'find'>;

function createWrites(database: StudioDatabase): TurnWrites {
  const insert = createTurnInsert(database);
  const saveState = database.prepare(
    'UPDATE turns SET status = ?, error = ?, notices = ?, usage = ?, model = ?, recipe = ? WHERE id = ?',
  );
  const savePart = createPartWrite(database);
  const rate = database.prepare('UPDATE turns SET rating = ? WHERE id = ?');
  const dropParts = database.prepare(
    'DELETE FROM parts WHERE turn_key = (SELECT key FROM turns WHERE id = ?) AND position >= ?',
  );
  const dropEmpty = database.prepare(
    `DELETE FROM turns WHERE id = ? AND NOT EXISTS (SELECT 1 FROM parts WHERE turn_key = turns.key)
     AND NOT EXISTS (SELECT 1 FROM turns child
       WHERE child.conversation_key = turns.conversation_key AND child.parent_key = turns.key)`,
  );
  const saveParts = database.transaction<TurnTable['saveParts']>((turnId, parts, from) => {
    for (const [index, part] of parts.slice(from).entries()) savePart(turnId, from + index, part);
    dropParts.run(turnId, parts.length);
  });
  return {
    append: database.transaction((conversationId: string, turn: Turn, place?: TurnPlace) => {
      insert(conversationId, turn, place);
      saveParts(turn.id, turn.parts, 0);
    }),
    saveState: (turnId, state) => void saveState.run(...stateColumns(state), turnId),
    saveParts,
    rate: (turnId, rating) => void rate.run(rating && ratingNumbers[rating], turnId),
    dropEmpty: (turnId) => dropEmpty.run(turnId).changes > 0,
    interruptStreaming: createInterrupt(database),
  };
}

function createInterrupt(database: StudioDatabase): () => number {
  const dropEmptyCaptions = database.prepare(
    `DELETE FROM parts WHERE kind = 'undrawn' AND body = ''
     AND turn_key IN (SELECT key FROM turns WHERE status = 'streaming')`,
  );
  const dropUnsaid = database.prepare(
    `DELETE FROM turns WHERE status = 'streaming' AND is_current = 0
     AND NOT EXISTS (SELECT 1 FROM parts WHERE turn_key = turns.key)`,
  );
  const interrupt = database.prepare(
    `UPDATE turns SET status = 'interrupted' WHERE status = 'streaming'`,
  );
  return database.transaction(() => {
    dropEmptyCaptions.run();
    return dropUnsaid.run().changes + interrupt.run().changes;
  });
}

function createTurnInsert(
  database: StudioDatabase,
): (conversationId: string, turn: Turn, place?: TurnPlace) => void {
  const end = database.prepare<[string], number>(turnQueries.end).pluck();
  const keyOf = database.prepare<[string], number>('SELECT key FROM turns WHERE id = ?').pluck();
  const parentOf = database
    .prepare<[string], number | null>('SELECT parent_key FROM turns WHERE id = ?')
    .pluck();
  const notCurrent = database.prepare(
    `UPDATE turns SET is_current = 0 WHERE conversation_key = (SELECT key FROM conversations WHERE id = ?)
     AND parent_key IS ? AND is_current = 1`,
  );
  const insert = database.prepare(
    `INSERT INTO turns (id, conversation_key, parent_key, is_current, role, status, error, notices, usage, model, recipe,
       created_at)
     SELECT ?, c.key, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM conversations c WHERE c.id = ?`,
  );
  const parentFor = (conversationId: string, place: TurnPlace | undefined): number | null => {
    if (place === undefined) return end.get(conversationId) ?? null;
    const found = 'behind' in place ? keyOf.get(place.behind) : parentOf.get(place.beside);
    if (found === undefined) throw new Error('No turn to stand behind or beside');
    return found;
  };
  return (conversationId, turn, place) => {
    const parent = parentFor(conversationId, place);
    const current = place === undefined || 'behind' in place || place.current;
    if (current) notCurrent.run(conversationId, parent);
    const state = stateColumns(turn);
    const values = [turn.id, parent, current ? 1 : 0, turn.role, ...state, turn.createdAt];
    if (insert.run(...values, conversationId).changes !== 1) {
      throw new Error(`No conversation ${conversationId}`);
    }
  };
}

/** Writes the current part at a place. */
export type PartWrite = (turnId: string, position: number, part: MessagePart) => void;

/** Prepares writing one part. */
export function createPartWrite(database: StudioDatabase): PartWrite {
  const save = database.prepare(
    `INSERT INTO parts (turn_key, position, kind, body, picture_key, error)
     VALUES ((SELECT key FROM turns WHERE id = ?), ?, ?, ?, (SELECT key FROM pictures WHERE id = ?), ?)
     ON CONFLICT (turn_key, position) WHERE is_current = 1 DO UPDATE
     SET kind = excluded.kind, body = excluded.body, picture_key = excluded.picture_key, error = excluded.error`,
  );
  return (turnId, position, part) => {
    switch (part.kind) {
      case 'text':
        return void save.run(turnId, position, 'text', part.text, null, null);
      case 'picture':
        return void save.run(turnId, position, 'picture', null, part.picture.id, null);
      case 'undrawn': {
        const error = JSON.stringify(part.error);
        return void save.run(turnId, position, 'undrawn', part.caption, null, error);
      }
      default:
        part satisfies never;
    }
  };
}

type StateColumns = [TurnStatus, ...(string | null)[]];

/** A turn's state as its columns, from `status` to `recipe`. */
export function stateColumns(state: TurnState): StateColumns {
  return [
    state.status,
    state.error === null ? null : JSON.stringify(state.error),
    JSON.stringify(state.notices),
    state.usage === null ? null : JSON.stringify(state.usage),
    state.model,
    state.recipe === undefined ? null : JSON.stringify(state.recipe),
  ];
}
