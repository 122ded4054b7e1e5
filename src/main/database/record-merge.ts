import { createHash, randomUUID } from 'node:crypto';
import type {
  ConversationRecord,
  RecordedPart,
  RecordedTurn,
} from '../../shared/domain/conversation-record.ts';
import type { StudioDatabase } from './open.ts';
import { createPictureTable } from './pictures.ts';
import { ratingNumbers } from './turn-rows.ts';
import { stateColumns } from './turns.ts';
import { known } from '../../shared/errors.ts';

/** What storing a record changed. */
export interface Merged {
  /** The conversation as it is here: its own id, or another where that one was not free. */
  readonly conversationId: string;
  /** `new`: it was not here. `extended`: it was, without some of this, or in the trash. `known`: all of it was here. */
  readonly outcome: 'new' | 'extended' | 'known';
  /** Turns, and drawings at places of turns that were here, that are new. */
  readonly turns: number;
  readonly drawings: number;
}

/** Stores records. Nothing that is here is changed or taken away: what is new comes beside it. */
export interface RecordMerge {
  /** What `store` would do, without doing it. */
  preview(record: ConversationRecord): Merged;
  /** Stores it whole, in one transaction. The record has no fault, and its pictures' files are there. */
  store(record: ConversationRecord): Merged;
}

