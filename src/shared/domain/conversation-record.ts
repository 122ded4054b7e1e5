import { z } from 'zod';
import { wireErrorSchema } from '../errors.ts';
import { conversationMarksSchema } from './conversation.ts';
import { conversationSettingsSchema } from './conversation-settings.ts';
import { pictureSchema } from './picture.ts';
import { turnSchema } from './turn.ts';

/** A picture as it is recorded: its row, without its bytes. */
export const recordedPictureSchema = pictureSchema.extend({
  /** Milliseconds since the epoch. */
  createdAt: z.number().int(),
});
export type RecordedPicture = z.infer<typeof recordedPictureSchema>;

const content = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('text'), text: z.string() }),
  z.object({ kind: z.literal('picture'), pictureId: z.uuid() }),
  z.object({ kind: z.literal('undrawn'), caption: z.string(), error: wireErrorSchema }),
]);

/** One part at a place of a turn; several drawings at one place are its versions, oldest first. */
export const recordedPartSchema = z.object({
  position: z.number().int().min(0).max(10_000),
  isCurrent: z.boolean(),
  deletionId: z.uuid().nullable(),
  content,
});
export type RecordedPart = z.infer<typeof recordedPartSchema>;

/** One turn of the tree. */
export const recordedTurnSchema = turnSchema.omit({ parts: true }).extend({
  /** The turn that it follows; null for a first one. A parent stands before its children. */
  parentId: z.uuid().nullable(),
  isCurrent: z.boolean(),
  deletionId: z.uuid().nullable(),
  parts: z.array(recordedPartSchema),
});
export type RecordedTurn = z.infer<typeof recordedTurnSchema>;

/** Everything that is stored of a conversation: every version, what is deleted, and its pictures' rows. */
export const conversationRecordSchema = z.object({
  id: z.uuid(),
  title: z.string().max(10_000),
  /** Milliseconds since the epoch. */
  createdAt: z.number().int(),
  updatedAt: z.number().int(),
  /** Null: it is not in the trash. */
  deletedAt: z.number().int().nullable(),
  /** How it is kept in the list; absent where nothing was set. */
  marks: conversationMarksSchema.optional(),
  /** What it is answered by; absent where nothing is its own. */
  settings: conversationSettingsSchema.optional(),
  deletions: z.array(z.object({ id: z.uuid(), createdAt: z.number().int(), erased: z.boolean() })),
  /** Oldest first. */
  turns: z.array(recordedTurnSchema),
  pictures: z.array(recordedPictureSchema),
});
export type ConversationRecord = z.infer<typeof conversationRecordSchema>;

/**
 * What is wrong with a record that no single field shows: a turn without its parent, two current versions, a picture
 * that it does not have. Null where it is whole.
 */
export function recordFault(record: ConversationRecord): string | null {
  const pictures = new Set(record.pictures.map(({ id }) => id));
  const deletions = new Set(record.deletions.map(({ id }) => id));
  if (pictures.size < record.pictures.length) return 'two pictures have one id';
  if (deletions.size < record.deletions.length) return 'two deletions have one id';
  const known = new Set<string>();
  const currentUnder = new Set<string | null>();
  for (const turn of record.turns) {
    const fault = turnFault(turn, { known, currentUnder, pictures, deletions });
    if (fault !== null) return `turn ${turn.id} ${fault}`;
    known.add(turn.id);
    if (turn.isCurrent) currentUnder.add(turn.parentId);
  }
  return null;
}

interface Seen {
  readonly known: ReadonlySet<string>;
  readonly currentUnder: ReadonlySet<string | null>;
  readonly pictures: ReadonlySet<string>;
  readonly deletions: ReadonlySet<string>;
}

function turnFault(turn: RecordedTurn, seen: Seen): string | null {
  if (seen.known.has(turn.id)) return 'stands there twice';
  if (turn.parentId !== null && !seen.known.has(turn.parentId)) return 'has no parent before it';
  if (turn.isCurrent && seen.currentUnder.has(turn.parentId)) return 'is a second current version';
  if (turn.deletionId !== null && !seen.deletions.has(turn.deletionId)) {
    return 'was deleted by a deletion that is missing';
  }
  const shown = new Set<number>();
  for (const part of turn.parts) {
    const fault = partFault(part, shown, seen);
    if (fault !== null) return fault;
    if (part.isCurrent) shown.add(part.position);
  }
  return null;
}

function partFault(
  { position, isCurrent, deletionId, content: is }: RecordedPart,
  shown: ReadonlySet<number>,
  { pictures, deletions }: Seen,
): string | null {
  const at = `at part ${position}`;
  if (is.kind === 'picture' && !pictures.has(is.pictureId)) return `lacks its picture ${at}`;
  if (is.kind === 'text' && !isCurrent) return `has words that are not current ${at}`;
  if (isCurrent && shown.has(position)) return `has two current parts ${at}`;
  if (deletionId === null) return null;
  if (isCurrent) return `has a deleted part that is current ${at}`;
  return deletions.has(deletionId) ? null : `has a part of an unknown deletion ${at}`;
}
