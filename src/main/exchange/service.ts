import { randomUUID } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type {
  DatabaseCopy,
  ExchangeProgress,
  ExportFormat,
  ExportReport,
  ImportOffer,
  ImportSummary,
} from '../../shared/domain/exchange.ts';
import { StudioError } from '../../shared/errors.ts';
import { fileNameOf } from '../conversations/export.ts';
import type { Backups } from '../database/backups.ts';
import type { Store } from '../database/store.ts';
import type { Emit } from '../emit.ts';
import type { PictureStore } from '../pictures/store.ts';
import { openCopy } from './copy-reader.ts';
import {
  exportConversations,
  exportExtensions,
  exportFormatNames,
  goesIntoFolder,
  type PrintPdf,
} from './exporter.ts';
import { openImport, runImport, summariseImport, type ImportTarget } from './importer.ts';
import type { ImportSource } from './import-source.ts';

/** Dialogs that an exchange needs. */
export interface ExchangePlaces {
  askWhere(suggested: string, type: { name: string; extension: string }): Promise<string | null>;
  askFolder(suggested: string): Promise<string | null>;
  askWhich(name: string, extensions: readonly string[]): Promise<string | null>;
  showInFolder(file: string): void;
}

export interface ExchangeParts {
  readonly store: Store;
  readonly pictures: PictureStore;
  readonly backups: Pick<Backups, 'list' | 'restoreTo'>;
  readonly checkPicture: ImportTarget['checkPicture'];
  readonly places: ExchangePlaces;
  /** Null where nothing can print. */
  readonly printPdf: PrintPdf | null;
  /** Who an archive says that it was written by. */
  readonly writtenBy: string;
  /** Folder whose disk takes what is imported. */
  readonly folder: string;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly log: Logger;
}

/** Endings of files that can be imported, without the dot. */
export const importExtensions = ['zip', 'textbind', 'json'] as const;

/** What goes out of the app and comes back: one export or import at a time. */
export class ExchangeService {
  readonly #parts: ExchangeParts;
  #running: AbortController | null = null;
  #offered: { readonly id: string; readonly source: ImportSource } | null = null;
  #written: string | null = null;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  /** Asks where, and writes; null where the person cancelled. */
  async export(
    conversationIds: readonly string[] | null,
    format: ExportFormat,
  ): Promise<ExportReport | null> {
    const { store, pictures, printPdf, writtenBy, clock, log } = this.#parts;
    const ids = conversationIds ?? store.records.ids({ withDeleted: false });
    this.#refuseSecond();
    const target = await this.#askTarget(ids, format);
    if (target === null) return null;
    return this.#run(async (options) => {
      const report = await exportConversations({
        ...options,
        conversationIds: ids,
        format,
        target,
        record: (id) => store.records.read(id),
        fileOf: (hash) => pictures.fileOf(hash),
        printPdf,
        writtenBy,
        presets: store.settings.get().presets,
        now: clock.now(),
      });
      this.#written = report.path;
      log.info('exported', { format, conversations: report.conversations });
      return report;
    });
  }

  /** Asks which file, and says what importing it would do. */
  async choose(): Promise<ImportOffer | null> {
    this.#refuseSecond();
    const file = await this.#parts.places.askWhich('Conversations', importExtensions);
    return file === null ? null : this.offerFile(file);
  }

  /** Says what importing a file would do, and keeps it open until it is imported or forgotten. */
  async offerFile(file: string): Promise<ImportOffer> {
    return this.#offer(() => openImport(file));
  }

  copies(): DatabaseCopy[] {
    return this.#parts.backups.list().map(({ file, madeAt, conversations, turns, bytes }) => ({
      file,
      madeAt,
      conversations,
      turns,
      bytes,
    }));
  }

  /** The same as {@link offerFile} of a copy of the database. */
  async offerCopy(file: string): Promise<ImportOffer> {
    const { backups, folder } = this.#parts;
    const backup = backups.list().find((each) => each.file === file);
    if (backup === undefined) throw new StudioError('not-found', `The copy ${file} is gone.`);
    return this.#offer(async () => openCopy(backups, backup, folder));
  }

  async import(offerId: string): Promise<ImportSummary> {
    const offered = this.#offered;
    if (offered?.id !== offerId) {
      throw new StudioError('not-found', 'That file is not open any more. Choose it again.');
    }
    const summary = await this.#run(async (options) => {
      const done = await runImport(offered.source, this.#target(), options);
      // What a copy names may lie in the pictures' trash.
      await this.#parts.pictures.revive();
      const { store, emit } = this.#parts;
      if (done.presets > 0) emit('settings.changed', store.settings.get());
      const { new: fresh, extended, known, faultCount } = done;
      this.#parts.log.info('imported', { new: fresh, extended, known, faultCount });
      return done;
    });
    this.forget();
    return summary;
  }

  forget(): void {
    this.#offered?.source.close();
    this.#offered = null;
  }

  stop(): void {
    this.#running?.abort();
  }

  show(): void {
    if (this.#written !== null) this.#parts.places.showInFolder(this.#written);
  }

  close(): void {
    this.stop();
    this.forget();
  }

  async #offer(open: () => Promise<ImportSource>): Promise<ImportOffer> {
    return this.#run(async (options) => {
      this.forget();
      const source = await open();
      try {
        const summary = await summariseImport(source, this.#target(), options);
        this.#offered = { id: randomUUID(), source };
        return { offerId: this.#offered.id, summary };
      } catch (error) {
        source.close();
        throw error;
      }
    });
  }

  #target(): ImportTarget {
    const { store, pictures, checkPicture, folder } = this.#parts;
    return { store, pictures, checkPicture, folder };
  }

  async #askTarget(ids: readonly string[], format: ExportFormat): Promise<string | null> {
    const { places, store, clock } = this.#parts;
    const day = new Date(clock.now()).toISOString().slice(0, 10);
    const [first, ...others] = ids;
    const isOne = first !== undefined && others.length === 0;
    const only = isOne ? store.conversations.summary(first) : null;
    const name = only === null ? `TextBind conversations ${day}` : fileNameOf(only.title);
    if (goesIntoFolder(format, ids.length)) return places.askFolder(name);
    const extension = exportExtensions[format];
    return places.askWhere(`${name}.${extension}`, { name: exportFormatNames[format], extension });
  }

  #refuseSecond(): void {
    if (this.#running === null) return;
    throw new StudioError('busy', 'Another export or import is running. Wait for it, or stop it.');
  }

  async #run<Result>(
    work: (options: {
      readonly signal: AbortSignal;
      readonly onProgress: (progress: ExchangeProgress) => void;
    }) => Promise<Result>,
  ): Promise<Result> {
    this.#refuseSecond();
    const controller = new AbortController();
    this.#running = controller;
    try {
      return await work({ signal: controller.signal, onProgress: this.#tell() });
    } finally {
      this.#running = null;
    }
  }

  /** Not of each of thousands: the window shows ten in a second. */
  #tell(): (progress: ExchangeProgress) => void {
    const { clock, emit } = this.#parts;
    let toldAt = 0;
    return (progress) => {
      if (clock.now() - toldAt < 100) return;
      toldAt = clock.now();
      emit('exchange.progress', progress);
    };
  }
}
