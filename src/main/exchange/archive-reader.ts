import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import type { z } from 'zod';
import { excess } from '../../base/json-file.ts';
import {
  conversationRecordSchema,
  recordFault,
  type ConversationRecord,
} from '../../shared/domain/conversation-record.ts';
import { pictureLimits } from '../../shared/domain/picture.ts';
import { StudioError, known, reasonOf } from '../../shared/errors.ts';
import {
  archiveManifestSchema,
  archiveVersion,
  conversationEntry,
  isEntryName,
  manifestName,
  pictureEntry,
  type ArchiveManifest,
} from './archive-format.ts';
import { chunksOf } from '../../base/chunks.ts';

/** What no archive of ours comes near: beyond it one is refused before anything of it is unpacked. */
export const archiveLimits = {
  entries: 2_000_000,
  /** Bytes of one conversation, and of the manifest, unpacked. */
  jsonBytes: 256 * 1024 ** 2,
} as const;

/** An archive that was looked at from end to end but for its pictures' bytes. */
export interface Archive {
  readonly file: string;
  readonly manifest: ArchiveManifest;
  /** Reads one conversation. Throws `bad-input` naming what is wrong with it. */
  conversation(id: string): Promise<ConversationRecord>;
  /** The bytes of a picture, whose hash was looked at; null where the archive says that it has none. */
  picture(sha256: string): Promise<Buffer | null>;
  close(): void;
}

/**
 * Opens an archive. What could do harm is refused here: names that lead out of it, links, entries that are larger than
 * they may be, that lie over each other or are encrypted, and whatever is no part of an archive.
 * @throws {StudioError} `bad-input` naming the file and what is wrong
 */