/** An id that is not free gets another, the same each time, so that the same archive is known again. */
function otherId(...of: readonly string[]): string {
  const hex = createHash('sha256').update(of.join(' ')).digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Where a record goes, and what of it is here already. */
interface Plan {
  readonly conversationId: string;
  readonly isNew: boolean;
  /** It lies in the trash here, and not in the record. */
  readonly isDeletedHere: boolean;
  /** Id here, by id in the record. */
  readonly turnIds: ReadonlyMap<string, string>;
  readonly newTurns: readonly RecordedTurn[];
  readonly newDrawings: readonly { readonly turn: RecordedTurn; readonly part: RecordedPart }[];
}

/** Prepares storing records. */
export function createRecordMerge(database: StudioDatabase): RecordMerge {
  const planOf = createPlan(database);
  const write = createWrite(database);
  const describe = ({ conversationId, newTurns, newDrawings, ...plan }: Plan): Merged => ({
    conversationId,
    outcome: plan.isNew
      ? 'new'
      : newTurns.length + newDrawings.length > 0 || plan.isDeletedHere
        ? 'extended'
        : 'known',
    turns: newTurns.length,
    drawings: newDrawings.length,
  });
  return {
    preview: database.transaction((record: ConversationRecord) => describe(planOf(record))),
    store: database.transaction((record: ConversationRecord) => {
      const planned = planOf(record);
      const merged = describe(planned);
      if (merged.outcome !== 'known') write(record, planned);
      return merged;
    }),
  };
}

function createPlan(database: StudioDatabase): (record: ConversationRecord) => Plan {
  const conversationOf = database
    .prepare<[string], string>(
      'SELECT c.id FROM turns t JOIN conversations c ON c.key = t.conversation_key WHERE t.id = ?',
    )
    .pluck();
  const turnCount = database
    .prepare<[string], number | null>(
      'SELECT (SELECT count(*) FROM turns WHERE conversation_key = c.key) FROM conversations c WHERE c.id = ?',
    )
    .pluck();
  const picturesAt = database.prepare<[string, number], { hash: string; caption: string | null }>(
    `SELECT i.hash, i.caption FROM turns t JOIN parts p ON p.turn_key = t.key
     JOIN pictures i ON i.key = p.picture_key WHERE t.id = ? AND p.position = ?`,
  );
  const isDeleted = database
    .prepare<[string], number>('SELECT deleted_at IS NOT NULL FROM conversations WHERE id = ?')
    .pluck();
  /** The conversation that the record's is here; another where its id is that of something else. */
  const place = ({ id, turns }: ConversationRecord): { id: string; isNew: boolean } => {
    for (const candidate of [id, otherId('conversation', id)]) {
      const count = turnCount.get(candidate);
      if (count === undefined || count === null) return { id: candidate, isNew: true };
      const sharesTurns = turns.some((turn) =>
        [turn.id, otherId(candidate, turn.id)].some(
          (each) => conversationOf.get(each) === candidate,
        ),
      );
      if (sharesTurns || turns.length === 0 || count === 0) return { id: candidate, isNew: false };
    }
    return { id: randomUUID(), isNew: true };
  };
  return (record) => {
    const { id: conversationId, isNew } = place(record);
    const turnIds = new Map<string, string>();
    const newTurns: RecordedTurn[] = [];
    const newDrawings: { turn: RecordedTurn; part: RecordedPart }[] = [];
    const pictures = new Map(record.pictures.map((picture) => [picture.id, picture]));
    for (const turn of record.turns) {
      const other = otherId(conversationId, turn.id);
      const here = [turn.id, other].find((each) => conversationOf.get(each) === conversationId);
      if (here === undefined) {
        turnIds.set(turn.id, conversationOf.get(turn.id) === undefined ? turn.id : other);
        newTurns.push(turn);
        continue;
      }
      turnIds.set(turn.id, here);
      for (const part of turn.parts) {
        if (part.content.kind !== 'picture' || turn.role === 'user') continue;
        const picture = known(pictures.get(part.content.pictureId), 'a picture');
        const isHere = picturesAt
          .all(here, part.position)
          .some(({ hash, caption }) => hash === picture.hash && caption === picture.caption);
        if (!isHere) newDrawings.push({ turn, part });
      }
    }
    const isDeletedHere = record.deletedAt === null && isDeleted.get(conversationId) === 1;
    return { conversationId, isNew, isDeletedHere, turnIds, newTurns, newDrawings };
  };
}

/** Rows of one conversation, made as they are needed. */
function createWrite(database: StudioDatabase): (record: ConversationRecord, plan: Plan) => void {
  const insertConversation = database.prepare(
    `INSERT INTO conversations (id, title, created_at, updated_at, deleted_at, pinned, archived, tags, settings)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const touch = database.prepare(
    'UPDATE conversations SET updated_at = max(updated_at, ?) WHERE id = ?',
  );
  const restore = database.prepare('UPDATE conversations SET deleted_at = NULL WHERE id = ?');
  const keyOf = database
    .prepare<[string], number>('SELECT key FROM conversations WHERE id = ?')
    .pluck();
  const makePictures = createPictureWrite(database);
  const makeDeletions = createDeletionWrite(database);
  const writeTurn = createTurnWrite(database);
  const writeDrawing = createDrawingWrite(database);
  return (record, plan) => {
    const { conversationId: id, isNew, turnIds, newTurns, newDrawings } = plan;
    const { title, createdAt, updatedAt, deletedAt } = record;
    if (isNew)
      insertConversation.run(id, title, createdAt, updatedAt, deletedAt, ...keptBy(record));
    else touch.run(updatedAt, id);
    if (plan.isDeletedHere) restore.run(id);
    const place: Place = {
      conversationId: id,
      conversationKey: known(keyOf.get(id), 'the conversation'),
      turnIds,
      pictureKey: makePictures(record, id),
      deletionKey: makeDeletions(record, id),
    };
    for (const turn of newTurns) writeTurn(turn, place);
    for (const { turn, part } of newDrawings) writeDrawing(turn, part, place);
  };
}

/** How it is kept, of a conversation that was not here: what is set here stays. */
function keptBy({ marks = {}, settings }: ConversationRecord): (number | string | null)[] {
  const { pinned = false, archived = false, tags = [] } = marks;
  const own = settings === undefined ? null : JSON.stringify(settings);
  return [Number(pinned), Number(archived), JSON.stringify(tags), own];
}

interface Place {
  readonly conversationId: string;
  readonly conversationKey: number;
  readonly turnIds: ReadonlyMap<string, string>;
  readonly pictureKey: (pictureId: string) => number;
  readonly deletionKey: (deletionId: string) => number;
}

/** A picture's row that is here serves, where it is the same picture. */
function createPictureWrite(
  database: StudioDatabase,
): (record: ConversationRecord, conversationId: string) => Place['pictureKey'] {
  const table = createPictureTable(database);
  const keyOf = database.prepare<[string], number>('SELECT key FROM pictures WHERE id = ?').pluck();
  return (record, conversationId) => {
    const recorded = new Map(record.pictures.map((picture) => [picture.id, picture]));
    return (pictureId) => {
      const { createdAt, ...picture } = known(recorded.get(pictureId), 'a picture');
      const here = table.find(pictureId);
      const isSame = here?.hash === picture.hash && here.caption === picture.caption;
      const id = here === null || isSame ? pictureId : otherId(conversationId, pictureId);
      if (keyOf.get(id) === undefined) table.insert({ ...picture, id }, createdAt);
      return known(keyOf.get(id), 'a picture');
    };
  };
}

function createDeletionWrite(
  database: StudioDatabase,
): (record: ConversationRecord, conversationId: string) => Place['deletionKey'] {
  const find = database.prepare<[string], { key: number; conversation_id: string }>(
    `SELECT d.key, c.id AS conversation_id FROM deletions d JOIN conversations c ON c.key = d.conversation_key
     WHERE d.id = ?`,
  );
  const insert = database.prepare(
    `INSERT INTO deletions (id, conversation_key, created_at, erased)
     SELECT ?, key, ?, ? FROM conversations WHERE id = ?`,
  );
  return (record, conversationId) => (deletionId) => {
    const here = find.get(deletionId);
    if (here?.conversation_id === conversationId) return here.key;
    const id = here === undefined ? deletionId : otherId(conversationId, deletionId);
    const other = find.get(id);
    if (other !== undefined) return other.key;
    const recorded = record.deletions.find((each) => each.id === deletionId);
    const { createdAt, erased } = known(recorded, 'a deletion');
    return Number(insert.run(id, createdAt, erased ? 1 : 0, conversationId).lastInsertRowid);
  };
}

function createTurnWrite(database: StudioDatabase): (turn: RecordedTurn, place: Place) => void {
  const keyOf = database.prepare<[string], number>('SELECT key FROM turns WHERE id = ?').pluck();
  const hasCurrent = database.prepare(
    'SELECT 1 FROM turns WHERE conversation_key = ? AND parent_key IS ? AND is_current = 1',
  );
  const insert = database.prepare(
    `INSERT INTO turns (id, conversation_key, parent_key, is_current, role, status, error, notices, usage, model, recipe,
       rating, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const mark = database.prepare('UPDATE turns SET deletion_key = ? WHERE key = ?');
  const insertPart = createPartInsert(database);
  return (turn, place) => {
    const { conversationKey, turnIds, deletionKey } = place;
    const parent = turn.parentId === null ? null : keyHere(keyOf, turnIds, turn.parentId);
    const isFree = hasCurrent.get(conversationKey, parent) === undefined;
    const current = turn.isCurrent && isFree ? 1 : 0;
    const state = stateColumns(turn);
    const made = insert.run(
      turnIds.get(turn.id),
      conversationKey,
      parent,
      current,
      turn.role,
      ...state,
      turn.rating === undefined ? null : ratingNumbers[turn.rating],
      turn.createdAt,
    );
    const key = Number(made.lastInsertRowid);
    for (const part of turn.parts) insertPart(key, part, part.isCurrent, place);
    // Last: the words leave the search with the mark.
    if (turn.deletionId !== null) mark.run(deletionKey(turn.deletionId), key);
  };
}

/** The row here of a turn of the record. */
function keyHere(
  keyOf: { get(id: string): number | undefined },
  turnIds: ReadonlyMap<string, string>,
  turnId: string,
): number {
  return known(keyOf.get(known(turnIds.get(turnId), 'a turn')), 'a turn');
}

/** A drawing comes as another version: what is shown at its place stays. */
function createDrawingWrite(
  database: StudioDatabase,
): (turn: RecordedTurn, part: RecordedPart, place: Place) => void {
  const keyOf = database.prepare<[string], number>('SELECT key FROM turns WHERE id = ?').pluck();
  const insertPart = createPartInsert(database);
  return (turn, part, place) =>
    void insertPart(keyHere(keyOf, place.turnIds, turn.id), part, false, place);
}

function createPartInsert(
  database: StudioDatabase,
): (turnKey: number, part: RecordedPart, isCurrent: boolean, place: Place) => void {
  const insert = database.prepare(
    `INSERT INTO parts (turn_key, position, is_current, kind, body, picture_key, error) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const mark = database.prepare('UPDATE parts SET deletion_key = ? WHERE key = ?');
  return (turnKey, { position, deletionId, content }, isCurrent, { pictureKey, deletionKey }) => {
    const picture = content.kind === 'picture' ? pictureKey(content.pictureId) : null;
    const body =
      content.kind === 'text' ? content.text : content.kind === 'undrawn' ? content.caption : null;
    const error = content.kind === 'undrawn' ? JSON.stringify(content.error) : null;
    const current = isCurrent ? 1 : 0;
    const made = insert.run(turnKey, position, current, content.kind, body, picture, error);
    if (deletionId !== null) mark.run(deletionKey(deletionId), Number(made.lastInsertRowid));
  };
}
