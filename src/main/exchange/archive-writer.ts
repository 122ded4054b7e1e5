import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import { writeWholeStream } from '../../base/whole-file.ts';
import type {
  ConversationRecord,
  RecordedPicture,
} from '../../shared/domain/conversation-record.ts';
import type { ExchangeProgress } from '../../shared/domain/exchange.ts';
import type { Preset } from '../../shared/domain/settings.ts';
import { StudioError, reasonOf } from '../../shared/errors.ts';
import {
  archiveVersion,
  conversationEntry,
  manifestName,
  pictureEntry,
  type ArchiveManifest,
} from './archive-format.ts';

/** What is written of conversations, and by whom. */
export interface WritingOptions {
  readonly conversationIds: readonly string[];
  /** Null for one that is gone meanwhile, which is left out. */
  readonly record: (conversationId: string) => ConversationRecord | null;
  readonly fileOf: (hash: string) => string;
  readonly writtenBy: string;
  /** For an archive, which takes them along. */
  readonly presets?: readonly Preset[] | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ExchangeProgress) => void) | undefined;
}

export interface WriteArchiveOptions extends WritingOptions {
  readonly file: string;
}

/**
 * Writes a complete archive. One entry is read and written after the other, so that its size is bounded by the disk
 * alone. It is there whole, or not at all.
 * @throws {StudioError} `storage` naming the file, `cancelled` by the signal
 */
export async function writeArchive(options: WriteArchiveOptions): Promise<ArchiveManifest> {
  const zip = new ZipFile();
  const entries = addEntries(zip, options);
  // What fails while the entries are added ends the stream that the disk waits for.
  const output = outputOf(zip);
  entries.catch((error: unknown) => output.destroy(asError(error)));
  await writeWholeStream(options.file, output).catch((error: unknown) => {
    if (error instanceof StudioError) throw error;
    const reason = reasonOf(error);
    throw new StudioError('storage', `${options.file} could not be written: ${reason}`, {
      cause: error,
    });
  });
  return entries;
}

async function addEntries(zip: ZipFile, options: WriteArchiveOptions): Promise<ArchiveManifest> {
  const { conversationIds, record, now, writtenBy, signal, onProgress } = options;
  const add = createAdd(zip, now);
  const conversations: ArchiveManifest['conversations'] = [];
  const pictures = new Map<string, RecordedPicture>();
  for (const [index, id] of conversationIds.entries()) {
    throwIfStopped(signal);
    onProgress?.({ what: 'conversations', done: index, total: conversationIds.length });
    const recorded = record(id);
    if (recorded === null) continue;
    for (const picture of recorded.pictures) pictures.set(picture.hash, picture);
    const json = Buffer.from(JSON.stringify(recorded));
    conversations.push({ id, sha256: createHash('sha256').update(json).digest('hex') });
    await add(conversationEntry(id), () => Readable.from([json]), json.length, true);
  }
  const written: ArchiveManifest['pictures'] = [];
  const missingPictures: string[] = [];
  let done = 0;
  for (const { hash, mediaType } of pictures.values()) {
    throwIfStopped(signal);
    onProgress?.({ what: 'pictures', done, total: pictures.size });
    done += 1;
    const file = options.fileOf(hash);
    const bytes = await sizeOf(file);
    if (bytes === 0) {
      missingPictures.push(hash);
      continue;
    }
    await add(pictureEntry(hash, mediaType), () => createReadStream(file), bytes, false);
    written.push({ sha256: hash, mediaType, bytes });
  }
  const manifest: ArchiveManifest = {
    format: 'textbind-archive',
    version: archiveVersion,
    writtenBy,
    createdAt: now,
    conversations,
    pictures: written,
    missingPictures,
    presets: [...(options.presets ?? [])],
  };
  const json = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  await add(manifestName, () => Readable.from([json]), json.length, true);
  zip.end();
  return manifest;
}

/** Adds an entry and resolves when it was read to its end: nothing waits in memory. */
function createAdd(
  zip: ZipFile,
  now: number,
): (name: string, open: () => Readable, size: number, compress: boolean) => Promise<void> {
  return (name, open, size, compress) =>
    new Promise((resolve, reject) => {
      const output = outputOf(zip);
      const ended = (): void =>
        reject(new StudioError('cancelled', 'The archive was not written.'));
      // Ended early, nothing reads this entry any more.
      if (output.destroyed) return ended();
      output.once('close', ended);
      const options = { size, compress, mtime: new Date(now), mode: 0o100600 };
      zip.addReadStreamLazy(name, options, (give) => {
        const stream = open();
        stream.once('error', (error) => reject(error));
        stream.once('end', () => {
          output.off('close', ended);
          resolve();
        });
        give(null, stream);
      });
    });
}

function throwIfStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new StudioError('cancelled', 'The export was stopped.');
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** 0 where it is not there. */
async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    return 0;
  }
}

/** Where the archive comes out. yazl's types have the interface alone; it makes a PassThrough. */
function outputOf({ outputStream }: ZipFile): Readable {
  if (outputStream instanceof Readable) return outputStream;
  throw new StudioError('internal', 'An archive has no stream.');
}
