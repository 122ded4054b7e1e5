import type { ConversationVersions, DrawingVersions } from '../../shared/domain/versions.ts';
import type { MessagePart } from '../../shared/domain/turn.ts';
import type { StudioDatabase } from './open.ts';
import type { Picture } from '../../shared/domain/picture.ts';
import { currentPath } from './path.ts';
import { pictureFromRow, type PictureRow } from './pictures.ts';
import type { PartWrite } from './turns.ts';

/** What was taken away, so that it can be brought back. */
export interface Deletion {
  readonly id: string;
  readonly at: number;
}

/** The tree of a conversation: several versions of a turn under one parent, several drawings at one place. */
export interface VersionTable {
  /** Where the current path of a conversation has more than one version. */
  of(conversationId: string): ConversationVersions;
  /** Makes a turn current, and every turn on the way to it. */
  choose(turnId: string): void;
  /** Makes the drawing with this number at a place of a turn current, from 0, oldest first; false where there is none. */
  chooseDrawing(turnId: string, partIndex: number, index: number): boolean;
  /** Puts another drawing at a place of a turn and makes it current; the ones before stay. */
  addDrawing(turnId: string, partIndex: number, part: MessagePart): void;
  /** Puts a picture at a place of a turn, behind the drawings there; it becomes current if it is to be. */
  placeDrawing(turnId: string, partIndex: number, picture: Picture, current: boolean): void;
  /** The drawings at a place, oldest first, those that were not drawn as null, and which of them is current. */
  drawingsAt(turnId: string, partIndex: number): { pictures: (Picture | null)[]; current: number };
  /** How many versions of a turn there are, itself counted. */
  count(turnId: string): number;
  /** How many drawings there are at a place of a turn. */
  countDrawings(turnId: string, partIndex: number): number;
  /** Takes one of several versions away, with all that follows it; its neighbour becomes current. */
  removeVersion(turnId: string, deletion: Deletion): void;
  /** Takes a person's turn and its replies away; what follows stays. */
  removeExchange(turnId: string, deletion: Deletion): void;
  /** Takes the current drawing of several away; its neighbour becomes current. */
  removeDrawing(turnId: string, partIndex: number, deletion: Deletion): void;
  /** Brings back what was taken away, and makes it current. Its conversation; null where it is gone for good. */
  restore(deletionId: string): string | null;
  /** Erases the words and pictures of what was taken away before `before`; returns how many deletions. */
  erase(before: number): number;
}

/** The statements that are asked often; here so that a test can look at their plans. */
export const versionQueries = {
  /** ?1 conversation. */
  turns: `${currentPath}
SELECT t.id AS turn_id, s.id AS version_id
FROM path CROSS JOIN turns t ON t.key = path.key
CROSS JOIN turns s ON s.conversation_key = t.conversation_key AND s.parent_key IS t.parent_key
WHERE t.deletion_key IS NULL AND s.deletion_key IS NULL`,
  /** ?1 conversation. Drawings at places that have more than one. */
  drawings: `${currentPath}
SELECT t.id AS turn_id, p.position, p.is_current
FROM path CROSS JOIN turns t ON t.key = path.key
CROSS JOIN parts p ON p.turn_key = t.key
WHERE t.deletion_key IS NULL AND p.kind <> 'text' AND p.deletion_key IS NULL`,
  /** ?1 turn. It and every turn on the way to it. */
  ancestors: `
WITH RECURSIVE ancestor (key, parent_key, conversation_key) AS (
  SELECT key, parent_key, conversation_key FROM turns WHERE id = ?
  UNION ALL
  SELECT t.key, t.parent_key, t.conversation_key FROM ancestor CROSS JOIN turns t ON t.key = ancestor.parent_key
)
SELECT t.key, t.parent_key, t.conversation_key FROM ancestor CROSS JOIN turns t ON t.key = ancestor.key
WHERE t.is_current = 0`,
  /** ?1 turn. */
  siblings: `
SELECT s.key, s.id FROM turns t
JOIN turns s ON s.conversation_key = t.conversation_key AND s.parent_key IS t.parent_key
WHERE t.id = ? AND s.deletion_key IS NULL ORDER BY s.key`,
  /** ?1 turn, ?2 place. */
  drawingsAt: `
SELECT p.key, p.is_current FROM turns t JOIN parts p ON p.turn_key = t.key AND p.position = ?
WHERE t.id = ? AND p.kind <> 'text' AND p.deletion_key IS NULL ORDER BY p.key`,
  /** ?1 place, ?2 turn. */
  picturesAt: `
SELECT p.key AS part_key, p.is_current, i.id, i.hash, i.media_type, i.width, i.height, i.bytes, i.origin, i.caption,
  i.recipe, i.name, i.alt, i.favourite
FROM turns t JOIN parts p ON p.turn_key = t.key AND p.position = ? LEFT JOIN pictures i ON i.key = p.picture_key
WHERE t.id = ? AND p.kind <> 'text' AND p.deletion_key IS NULL ORDER BY p.key`,
} as const;

