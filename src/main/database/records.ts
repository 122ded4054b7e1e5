import type {
  ConversationRecord,
  RecordedPart,
  RecordedPicture,
  RecordedTurn,
} from '../../shared/domain/conversation-record.ts';
import { readTags } from './conversation-lists.ts';
import { readConversationSettings } from './conversations.ts';
import type { StudioDatabase } from './open.ts';
import { pictureFromRow } from './pictures.ts';
import { partColumns, turnColumns } from './turns.ts';
import { type PartRow, type TurnRow, readTurn } from './turn-rows.ts';
import { known } from '../../shared/errors.ts';

/** Whole conversations, with every version and what is deleted, for what goes out of the app and comes back. */
export interface RecordTable {
  /** Ids of all conversations, the newest first; those in the trash where they are asked for. */
  ids(options: { readonly withDeleted: boolean }): string[];
  /** Ids of those that have a reply rated up, the newest first; none that is in the trash. */
  ratedUp(): string[];
  /** Null where there is none. What is damaged says so in its place. */
  read(conversationId: string): ConversationRecord | null;
}

/** The statements that read a record; here so that a test can look at their plans. ?1 conversation. */
export const recordQueries = {
  conversation:
    'SELECT id, title, created_at, updated_at, deleted_at, pinned, archived, tags, settings FROM conversations WHERE id = ?',
  deletions: `
SELECT d.id, d.created_at, d.erased FROM conversations c JOIN deletions d ON d.conversation_key = c.key
WHERE c.id = ? ORDER BY d.key`,
  ratedUp: `
SELECT c.id FROM conversations c WHERE c.deleted_at IS NULL AND c.key IN (
  SELECT t.conversation_key FROM turns t WHERE t.rating = 1 AND t.deletion_key IS NULL
) ORDER BY c.updated_at DESC, c.key DESC`,
  turns: `
SELECT ${turnColumns}, t.is_current,
  (SELECT id FROM turns WHERE key = t.parent_key) AS parent_id, d.id AS deletion_id
FROM conversations c JOIN turns t ON t.conversation_key = c.key LEFT JOIN deletions d ON d.key = t.deletion_key
WHERE c.id = ? ORDER BY t.key`,
  parts: `
SELECT ${partColumns}, p.is_current, d.id AS deletion_id, i.created_at AS picture_at
FROM conversations c JOIN turns t ON t.conversation_key = c.key JOIN parts p ON p.turn_key = t.key
LEFT JOIN deletions d ON d.key = p.deletion_key LEFT JOIN pictures i ON i.key = p.picture_key
WHERE c.id = ? ORDER BY p.turn_key, p.position, p.key`,
} as const;

interface ConversationRow {
  readonly id: string;
  readonly title: string;
  readonly created_at: number;
  readonly updated_at: number;
  readonly deleted_at: number | null;
  readonly pinned: number;
  readonly archived: number;
  readonly tags: string;
  readonly settings: string | null;
}

interface TreeRow extends TurnRow {
  readonly is_current: number;
  readonly parent_id: string | null;
  readonly deletion_id: string | null;
}

interface TreePartRow extends PartRow {
  readonly is_current: number;
  readonly deletion_id: string | null;
  readonly picture_at: number;
}

/** Prepares reading records. */
export function createRecordTable(database: StudioDatabase): RecordTable {
  const all = database
    .prepare<[number], string>(
      'SELECT id FROM conversations WHERE ? OR deleted_at IS NULL ORDER BY updated_at DESC, key DESC',
    )
    .pluck();
  const ratedUp = database.prepare<[], string>(recordQueries.ratedUp).pluck();
  const conversation = database.prepare<[string], ConversationRow>(recordQueries.conversation);
  const deletions = database.prepare<[string], { id: string; created_at: number; erased: number }>(
    recordQueries.deletions,
  );
  const turns = database.prepare<[string], TreeRow>(recordQueries.turns);
  const parts = database.prepare<[string], TreePartRow>(recordQueries.parts);
  return {
    ids: ({ withDeleted }) => all.all(withDeleted ? 1 : 0),
    ratedUp: () => ratedUp.all(),
    // One transaction: a reply that is being written changes several rows.
    read: database.transaction((conversationId: string) => {
      const row = conversation.get(conversationId);
      if (row === undefined) return null;
      const byTurn = partsByTurn(parts.all(conversationId));
      return {
        id: row.id,
        title: row.title,
        createdAt: row.created_at,
        updatedAt: row.updated_at,
        deletedAt: row.deleted_at,
        ...recordMarks(row),
        deletions: deletions.all(conversationId).map(({ id, created_at, erased }) => ({
          id,
          createdAt: created_at,
          erased: erased === 1,
        })),
        turns: turns
          .all(conversationId)
          .map((turn) => recordTurn(turn, byTurn.get(turn.key) ?? [])),
        pictures: recordPictures([...byTurn.values()].flat()),
      };
    }),
  };
}

/** Only what differs from a conversation that nothing was set of. */
function recordMarks(row: ConversationRow): Pick<ConversationRecord, 'marks' | 'settings'> {
  const tags = readTags(row.tags);
  const marks = {
    ...(row.pinned === 1 ? { pinned: true } : {}),
    ...(row.archived === 1 ? { archived: true } : {}),
    ...(tags.length > 0 ? { tags } : {}),
  };
  const settings = readConversationSettings(row.settings);
  return {
    ...(Object.keys(marks).length > 0 ? { marks } : {}),
    ...(Object.keys(settings).length > 0 ? { settings } : {}),
  };
}

function partsByTurn(rows: readonly TreePartRow[]): Map<number, TreePartRow[]> {
  const byTurn = new Map<number, TreePartRow[]>();
  for (const row of rows) {
    const parts = byTurn.get(row.turn_key);
    if (parts === undefined) byTurn.set(row.turn_key, [row]);
    else parts.push(row);
  }
  return byTurn;
}

function recordTurn(row: TreeRow, own: readonly TreePartRow[]): RecordedTurn {
  // As it is read everywhere else, with words in the place of what is damaged.
  const { parts, ...state } = readTurn(row, own).turn;
  return {
    ...state,
    // Nobody writes on at what leaves the app.
    status: state.status === 'streaming' ? 'interrupted' : state.status,
    parentId: row.parent_id,
    isCurrent: row.is_current === 1,
    deletionId: row.deletion_id,
    parts: own.map((partRow, index): RecordedPart => {
      const part = known(parts[index], `part ${index}`);
      return {
        position: partRow.position,
        isCurrent: partRow.is_current === 1,
        deletionId: partRow.deletion_id,
        content: part.kind === 'picture' ? { kind: 'picture', pictureId: part.picture.id } : part,
      };
    }),
  };
}

function recordPictures(rows: readonly TreePartRow[]): RecordedPicture[] {
  const pictures = new Map<string, RecordedPicture>();
  for (const row of rows) {
    if (row.kind !== 'picture' || pictures.has(row.id)) continue;
    try {
      pictures.set(row.id, { ...pictureFromRow(row), createdAt: row.picture_at });
    } catch {
      // It cannot be read: its part says so in words.
    }
  }
  return [...pictures.values()];
}
