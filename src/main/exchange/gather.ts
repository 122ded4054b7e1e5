/** Conversations as rows of training data: which there are, and writing those that a person chose. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { writeWholeFile } from '../../base/whole-file.ts';
import type { ConversationRecord } from '../../shared/domain/conversation-record.ts';
import type { GatheredExchange, GatheredRow, GatherFrom } from '../../shared/domain/gather.ts';
import type { MessagePart, Turn } from '../../shared/domain/turn.ts';
import { StudioError } from '../../shared/errors.ts';
import type { Store } from '../database/store.ts';
import type { PictureStore } from '../pictures/store.ts';
import { copyPictures } from './picture-copies.ts';
import { pathTo, shownConversation } from './shown.ts';
import { toTextbind } from './textbind-writer.ts';

/** Characters of a part that are shown in the review. */
const shownCharacters = 600;

export interface GatherParts {
  readonly store: Pick<Store, 'records'>;
  readonly pictures: Pick<PictureStore, 'fileOf'>;
}

export interface GatherPage {
  readonly rows: GatheredRow[];
  /** Conversations in all. */
  readonly total: number;
}

/** What was chosen: replies of whose exchanges the opposite of the default is done. */
export interface GatherChoice {
  readonly from: GatherFrom;
  readonly changed: readonly string[];
}

/** What was written. */
export interface Gathered {
  readonly file: string;
  readonly rows: number;
  readonly missingPictures: number;
}

export class Gatherer {
  readonly #parts: GatherParts;

  constructor(parts: GatherParts) {
    this.#parts = parts;
  }

  /** Rows of some of the conversations, the newest first. */
  list(from: GatherFrom, limit: number, offset: number): GatherPage {
    const ids = this.#ids(from);
    const rows = ids.slice(offset, offset + limit).flatMap((id) => this.#rowsOf(id, from));
    return { rows: rows.map(({ turns: _turns, ...row }) => row), total: ids.length };
  }

  /**
   * Writes train.json and the pictures into a folder, as stage 2 reads them.
   * @throws StudioError `not-found` where nothing is taken
   */
  async write(folder: string, { from, changed }: GatherChoice): Promise<Gathered> {
    const flipped = new Set(changed);
    const copies = copyPictures(
      (hash) => this.#parts.pictures.fileOf(hash),
      path.join(folder, 'images'),
    );
    const rows: unknown[] = [];
    for (const id of this.#ids(from)) {
      for (const row of this.#rowsOf(id, from)) {
        const { data } = toTextbind(takenTurns(row, flipped), 'images');
        if (data === null) continue;
        rows.push(data);
        await copies.add(picturesOf(row.turns), namesIn(data.conversation));
      }
    }
    if (rows.length === 0)
      throw new StudioError('not-found', 'Nothing was taken: there is no row to write.');
    const file = path.join(folder, 'train.json');
    await mkdir(folder, { recursive: true });
    await writeWholeFile(file, `${JSON.stringify(rows, null, 2)}\n`);
    return { file, rows: rows.length, missingPictures: copies.missing() };
  }

  #ids(from: GatherFrom): readonly string[] {
    return from.kind === 'rated' ? this.#parts.store.records.ratedUp() : from.conversationIds;
  }

  #rowsOf(conversationId: string, from: GatherFrom): RowWithTurns[] {
    const record = this.#parts.store.records.read(conversationId);
    if (record === null || record.deletedAt !== null) return [];
    const paths = from.kind === 'rated' ? ratedPaths(record) : [currentTurns(record)];
    return paths.flatMap((turns) => rowOf(record, turns));
  }
}

interface RowWithTurns extends GatheredRow {
  readonly turns: readonly Turn[];
}

function currentTurns(record: ConversationRecord): readonly Turn[] {
  return shownConversation(record).turns.map(({ turn }) => turn);
}

/** The ways to the replies that are rated up; one that lies on the way to another is in that one's. */
function ratedPaths(record: ConversationRecord): (readonly Turn[])[] {
  const parents = new Map(record.turns.map(({ id, parentId }) => [id, parentId]));
  const rated = record.turns.filter(
    ({ rating, deletionId }) => rating === 'up' && deletionId === null,
  );
  const passed = new Set<string>();
  for (const { parentId } of rated) {
    for (let id = parentId; id !== null && !passed.has(id); id = parents.get(id) ?? null)
      passed.add(id);
  }
  return rated.filter(({ id }) => !passed.has(id)).map(({ id }) => pathTo(record, id));
}

function rowOf(record: ConversationRecord, turns: readonly Turn[]): RowWithTurns[] {
  const exchanges = turns.flatMap((reply, index): GatheredExchange[] => {
    const message = turns[index - 1];
    if (reply.role !== 'assistant' || message?.role !== 'user') return [];
    // What the writer leaves out is not offered.
    if (toTextbind([message, reply], '').data === null) return [];
    const { id: replyId, rating = null, status } = reply;
    const taken = rating === 'up' || (rating === null && status === 'complete');
    const shown = { message: message.parts.map(shortened), reply: reply.parts.map(shortened) };
    return [{ replyId, ...shown, rating, status, taken }];
  });
  const last = exchanges.at(-1);
  if (last === undefined) return [];
  const { id: conversationId, title } = record;
  return [{ id: last.replyId, conversationId, title, exchanges, turns }];
}

/** The messages and replies that are taken, in order. */
function takenTurns(
  { turns, exchanges }: RowWithTurns,
  flipped: ReadonlySet<string>,
): readonly Turn[] {
  const taken = new Set(
    exchanges
      .filter((each) => each.taken !== flipped.has(each.replyId))
      .map(({ replyId }) => replyId),
  );
  return turns.flatMap((turn, index) => {
    const message = turns[index - 1];
    return taken.has(turn.id) && message !== undefined ? [message, turn] : [];
  });
}

function picturesOf(turns: readonly Turn[]) {
  return turns
    .flatMap(({ parts }) => parts)
    .flatMap((part) => (part.kind === 'picture' ? [part.picture] : []));
}

function namesIn(
  conversation: readonly { readonly image_list: readonly string[] }[],
): ReadonlySet<string> {
  return new Set(conversation.flatMap(({ image_list: list }) => list));
}

function shortened(part: MessagePart): MessagePart {
  if (part.kind !== 'text' || part.text.length <= shownCharacters) return part;
  return { kind: 'text', text: `${part.text.slice(0, shownCharacters).trimEnd()} …` };
}
