import { createHash } from 'node:crypto';
import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type {
  ConversationRecord,
  RecordedPart,
  RecordedPicture,
  RecordedTurn,
} from '../../shared/domain/conversation-record.ts';
import { pictureLimits } from '../../shared/domain/picture.ts';
import {
  imageTag,
  textbindConversationSchema,
  type TextbindConversation,
  type TextbindTurn,
} from '../../shared/domain/textbind-conversation.ts';
import { emptyTurn, type MessagePart } from '../../shared/domain/turn.ts';
import { StudioError, known } from '../../shared/errors.ts';
import { titleOf } from '../conversations/title.ts';
import { readPictureHeader } from '../pictures/header.ts';
import { archiveLimits } from './archive-reader.ts';
import type { ImportSource } from './import-source.ts';
import { unescapeTags } from './textbind-writer.ts';

/**
 * Opens a JSON file in the data schema of TextBind: one conversation, or a list of them. The conversations have no ids
 * there: theirs come from what they say and show, so that the same file is known when it comes again.
 * @throws {StudioError} `bad-input` naming the file and what is wrong
 */
export async function openTextbindFile(file: string): Promise<ImportSource> {
  const { size, mtimeMs } = await statOf(file);
  if (size > archiveLimits.jsonBytes) {
    throw refuse(file, `it has ${size} bytes; at most ${archiveLimits.jsonBytes} are taken`);
  }
  const rows = rowsOf(await readFile(file, 'utf8'), file);
  const folder = path.dirname(await realpath(file));
  const files = new Map<string, string>();
  return {
    file,
    conversationIds: rows.map((_row, index) => `row ${index}`),
    async conversation(id) {
      const index = Number(id.slice('row '.length));
      const parsed = textbindConversationSchema.safeParse(rows[index]);
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        throw refuse(file, `row ${index}, ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
      }
      return toRecord(parsed.data, {
        folder,
        files,
        at: Math.round(mtimeMs),
        name: `row ${index}`,
      });
    },
    async picture(sha256) {
      const place = files.get(sha256);
      return place === undefined ? null : readFile(place);
    },
    close: () => undefined,
  };
}

function refuse(file: string, why: string, cause?: unknown): StudioError {
  return new StudioError('bad-input', `${file} is not taken: ${why}.`, { cause });
}

async function statOf(file: string): Promise<{ size: number; mtimeMs: number }> {
  try {
    return await stat(file);
  } catch (error) {
    throw refuse(file, 'it cannot be read', error);
  }
}

function rowsOf(text: string, file: string): readonly unknown[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw refuse(file, `it is not JSON (${error instanceof Error ? error.message : ''})`, error);
  }
  const rows: readonly unknown[] = Array.isArray(json) ? json : [json];
  const isOurs = z.object({ conversation: z.array(z.unknown()) });
  if (rows.length > 0 && rows.some((row) => isOurs.safeParse(row).success)) return rows;
  throw refuse(file, 'it holds no conversation in the TextBind schema');
}

interface Place {
  readonly folder: string;
  /** Where a picture's file is, by its hash. */
  readonly files: Map<string, string>;
  readonly at: number;
  readonly name: string;
}

async function toRecord(data: TextbindConversation, place: Place): Promise<ConversationRecord> {
  const pictures: RecordedPicture[] = [];
  const turns: RecordedTurn[] = [];
  const identity = createHash('sha256');
  const nextId = idMaker(identity);
  for (const [index, turn] of data.conversation.entries()) {
    identity.update(JSON.stringify([turn.role, turn.content, turn.caption_list]));
    const own = await readPictures(turn, data.image_dir, place, `${place.name}, turn ${index}`);
    for (const { hash } of own) identity.update(hash);
    const withIds = own.map((picture) => ({ ...picture, id: nextId('picture') }));
    pictures.push(...withIds);
    const state = emptyTurn({ id: nextId('turn'), role: turn.role, createdAt: place.at });
    turns.push({
      ...state,
      status: 'complete',
      parentId: turns.at(-1)?.id ?? null,
      isCurrent: true,
      deletionId: null,
      parts: partsOf(turn, withIds),
    });
  }
  const words = turns[0]?.parts.flatMap(({ content }): MessagePart[] =>
    content.kind === 'text' ? [content] : [],
  );
  return {
    id: nextId('conversation'),
    title: titleOf(words ?? []),
    createdAt: place.at,
    updatedAt: place.at,
    deletedAt: null,
    deletions: [],
    turns,
    pictures,
  };
}

/** Ids that come from everything said so far: the same each time, and never of two different conversations. */
function idMaker(identity: ReturnType<typeof createHash>): (of: string) => string {
  let count = 0;
  return (of) => {
    count += 1;
    const hex = identity.copy().update(`${of} ${count}`).digest('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  };
}

async function readPictures(
  turn: TextbindTurn,
  imageFolder: string,
  place: Place,
  name: string,
): Promise<RecordedPicture[]> {
  const pictures: RecordedPicture[] = [];
  for (const [index, listed] of turn.image_list.entries()) {
    const file = await insideFolder(place.folder, path.join(imageFolder, listed), name);
    const { size } = await statOf(file);
    if (size > pictureLimits.maxBytes) throw refuse(file, `it has ${size} bytes`);
    const bytes = await readFile(file);
    const hash = createHash('sha256').update(bytes).digest('hex');
    place.files.set(hash, file);
    pictures.push({
      id: '',
      hash,
      ...readPictureHeader(bytes, listed),
      bytes: bytes.length,
      origin: turn.role === 'user' ? 'user' : 'drawn',
      caption: unescapeTags(turn.caption_list[index]?.trim() ?? '') || null,
      recipe: null,
      createdAt: place.at,
    });
  }
  return pictures;
}

/** A file that lies in the folder of the JSON file itself, wherever links lead. */
async function insideFolder(folder: string, name: string, where: string): Promise<string> {
  const wanted = path.resolve(folder, name);
  let real: string;
  try {
    real = await realpath(wanted);
  } catch (error) {
    throw refuse(wanted, `the picture of ${where} is not there`, error);
  }
  const inside = path.relative(folder, real);
  if (inside !== '' && !inside.startsWith('..') && !path.isAbsolute(inside)) return real;
  throw refuse(wanted, `the picture of ${where} lies outside the folder of the file`);
}

function partsOf({ content }: TextbindTurn, pictures: readonly RecordedPicture[]): RecordedPart[] {
  const contents = content.split(imageTag).flatMap((text, index): RecordedPart['content'][] => {
    const words = unescapeTags(text);
    const said: RecordedPart['content'][] = words === '' ? [] : [{ kind: 'text', text: words }];
    if (index === 0) return said;
    return [
      { kind: 'picture', pictureId: known(pictures[index - 1], `picture ${index}`).id },
      ...said,
    ];
  });
  return contents.map((is, position) => ({
    position,
    isCurrent: true,
    deletionId: null,
    content: is,
  }));
}