export async function openArchive(file: string): Promise<Archive> {
  const zip = await openZip(file);
  try {
    const entries = await readEntries(zip, file);
    const manifestEntry = entries.get(manifestName);
    if (manifestEntry === undefined) throw refuse(file, 'it has no manifest.json');
    const json = await readJson(zip, manifestEntry, file);
    const manifest = parseManifest(json, file);
    checkListed(manifest, entries, file);
    return {
      file,
      manifest,
      conversation: (id) => readConversation(zip, entries, manifest, id),
      picture: (sha256) => readPicture(zip, entries, manifest, sha256),
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

function refuse(file: string, why: string, cause?: unknown): StudioError {
  return new StudioError('bad-input', `${file} is not taken: ${why}.`, { cause });
}

async function openZip(file: string): Promise<ZipFile> {
  try {
    return await openPromise(file, { autoClose: false, strictFileNames: true });
  } catch (error) {
    const reason = reasonOf(error);
    throw refuse(file, `it cannot be read as a zip file (${reason})`, error);
  }
}

async function readEntries(zip: ZipFile, file: string): Promise<Map<string, Entry>> {
  const { size } = await stat(file);
  if (zip.entryCount > archiveLimits.entries)
    throw refuse(file, `it has ${zip.entryCount} entries`);
  const entries = new Map<string, Entry>();
  let packed = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      const fault =
        entryFault(entry) ?? (entries.has(entry.fileName) ? 'stands in it twice' : null);
      if (fault !== null) throw refuse(file, `${JSON.stringify(entry.fileName)} ${fault}`);
      packed += entry.compressedSize;
      // Entries that lie over each other unpack to more than anybody packed.
      if (packed > size) throw refuse(file, 'its entries lie over each other');
      entries.set(entry.fileName, entry);
    }
  } catch (error) {
    if (error instanceof StudioError) throw error;
    // What the zip library refuses by itself: absolute names, "..", backslashes, broken tables.
    const reason = reasonOf(error);
    throw refuse(file, reason, error);
  }
  return entries;
}

const fileTypeMask = 0o170_000;
const regularFile = 0o100_000;

function entryFault(entry: Entry): string | null {
  const { fileName, uncompressedSize, compressedSize } = entry;
  if (!isEntryName(fileName)) return 'is no part of an archive of conversations';
  // The upper half is the mode of the system that packed it; 0 where that has none.
  const type = (entry.externalFileAttributes >>> 16) & fileTypeMask;
  if (type !== 0 && type !== regularFile) return 'is no file but a link or a device';
  if ((entry.generalPurposeBitFlag & 1) !== 0) return 'is encrypted';
  const isPicture = fileName.startsWith('pictures/');
  const most = isPicture ? pictureLimits.maxBytes : archiveLimits.jsonBytes;
  if (uncompressedSize > most)
    return `unpacks to ${uncompressedSize} bytes; at most ${most} are taken`;
  // Deflate packs at most some 1,032 to 1; conversations, which repeat little, some 10 to 1.
  if (compressedSize * 1100 < uncompressedSize) return 'claims to be packed tighter than can be';
  return null;
}

function parseManifest(json: unknown, file: string): ArchiveManifest {
  const version: unknown =
    typeof json === 'object' && json !== null ? Reflect.get(json, 'version') : null;
  if (typeof version === 'number' && version > archiveVersion) {
    throw refuse(
      file,
      `it was written by a newer TextBind Studio (archive version ${version}; this one knows ${archiveVersion})`,
    );
  }
  return check(archiveManifestSchema, json, (where) =>
    refuse(file, `its manifest.json is wrong at ${where}`),
  );
}

function check<Value>(
  schema: z.ZodType<Value>,
  json: unknown,
  fault: (where: string) => StudioError,
): Value {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw fault(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

function checkListed(manifest: ArchiveManifest, entries: Map<string, Entry>, file: string): void {
  const listed = [
    ...manifest.conversations.map(({ id }) => conversationEntry(id)),
    ...manifest.pictures.map(({ sha256, mediaType }) => pictureEntry(sha256, mediaType)),
  ];
  for (const name of listed) {
    if (!entries.has(name)) throw refuse(file, `${name} is missing from it`);
  }
  if (new Set(listed).size < listed.length)
    throw refuse(file, 'its manifest names something twice');
}

async function readJson(zip: ZipFile, entry: Entry, file: string): Promise<unknown> {
  return parseJson(await readEntry(zip, entry, file), entry.fileName);
}

/** A few bytes of text can become gigabytes of values, or more of them within each other than a walk can hold. */
const jsonShape = { values: 20_000_000, depth: 64 } as const;

function parseJson(bytes: Buffer, name: string): unknown {
  const text = bytes.toString('utf8');
  const fault = excess(text, jsonShape);
  if (fault !== null) throw refuse(name, fault);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refuse(name, 'it is not JSON', error);
  }
}

/** Whole, or not at all: the library ends a stream that gives more than its entry says, and looks at its checksum. */
async function readEntry(zip: ZipFile, entry: Entry, file: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of chunksOf(await zip.openReadStreamPromise(entry))) pieces.push(piece);
  } catch (error) {
    const reason = reasonOf(error);
    throw refuse(file, `${entry.fileName} cannot be unpacked (${reason})`, error);
  }
  return Buffer.concat(pieces);
}

const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function readConversation(
  zip: ZipFile,
  entries: Map<string, Entry>,
  manifest: ArchiveManifest,
  id: string,
): Promise<ConversationRecord> {
  const name = conversationEntry(id);
  const expected = manifest.conversations.find((each) => each.id === id)?.sha256;
  const bytes = await readEntry(zip, known(entries.get(name), name), name);
  if (sha256Of(bytes) !== expected) throw refuse(name, 'its bytes are not those that were written');
  const record = parseRecord(bytes, name);
  if (record.id !== id) throw refuse(name, `it is conversation ${record.id}`);
  return record;
}

/** Reads a conversation record. @throws {StudioError} `bad-input` naming what is wrong */
export function parseRecord(bytes: Buffer, name: string): ConversationRecord {
  const json = parseJson(bytes, name);
  const record = check(conversationRecordSchema, json, (where) =>
    refuse(name, `it is wrong at ${where}`),
  );
  const fault = recordFault(record);
  if (fault !== null) throw refuse(name, fault);
  return record;
}

async function readPicture(
  zip: ZipFile,
  entries: Map<string, Entry>,
  manifest: ArchiveManifest,
  sha256: string,
): Promise<Buffer | null> {
  const listed = manifest.pictures.find((each) => each.sha256 === sha256);
  if (listed === undefined) return null;
  const name = pictureEntry(sha256, listed.mediaType);
  const bytes = await readEntry(zip, known(entries.get(name), name), name);
  if (sha256Of(bytes) !== sha256) throw refuse(name, 'its bytes are not those of its name');
  return bytes;
}