/** Prepares the queries on versions. */
export function createVersionTable(database: StudioDatabase, savePart: PartWrite): VersionTable {
  const choices = createChoices(database);
  return {
    ...choices,
    ...createReads(database),
    ...createDrawings(database, savePart),
    ...createRemovals(database, choices.choose),
    ...createRestore(database, choices.choose),
  };
}

function createReads(database: StudioDatabase): Pick<VersionTable, 'of' | 'count'> {
  const turns = database.prepare<[string], { turn_id: string; version_id: string }>(
    versionQueries.turns,
  );
  const drawings = database.prepare<
    [string],
    { turn_id: string; position: number; is_current: number }
  >(versionQueries.drawings);
  const siblings = database.prepare<[string], { key: number }>(versionQueries.siblings);
  return {
    of: (conversationId) => ({
      turns: [...grouped(turns.all(conversationId), ({ turn_id }) => turn_id).values()]
        .filter((versions) => versions.length > 1)
        .map((versions) => versions.map(({ version_id }) => version_id)),
      drawings: [
        ...grouped(
          drawings.all(conversationId),
          ({ turn_id, position }) => `${turn_id} ${position}`,
        ).values(),
      ].flatMap(describePlace),
    }),
    count: (turnId) => siblings.all(turnId).length,
  };
}

function describePlace(
  versions: readonly { turn_id: string; position: number; is_current: number }[],
): DrawingVersions[] {
  const [first] = versions;
  if (first === undefined || versions.length < 2) return [];
  const current = versions.findIndex(({ is_current }) => is_current === 1);
  const { turn_id: turnId, position: partIndex } = first;
  return [{ turnId, partIndex, count: versions.length, current }];
}

function grouped<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}

function createChoices(database: StudioDatabase): Pick<VersionTable, 'choose'> {
  const ancestors = database.prepare<
    [string],
    { key: number; parent_key: number | null; conversation_key: number }
  >(versionQueries.ancestors);
  const leave = database.prepare(
    'UPDATE turns SET is_current = 0 WHERE conversation_key = ? AND parent_key IS ? AND is_current = 1',
  );
  const take = database.prepare('UPDATE turns SET is_current = 1 WHERE key = ?');
  return {
    choose: database.transaction((turnId: string) => {
      for (const { key, parent_key, conversation_key } of ancestors.all(turnId)) {
        leave.run(conversation_key, parent_key);
        take.run(key);
      }
    }),
  };
}

interface PlaceRow {
  readonly key: number;
  readonly is_current: number;
}

/** A drawing of a place with its picture's columns, which are null where it was not drawn. */
type PlacedRow = Omit<PictureRow, 'id'> & {
  readonly id: string | null;
  readonly part_key: number;
  readonly is_current: number;
};

type Drawings = Pick<
  VersionTable,
  'chooseDrawing' | 'addDrawing' | 'placeDrawing' | 'drawingsAt' | 'countDrawings' | 'removeDrawing'
>;

