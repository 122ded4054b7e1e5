import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { writeWholeFile } from '../../base/whole-file.ts';
import { StudioError } from '../../shared/errors.ts';
import type { Conversation } from '../../shared/domain/conversation.ts';
import type { Picture } from '../../shared/domain/picture.ts';
import {
  imageTag,
  textbindConversationSchema,
  type TextbindConversation,
  type TextbindTurn,
} from '../../shared/domain/textbind-conversation.ts';
import type { MessagePart, Turn } from '../../shared/domain/turn.ts';
import { pictureExtensions } from '../pictures/names.ts';

export { fileNameOf } from '../pictures/names.ts';

export type ExportFormat = 'md' | 'textbind';

export const exportExtensions = { md: 'md', textbind: 'json' } as const satisfies Record<
  ExportFormat,
  string
>;

/** Name that a picture's copy has: by its bytes, so that one that occurs twice is one file. */
export function pictureFileName(picture: Picture): string {
  return `${picture.hash.slice(0, 16)}.${pictureExtensions[picture.mediaType]}`;
}

export interface ExportOptions {
  readonly conversation: Conversation;
  readonly format: ExportFormat;
  /** File to write; the pictures' folder stands beside it, named after it. */
  readonly file: string;
  readonly fileOf: (hash: string) => string;
}

/**
 * Writes a conversation with its pictures. The document is written last, under its name only when it is whole.
 * @throws {StudioError} `storage` naming the file.
 */
export async function exportConversation(options: ExportOptions): Promise<void> {
  const { conversation, format, file, fileOf } = options;
  const folderName = `${path.basename(file, path.extname(file))}-pictures`;
  const folder = path.join(path.dirname(file), folderName);
  const text =
    format === 'md'
      ? toMarkdown(conversation, folderName)
      : `${JSON.stringify(toTextbind(conversation, folderName), null, 2)}\n`;
  try {
    await copyPictures(conversation, folder, fileOf);
    await writeWholeFile(file, text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StudioError('storage', `${file} could not be written: ${reason}`, { cause: error });
  }
}

/** What is exported: the current path, of every turn and drawing the version that is shown. */
type Exported = Pick<Conversation, 'summary' | 'turns'>;

/** The conversation as Markdown; pictures are links into `pictureFolder`, relative to the document. */
export function toMarkdown(conversation: Exported, pictureFolder: string): string {
  const turns = conversation.turns.map((turn) => {
    const body = turn.parts.map((part) => partToMarkdown(part, pictureFolder)).join('\n\n');
    const note = statusNotes[turn.status];
    const blocks = [`## ${turn.role === 'user' ? 'You' : (turn.model ?? 'Model')}`, body, note];
    return blocks.filter((block) => block.trim() !== '').join('\n\n');
  });
  return `${[`# ${escapeMarkdown(conversation.summary.title)}`, ...turns].join('\n\n')}\n`;
}

const statusNotes: Readonly<Record<Turn['status'], string>> = {
  complete: '',
  streaming: '*(still being written)*',
  cut: '*(cut at the length limit)*',
  stopped: '*(stopped)*',
  interrupted: '*(interrupted)*',
  failed: '*(failed)*',
};

/** The conversation in the data schema of TextBind. A picture that was not drawn stays as its caption's words. */
export function toTextbind(conversation: Exported, pictureFolder: string): TextbindConversation {
  return textbindConversationSchema.parse({
    conversation: conversation.turns.map(toTextbindTurn),
    image_dir: pictureFolder,
  });
}

function toTextbindTurn(turn: Turn): TextbindTurn {
  const pictures = turn.parts.filter((part) => part.kind === 'picture').map((part) => part.picture);
  return {
    role: turn.role,
    content: turn.parts.map(partToContent).join(''),
    image_list: pictures.map(pictureFileName),
    caption_list: pictures.map((picture) => picture.caption ?? ''),
  };
}

function partToContent(part: MessagePart): string {
  if (part.kind === 'picture') return imageTag;
  const words = part.kind === 'text' ? part.text : part.caption;
  // Words that look like the tag would be counted as a picture: a zero-width space keeps them words, and readable.
  return words.replaceAll(imageTag, '<\u200bimage>');
}

function partToMarkdown(part: MessagePart, pictureFolder: string): string {
  switch (part.kind) {
    case 'text':
      return part.text.trim();
    case 'undrawn':
      return `*(not drawn: ${escapeMarkdown(part.caption)})*`;
    case 'picture': {
      const { picture } = part;
      const link = `${encodeURIComponent(pictureFolder)}/${pictureFileName(picture)}`;
      return `![${escapeMarkdown(picture.caption ?? 'Picture')}](${link})`;
    }
  }
}

function escapeMarkdown(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\`*_[\]<>#|~]/g, (character) => `\\${character}`);
}

async function copyPictures(
  conversation: Conversation,
  folder: string,
  fileOf: (hash: string) => string,
): Promise<void> {
  const pictures = conversation.turns
    .flatMap((turn) => turn.parts)
    .flatMap((part) => (part.kind === 'picture' ? [part.picture] : []));
  if (pictures.length === 0) return;
  await mkdir(folder, { recursive: true });
  for (const picture of pictures) {
    await copyFile(fileOf(picture.hash), path.join(folder, pictureFileName(picture)));
  }
}
