import { randomUUID } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import type { ConversationRecord } from '../../shared/domain/conversation-record.ts';
import { mostPresets, type Preset } from '../../shared/domain/settings.ts';
import { StudioError, reasonOf } from '../../shared/errors.ts';
import type { Store } from '../database/store.ts';
import { readPictureHeader } from '../pictures/header.ts';
import type { PictureStore } from '../pictures/store.ts';
import { openArchive } from './archive-reader.ts';
import type { ImportSource } from './import-source.ts';
import { openTextbindFile } from './textbind-reader.ts';
import type { ExchangeProgress, ImportFault, ImportSummary } from '../../shared/domain/exchange.ts';

export interface ImportTarget {
  readonly store: Pick<Store, 'records' | 'pictures' | 'settings'>;
  readonly pictures: Pick<PictureStore, 'keep' | 'has'>;
  /** Decodes a picture where it can do no harm; throws `bad-input` where that fails. */
  readonly checkPicture: (bytes: Uint8Array, name: string) => Promise<void>;
  /** Folder whose disk must take the pictures. */
  readonly folder: string;
}

export interface ImportOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ExchangeProgress) => void) | undefined;
}

/** Most faults that a summary names one by one. */
const namedFaults = 100;

/**
 * Opens what is to be imported, by what its first bytes are.
 * @throws {StudioError} `bad-input` naming the file and what is wrong
 */
export async function openImport(file: string): Promise<ImportSource> {
  if (/\.json$/i.test(file)) return openTextbindFile(file);
  const archive = await openArchive(file);
  const { conversations, presets } = archive.manifest;
  return { ...archive, presets, conversationIds: conversations.map(({ id }) => id) };
}

type Import = (
  source: ImportSource,
  target: ImportTarget,
  options?: ImportOptions,
) => Promise<ImportSummary>;

/** Looks at every conversation and says what an import would do; changes nothing. */
export const summariseImport: Import = (source, target, options = {}) =>
  run(source, target, options, (record) => target.store.records.preview(record), false);

/** Imports everything that can be imported; what cannot is named, and left out whole. */
export const runImport: Import = (source, target, options = {}) =>
  run(source, target, options, (record) => target.store.records.store(record), true);

async function run(
  source: ImportSource,
  target: ImportTarget,
  { signal, onProgress }: ImportOptions,
  merge: (record: ConversationRecord) => ReturnType<Store['records']['store']>,
  bringsPictures: boolean,
): Promise<ImportSummary> {
  const counts = { new: 0, extended: 0, known: 0 };
  const added = { turns: 0, pictures: 0, pictureBytes: 0 };
  const faults: ImportFault[] = [];
  let faultCount = 0;
  const titles: string[] = [];
  const seen = new Set<string>();
  const total = source.conversationIds.length;
  for (const [done, id] of source.conversationIds.entries()) {
    if (signal?.aborted === true) {
      throw new StudioError('cancelled', `The import was stopped after ${done} of ${total}.`);
    }
    onProgress?.({ what: 'conversations', done, total });
    try {
      const record = await source.conversation(id);
      const lacking = record.pictures.filter(
        ({ hash }) => !seen.has(hash) && !target.pictures.has(hash),
      );
      const files = new Map(lacking.map((picture) => [picture.hash, picture]));
      const bytes = [...files.values()].reduce((sum, picture) => sum + picture.bytes, 0);
      if (bringsPictures) await bringPictures(source, target, [...files.values()]);
      const merged = merge(record);
      counts[merged.outcome] += 1;
      added.turns += merged.turns;
      if (merged.outcome === 'new' && titles.length < 5) titles.push(record.title);
      for (const hash of files.keys()) seen.add(hash);
      added.pictures += files.size;
      added.pictureBytes += bytes;
    } catch (error) {
      if (error instanceof StudioError && error.kind !== 'bad-input') throw error;
      faultCount += 1;
      const reason = reasonOf(error);
      if (faults.length < namedFaults) faults.push({ conversationId: id, reason });
    }
    // Other requests get their turn: reading a large conversation takes main's time.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (!bringsPictures) await mustFit(target.folder, added.pictureBytes);
  const presets = newPresets(source, target);
  if (bringsPictures && presets.length > 0) {
    target.store.settings.set({ presets: [...target.store.settings.get().presets, ...presets] });
  }
  const summary = { ...counts, ...added, presets: presets.length };
  return { file: source.file, ...summary, titles, faultCount, faults };
}

/** Those under names that are not here, as many as there is room for: what is here stays as it is. */
function newPresets(source: ImportSource, { store }: ImportTarget): readonly Preset[] {
  const { presets: own } = store.settings.get();
  const names = new Set(own.map(({ name }) => name));
  const ids = new Set(own.map(({ id }) => id));
  return (source.presets ?? [])
    .filter(({ name }) => !names.has(name))
    .slice(0, mostPresets - own.length)
    .map((preset) => (ids.has(preset.id) ? { ...preset, id: randomUUID() } : preset));
}

async function bringPictures(
  source: ImportSource,
  { pictures, checkPicture }: ImportTarget,
  lacking: readonly ConversationRecord['pictures'][number][],
): Promise<void> {
  for (const { hash, mediaType, width, height, bytes: size } of lacking) {
    const bytes = await source.picture(hash);
    // Its file was gone when the archive was written: the conversation is worth having without it.
    if (bytes === null) continue;
    const header = readPictureHeader(bytes, hash);
    const isSame =
      header.mediaType === mediaType &&
      header.width === width &&
      header.height === height &&
      bytes.length === size;
    if (!isSame) {
      throw new StudioError('bad-input', `Picture ${hash} is not the picture that is described.`);
    }
    await checkPicture(bytes, hash);
    await pictures.keep(hash, bytes);
  }
}

async function mustFit(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (bytes <= free) return;
  throw new StudioError(
    'storage',
    `The pictures need ${Math.ceil(bytes / 1e6)} MB; ${path.parse(folder).root} has ${Math.floor(free / 1e6)} MB left. Make room first.`,
  );
}