function createDrawings(database: StudioDatabase, savePart: PartWrite): Drawings {
  const at = database.prepare<[number, string], PlaceRow>(versionQueries.drawingsAt);
  const leave = database.prepare('UPDATE parts SET is_current = 0 WHERE key = ?');
  const take = database.prepare('UPDATE parts SET is_current = 1 WHERE key = ?');
  const mark = database.prepare('UPDATE parts SET deletion_key = ? WHERE key = ?');
  const pictures = database.prepare<[number, string], PlacedRow>(versionQueries.picturesAt);
  const insert = database.prepare(
    `INSERT INTO parts (turn_key, position, is_current, kind, picture_key)
     VALUES ((SELECT key FROM turns WHERE id = ?), ?, 0, 'picture', (SELECT key FROM pictures WHERE id = ?))`,
  );
  const deletion = createDeletionInsert(database);
  const current = (turnId: string, place: number): PlaceRow | undefined =>
    at.all(place, turnId).find(({ is_current }) => is_current === 1);
  const leaveCurrent = (turnId: string, place: number): void => {
    const before = current(turnId, place);
    if (before !== undefined) leave.run(before.key);
  };
  return {
    countDrawings: (turnId, place) => at.all(place, turnId).length,
    chooseDrawing: database.transaction((turnId: string, place: number, index: number) => {
      const chosen = at.all(place, turnId)[index];
      if (chosen === undefined) return false;
      leaveCurrent(turnId, place);
      take.run(chosen.key);
      return true;
    }),
    addDrawing: database.transaction((turnId: string, place: number, part: MessagePart) => {
      leaveCurrent(turnId, place);
      savePart(turnId, place, part);
    }),
    placeDrawing: database.transaction(
      (turnId: string, place: number, picture: Picture, isCurrent: boolean) => {
        const same = pictures.all(place, turnId).find(({ id }) => id === picture.id);
        if (same === undefined) insert.run(turnId, place, picture.id);
        const placed = at.all(place, turnId).at(-1);
        const key = same?.part_key ?? placed?.key;
        if (!isCurrent || key === undefined) return;
        leaveCurrent(turnId, place);
        take.run(key);
      },
    ),
    drawingsAt: (turnId, place) => placedDrawings(pictures.all(place, turnId)),
    removeDrawing: database.transaction((turnId: string, place: number, made: Deletion) => {
      const versions = at.all(place, turnId);
      const index = versions.findIndex(({ is_current }) => is_current === 1);
      const [removed, next] = [versions[index], versions[index - 1] ?? versions[index + 1]];
      if (removed === undefined || next === undefined) throw new Error('No other drawing to show');
      leave.run(removed.key);
      mark.run(deletion(turnId, made), removed.key);
      take.run(next.key);
    }),
  };
}

function placedDrawings(rows: readonly PlacedRow[]): ReturnType<VersionTable['drawingsAt']> {
  const current = rows.findIndex(({ is_current }) => is_current === 1);
  return {
    pictures: rows.map((row) => (row.id === null ? null : pictureFromRow({ ...row, id: row.id }))),
    current: Math.max(0, current),
  };
}

/** Writes down a deletion in a turn's conversation; its key. */
function createDeletionInsert(
  database: StudioDatabase,
): (turnId: string, deletion: Deletion) => number {
  const insert = database.prepare(
    `INSERT INTO deletions (id, conversation_key, created_at)
     SELECT ?, conversation_key, ? FROM turns WHERE id = ?`,
  );
  return (turnId, { id, at }) => {
    const made = insert.run(id, at, turnId);
    if (made.changes !== 1) throw new Error(`No turn ${turnId}`);
    return Number(made.lastInsertRowid);
  };
}

