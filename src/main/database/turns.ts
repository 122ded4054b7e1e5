import type { MessagePart, Turn, TurnStatus } from '../../shared/domain/turn.ts';
import { StudioError } from '../../shared/errors.ts';
import type { StudioDatabase } from './open.ts';
import { storageFaultOf } from './sqlite-errors.ts';
import { assembleTurns, type PartRow, type ReadTurn, type TurnRow } from './turn-rows.ts';

/** What a turn is apart from its parts. */
export type TurnState = Pick<Turn, 'status' | 'error' | 'notices' | 'usage' | 'model'>;

export interface FoundTurn {
  readonly conversationId: string;
  readonly turn: Turn;
  /** Whether nothing follows it. */
  readonly isLast: boolean;
}

/** Queries on turns and their parts. */
export interface TurnTable {
  /** In order; empty where there is no such conversation. What is damaged says so in its place. */
  list(conversationId: string): Turn[];
  /** @throws {StudioError} `storage`: the turn is damaged, and must not be written over */
  find(turnId: string): FoundTurn | null;
  /** Puts it at the conversation's end, with its parts. */
  append(conversationId: string, turn: Turn): void;
  saveState(turnId: string, state: TurnState): void;
  /** Writes the parts from `from` on, and drops what stands behind them. */
  saveParts(turnId: string, parts: readonly MessagePart[], from: number): void;
  remove(turnId: string): void;
  /** Marks what was `streaming` when the app died as interrupted; returns how many turns. */
  interruptStreaming(): number;
}

/** The statements that open a conversation; here so that a test can look at their plans. */
export const turnQueries = {
  turns: `
SELECT t.key, t.id, t.role, t.status, t.error, t.notices, t.usage, t.model, t.created_at
FROM conversations c JOIN turns t ON t.conversation_key = c.key
WHERE c.id = ? ORDER BY t.position`,
  parts: `
SELECT p.turn_key, p.kind, p.body, p.error AS part_error, i.id, i.hash, i.media_type, i.width, i.height, i.bytes,
  i.origin, i.caption, i.recipe
FROM conversations c JOIN turns t ON t.conversation_key = c.key
JOIN parts p ON p.turn_key = t.key LEFT JOIN pictures i ON i.key = p.picture_key
WHERE c.id = ? ORDER BY t.position, p.position`,
  /** Asked turn by turn where the statement above meets a damaged page. */
  partsOfTurn: `
SELECT p.turn_key, p.kind, p.body, p.error AS part_error, i.id, i.hash, i.media_type, i.width, i.height, i.bytes,
  i.origin, i.caption, i.recipe
FROM parts p LEFT JOIN pictures i ON i.key = p.picture_key
WHERE p.turn_key = ? ORDER BY p.position`,
  turn: `
SELECT c.id AS conversation_id, NOT EXISTS (
  SELECT 1 FROM turns later WHERE later.conversation_key = t.conversation_key AND later.position > t.position
) AS is_last
FROM turns t JOIN conversations c ON c.key = t.conversation_key WHERE t.id = ? AND c.deleted_at IS NULL`,
} as const;

/** Prepares the queries on turns. */
export function createTurnTable(database: StudioDatabase): TurnTable {
  const turns = database.prepare<[string], TurnRow>(turnQueries.turns);
  const parts = database.prepare<[string], PartRow>(turnQueries.parts);
  const place = database.prepare<[string], { conversation_id: string; is_last: number }>(
    turnQueries.turn,
  );
  const remove = database.prepare('DELETE FROM turns WHERE id = ?');
  const partsOfTurn = database.prepare<[number], PartRow>(turnQueries.partsOfTurn);
  const read = (conversationId: string): ReadTurn[] =>
    assembleTurns(
      turns.all(conversationId),
      readParts(
        () => parts.all(conversationId),
        (turnKey) => partsOfTurn.all(turnKey),
      ),
    );
  return {
    list: (conversationId) => read(conversationId).map(({ turn }) => turn),
    find(turnId) {
      const found = place.get(turnId);
      if (found === undefined) return null;
      const one = read(found.conversation_id).find(({ turn }) => turn.id === turnId);
      if (one === undefined) return null;
      if (one.isDamaged) {
        throw new StudioError('storage', 'This turn is damaged: it can be read, but not changed.');
      }
      return { conversationId: found.conversation_id, turn: one.turn, isLast: found.is_last === 1 };
    },
    remove: (turnId) => void remove.run(turnId),
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
  for (const row of rows) {
    const parts = byTurn.get(row.turn_key);
    if (parts === undefined) byTurn.set(row.turn_key, [row]);
    else parts.push(row);
  }
  return (turnKey) => byTurn.get(turnKey) ?? [];
}

type TurnWrites = Pick<TurnTable, 'append' | 'saveState' | 'saveParts' | 'interruptStreaming'>;

function createWrites(database: StudioDatabase): TurnWrites {
  const append = database.prepare(
    `INSERT INTO turns (id, conversation_key, position, role, status, error, notices, usage, model, created_at)
     SELECT ?, c.key, (SELECT coalesce(max(position), -1) + 1 FROM turns WHERE conversation_key = c.key),
       ?, ?, ?, ?, ?, ?, ?
     FROM conversations c WHERE c.id = ?`,
  );
  const saveState = database.prepare(
    'UPDATE turns SET status = ?, error = ?, notices = ?, usage = ?, model = ? WHERE id = ?',
  );
  const savePart = createPartWrite(database);
  const dropParts = database.prepare(
    'DELETE FROM parts WHERE turn_key = (SELECT key FROM turns WHERE id = ?) AND position >= ?',
  );
  const dropEmptyCaptions = database.prepare(
    `DELETE FROM parts WHERE kind = 'undrawn' AND body = ''
     AND turn_key IN (SELECT key FROM turns WHERE status = 'streaming')`,
  );
  const interrupt = database.prepare(
    `UPDATE turns SET status = 'interrupted' WHERE status = 'streaming'`,
  );
  const saveParts: TurnTable['saveParts'] = database.transaction((turnId, parts, from) => {
    for (let position = from; position < parts.length; position += 1) {
      savePart(turnId, position, parts[position]!);
    }
    dropParts.run(turnId, parts.length);
  });
  return {
    append: database.transaction((conversationId: string, turn: Turn) => {
      const state = stateColumns(turn);
      const inserted = append.run(turn.id, turn.role, ...state, turn.createdAt, conversationId);
      if (inserted.changes !== 1) throw new Error(`No conversation ${conversationId}`);
      saveParts(turn.id, turn.parts, 0);
    }),
    saveState: (turnId, state) => void saveState.run(...stateColumns(state), turnId),
    saveParts,
    interruptStreaming: database.transaction(() => {
      dropEmptyCaptions.run();
      return interrupt.run().changes;
    }),
  };
}

type PartWrite = (turnId: string, position: number, part: MessagePart) => void;

function createPartWrite(database: StudioDatabase): PartWrite {
  const save = database.prepare(
    `INSERT INTO parts (turn_key, position, kind, body, picture_key, error)
     VALUES ((SELECT key FROM turns WHERE id = ?), ?, ?, ?, (SELECT key FROM pictures WHERE id = ?), ?)
     ON CONFLICT (turn_key, position) DO UPDATE
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

type StateColumns = [TurnStatus, string | null, string, string | null, string | null];

function stateColumns(state: TurnState): StateColumns {
  return [
    state.status,
    state.error === null ? null : JSON.stringify(state.error),
    JSON.stringify(state.notices),
    state.usage === null ? null : JSON.stringify(state.usage),
    state.model,
  ];
}
