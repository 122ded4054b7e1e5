import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { writeWholeFile, writeWholeStream } from '../../base/whole-file.ts';
import type { ConversationRecord } from '../../shared/domain/conversation-record.ts';
import type { ExportFormat, ExportReport } from '../../shared/domain/exchange.ts';
import { StudioError, reasonOf } from '../../shared/errors.ts';
import { fileNameOf, toMarkdown } from '../conversations/export.ts';
import { writeArchive, type WritingOptions } from './archive-writer.ts';
import { inlinePictures, toHtml } from './html.ts';
import { copyPictures } from './picture-copies.ts';
import { shownConversation } from './shown.ts';
import { toTextbind } from './textbind-writer.ts';

/** Ending of the file that a format is written to, without the dot. */
export const exportExtensions = {
  md: 'md',
  html: 'html',
  pdf: 'pdf',
  json: 'json',
  textbind: 'json',
  zip: 'zip',
} as const satisfies Record<ExportFormat, string>;

export const exportFormatNames = {
  md: 'Markdown',
  html: 'HTML',
  pdf: 'PDF',
  json: 'JSON',
  textbind: 'TextBind JSON',
  zip: 'Archive',
} as const satisfies Record<ExportFormat, string>;

/** Formats that hold several conversations in one file; of the others each gets a file in a folder. */
const together: ReadonlySet<ExportFormat> = new Set(['json', 'textbind', 'zip']);

/** Whether these conversations go into a folder of files. */
export const goesIntoFolder = (format: ExportFormat, count: number): boolean =>
  count > 1 && !together.has(format);

/** Makes a PDF of an HTML document. */
export type PrintPdf = (html: string) => Promise<Uint8Array>;

export interface ExportOptions extends WritingOptions {
  readonly format: ExportFormat;
  /** The file to write, or the folder of files (`goesIntoFolder`). */
  readonly target: string;
  /** Null where nothing can print. */
  readonly printPdf: PrintPdf | null;
}

/**
 * Writes conversations with their pictures. A document is written after its pictures, under its name only when it is
 * whole.
 * @throws {StudioError} `storage` naming the file, `not-found` where there is nothing to write, `cancelled`
 */
export async function exportConversations(options: ExportOptions): Promise<ExportReport> {
  const { conversationIds, format, target } = options;
  if (conversationIds.length === 0) {
    throw new StudioError('not-found', 'There is no conversation to export.');
  }
  try {
    return await write(options, format, target);
  } catch (error) {
    if (error instanceof StudioError) throw error;
    const reason = reasonOf(error);
    throw new StudioError('storage', `${target} could not be written: ${reason}`, { cause: error });
  }
}

async function write(
  options: ExportOptions,
  format: ExportFormat,
  target: string,
): Promise<ExportReport> {
  switch (format) {
    case 'zip': {
      const manifest = await writeArchive({ ...options, file: target });
      return {
        path: target,
        conversations: manifest.conversations.length,
        leftOutTurns: 0,
        missingPictures: manifest.missingPictures.length,
      };
    }
    case 'json':
    case 'textbind':
      return writeTogether(options, format);
    case 'md':
    case 'html':
    case 'pdf':
      return writeEach(options, format);
    default:
      return format satisfies never;
  }
}

async function writeTogether(
  options: ExportOptions,
  format: 'json' | 'textbind',
): Promise<ExportReport> {
  const { conversationIds, target } = options;
  const folder = picturesFolderOf(target);
  const rows: unknown[] = [];
  const copies = copyPictures(options.fileOf, folder);
  let leftOutTurns = 0;
  for (const record of records(options)) {
    if (format === 'json') {
      rows.push({ ...record, pictureFolder: path.basename(folder) });
      await copies.add(record.pictures);
      continue;
    }
    const turns = shownConversation(record).turns.map(({ turn }) => turn);
    const { data, leftOut } = toTextbind(turns, path.basename(folder));
    leftOutTurns += leftOut;
    if (data === null) continue;
    const names = new Set(data.conversation.flatMap(({ image_list: list }) => list));
    await copies.add(record.pictures, names);
    rows.push(data);
  }
  if (rows.length === 0) {
    throw new StudioError(
      'not-found',
      'No message was answered: there is no pair of turns to write.',
    );
  }
  const json = JSON.stringify(conversationIds.length === 1 ? rows[0] : rows, null, 2);
  await writeWholeFile(target, `${json}\n`);
  return {
    path: target,
    conversations: rows.length,
    leftOutTurns,
    missingPictures: copies.missing(),
  };
}

async function writeEach(
  options: ExportOptions,
  format: 'md' | 'html' | 'pdf',
): Promise<ExportReport> {
  const { conversationIds, target } = options;
  const several = goesIntoFolder(format, conversationIds.length);
  if (several) await mkdir(target, { recursive: true });
  const folder = several ? path.join(target, 'pictures') : picturesFolderOf(target);
  const copies = copyPictures(options.fileOf, folder);
  const taken = new Set<string>();
  let count = 0;
  for (const record of records(options)) {
    const name = uniqueName(record.title, exportExtensions[format], taken);
    const file = several ? path.join(target, name) : target;
    const shown = shownConversation(record);
    if (format === 'md') {
      const turns = shown.turns.map(({ turn }) => turn);
      await copies.add(
        turns
          .flatMap(({ parts }) => parts)
          .flatMap((part) => (part.kind === 'picture' ? [part.picture] : [])),
      );
      await writeWholeFile(file, toMarkdown({ title: shown.title, turns }, path.basename(folder)));
    } else {
      const html = toHtml(shown, inlinePictures(options.fileOf));
      if (format === 'html') await writeWholeStream(file, Readable.from(html));
      else await writeWholeFile(file, await print(options, html));
    }
    count += 1;
  }
  return { path: target, conversations: count, leftOutTurns: 0, missingPictures: copies.missing() };
}

async function print(
  { printPdf }: ExportOptions,
  html: AsyncIterable<string>,
): Promise<Uint8Array> {
  if (printPdf === null)
    throw new StudioError('unsupported', 'Only the app itself can write PDF files.');
  const pieces: string[] = [];
  for await (const piece of html) pieces.push(piece);
  return printPdf(pieces.join(''));
}

function* records(options: ExportOptions): Generator<ConversationRecord> {
  const { conversationIds, record, signal, onProgress } = options;
  for (const [done, id] of conversationIds.entries()) {
    if (signal?.aborted === true) throw new StudioError('cancelled', 'The export was stopped.');
    onProgress?.({ what: 'conversations', done, total: conversationIds.length });
    const recorded = record(id);
    if (recorded !== null) yield recorded;
  }
}

const picturesFolderOf = (file: string): string =>
  path.join(path.dirname(file), `${path.basename(file, path.extname(file))}-pictures`);

/** On most systems names that differ only by case are one. */
function uniqueName(title: string, extension: string, taken: Set<string>): string {
  const base = fileNameOf(title);
  for (let number = 1; ; number += 1) {
    const name = `${number === 1 ? base : `${base} (${number})`}.${extension}`;
    if (taken.has(name.toLowerCase())) continue;
    taken.add(name.toLowerCase());
    return name;
  }
}