function createRemovals(
  database: StudioDatabase,
  choose: VersionTable['choose'],
): Pick<VersionTable, 'removeVersion' | 'removeExchange'> {
  const deletion = createDeletionInsert(database);
  const siblings = database.prepare<[string], { key: number; id: string }>(versionQueries.siblings);
  const markBranch = database.prepare(
    `WITH RECURSIVE branch (conversation_key, key) AS (
       SELECT conversation_key, key FROM turns WHERE id = ?
       UNION ALL
       SELECT t.conversation_key, t.key FROM branch CROSS JOIN turns t
         ON t.conversation_key = branch.conversation_key AND t.parent_key = branch.key
     )
     UPDATE turns SET deletion_key = ? WHERE key IN (SELECT key FROM branch) AND deletion_key IS NULL`,
  );
  const markExchange = database.prepare(
    `UPDATE turns SET deletion_key = ?1 WHERE deletion_key IS NULL AND key IN (
       SELECT key FROM turns WHERE id = ?2
       UNION ALL
       SELECT reply.key FROM turns t JOIN turns reply
         ON reply.conversation_key = t.conversation_key AND reply.parent_key = t.key WHERE t.id = ?2
     )`,
  );
  return {
    removeVersion: database.transaction((turnId: string, made: Deletion) => {
      const versions = siblings.all(turnId);
      const index = versions.findIndex(({ id }) => id === turnId);
      const next = versions[index - 1] ?? versions[index + 1];
      if (next === undefined) throw new Error('No other version to show');
      markBranch.run(turnId, deletion(turnId, made));
      choose(next.id);
    }),
    removeExchange: database.transaction((turnId: string, made: Deletion) => {
      markExchange.run({ 1: deletion(turnId, made), 2: turnId });
    }),
  };
}

function createRestore(
  database: StudioDatabase,
  choose: VersionTable['choose'],
): Pick<VersionTable, 'restore' | 'erase'> {
  const find = database.prepare<[string], { key: number; conversation_id: string }>(
    `SELECT d.key, c.id AS conversation_id FROM deletions d JOIN conversations c ON c.key = d.conversation_key
     WHERE d.id = ? AND d.erased = 0 AND c.deleted_at IS NULL`,
  );
  const turns = database.prepare<[number], { id: string }>(
    'SELECT id FROM turns WHERE deletion_key = ? ORDER BY key',
  );
  const unmarkTurns = database.prepare(
    'UPDATE turns SET deletion_key = NULL WHERE deletion_key = ?',
  );
  const parts = database.prepare<[number], { key: number; turn_key: number; position: number }>(
    'SELECT key, turn_key, position FROM parts WHERE deletion_key = ?',
  );
  const leavePart = database.prepare(
    'UPDATE parts SET is_current = 0 WHERE turn_key = ? AND position = ? AND is_current = 1',
  );
  const takePart = database.prepare(
    'UPDATE parts SET deletion_key = NULL, is_current = 1 WHERE key = ?',
  );
  const forget = database.prepare('DELETE FROM deletions WHERE key = ?');
  return {
    restore: database.transaction((deletionId: string) => {
      const found = find.get(deletionId);
      if (found === undefined) return null;
      // What was taken away hangs on the first of it.
      const top = turns.get(found.key);
      unmarkTurns.run(found.key);
      if (top !== undefined) choose(top.id);
      for (const { key, turn_key, position } of parts.all(found.key)) {
        leavePart.run(turn_key, position);
        takePart.run(key);
      }
      forget.run(found.key);
      return found.conversation_id;
    }),
    erase: createErase(database),
  };
}

/** The turns themselves stay, empty: what follows a deleted exchange hangs on it. */
function createErase(database: StudioDatabase): (before: number) => number {
  const old = database
    .prepare<[number], number>('SELECT key FROM deletions WHERE erased = 0 AND created_at < ?')
    .pluck();
  const partsOfTurns = database.prepare(
    'DELETE FROM parts WHERE turn_key IN (SELECT key FROM turns WHERE deletion_key = ?)',
  );
  const details = database.prepare(
    `UPDATE turns SET error = NULL, notices = '[]', usage = NULL, rating = NULL WHERE deletion_key = ?`,
  );
  const drawings = database.prepare('DELETE FROM parts WHERE deletion_key = ?');
  const mark = database.prepare('UPDATE deletions SET erased = 1 WHERE key = ?');
  return database.transaction((before: number) => {
    const keys = old.all(before);
    for (const key of keys) {
      for (const statement of [partsOfTurns, details, drawings, mark]) statement.run(key);
    }
    return keys.length;
  });
}
