import type {
  ConversationRecord,
  RecordedPart,
  RecordedTurn,
} from '../../shared/domain/conversation-record.ts';
import type { MessagePart, Turn } from '../../shared/domain/turn.ts';
import { known } from '../../shared/errors.ts';

/** A turn of the current path, and the other versions of it that are not deleted, oldest first. */
export interface ShownTurn {
  readonly turn: Turn;
  readonly others: readonly Turn[];
}

/** A conversation as the window shows it. */
export interface ShownConversation {
  readonly title: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly turns: readonly ShownTurn[];
}

/** The current path of a recorded conversation: of every turn and drawing the version that is current. */
export function shownConversation(record: ConversationRecord): ShownConversation {
  const { title, createdAt, updatedAt } = record;
  const toTurn = turnReader(record);
  const children = new Map<string | null, RecordedTurn[]>();
  for (const turn of record.turns) {
    const siblings = children.get(turn.parentId);
    if (siblings === undefined) children.set(turn.parentId, [turn]);
    else siblings.push(turn);
  }
  const turns: ShownTurn[] = [];
  let parentId: string | null = null;
  for (;;) {
    const siblings: readonly RecordedTurn[] = children.get(parentId) ?? [];
    const current = siblings.find(({ isCurrent }) => isCurrent);
    if (current === undefined) break;
    parentId = current.id;
    // The path passes through what was deleted.
    if (current.deletionId !== null) continue;
    const others = siblings.filter((turn) => turn !== current && turn.deletionId === null);
    turns.push({ turn: toTurn(current), others: others.map(toTurn) });
  }
  return { title, createdAt, updatedAt, turns };
}

/** The turns from the first to one, whatever is current; what was deleted is passed through. */
export function pathTo(record: ConversationRecord, turnId: string): readonly Turn[] {
  const byId = new Map(record.turns.map((turn) => [turn.id, turn]));
  const turns: RecordedTurn[] = [];
  for (let turn = byId.get(turnId); turn !== undefined; turn = byId.get(turn.parentId ?? '')) {
    if (turn.deletionId === null) turns.unshift(turn);
  }
  return turns.map(turnReader(record));
}

/** Reads turns of a record, of every drawing the version that is current. */
function turnReader(record: ConversationRecord): (turn: RecordedTurn) => Turn {
  const pictures = new Map(
    record.pictures.map(({ createdAt: _at, ...picture }) => [picture.id, picture]),
  );
  return ({ parentId: _p, isCurrent: _c, deletionId: _d, parts, ...state }) => ({
    ...state,
    parts: parts
      .filter(({ isCurrent }) => isCurrent)
      .toSorted((one, other) => one.position - other.position)
      .map(({ content }) => toPart(content, pictures)),
  });
}

function toPart(
  content: RecordedPart['content'],
  pictures: ReadonlyMap<string, Extract<MessagePart, { kind: 'picture' }>['picture']>,
): MessagePart {
  if (content.kind !== 'picture') return content;
  return { kind: 'picture', picture: known(pictures.get(content.pictureId), 'a picture') };
}
