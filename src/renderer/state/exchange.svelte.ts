import type {
  DatabaseCopy,
  ExchangeProgress,
  ExportFormat,
  ExportReport,
  ImportOffer,
  ImportSummary,
} from '../../shared/domain/exchange.ts';
import { isStudioError } from '../../shared/errors.ts';
import type { Api } from '../api.ts';
import type { ShellStore } from './shell.svelte.ts';
import { sentenceOf, t } from '../texts.svelte.ts';

/** What the dialog shows. */
export type ExchangeStep =
  | { readonly step: 'choose-export'; readonly conversationId: string | null }
  | { readonly step: 'running'; readonly what: 'export' | 'import' | 'look' }
  | { readonly step: 'exported'; readonly report: ExportReport }
  | { readonly step: 'offer'; readonly offer: ImportOffer }
  | { readonly step: 'imported'; readonly summary: ImportSummary }
  | { readonly step: 'fault'; readonly sentence: string };

export interface ExchangeNeighbours {
  readonly shell: ShellStore;
  /** Shows what is new. */
  readonly imported: () => Promise<void>;
}

/** What goes out of the app and comes back. */
export class ExchangeStore {
  at = $state.raw<ExchangeStep | null>(null);
  progress = $state.raw<ExchangeProgress | null>(null);
  copies = $state.raw<readonly DatabaseCopy[]>([]);
  readonly #api: Api;
  readonly #next: ExchangeNeighbours;

  constructor(api: Api, next: ExchangeNeighbours) {
    this.#api = api;
    this.#next = next;
    api.on('exchange.progress', (progress) => (this.progress = progress));
    api.on('exchange.offered', (offer) => (this.at = { step: 'offer', offer }));
  }

  /** Asks what is to be exported; the conversation given is the one that is chosen at first. */
  openExport(conversationId: string | null): void {
    this.at = { step: 'choose-export', conversationId };
  }

  /** Closes the dialog, and stops what runs. */
  async close(): Promise<void> {
    const before = this.at;
    if (before?.step === 'running') return await this.stop();
    this.at = null;
    if (before?.step === 'offer') await this.#try(() => this.#api.request('exchange.forget', null));
  }

  async stop(): Promise<void> {
    await this.#try(() => this.#api.request('exchange.stop', null));
  }

  async show(): Promise<void> {
    await this.#try(() => this.#api.request('exchange.show', null));
  }

  /** Exports one without a dialog of ours, and says where it is. */
  async quick(conversationId: string, format: ExportFormat): Promise<void> {
    const { shell } = this.#next;
    try {
      const body = { conversationIds: [conversationId], format };
      const report = await this.#api.request('exchange.export', body);
      if (report === null) return;
      const act = { label: t.exchange.showInFolder, act: (): void => void this.show() };
      shell.say(t.exchange.exportedAsShownTo(report.path, lacking(report)), act);
    } catch (error) {
      shell.problem = sentenceOf(error);
    }
  }

  /** @param conversationIds null for all */
  async export(conversationIds: readonly string[] | null, format: ExportFormat): Promise<void> {
    const before = this.at;
    const ids = conversationIds === null ? null : [...conversationIds];
    await this.#run('export', async () => {
      const report = await this.#api.request('exchange.export', { conversationIds: ids, format });
      this.at = report === null ? before : { step: 'exported', report };
    });
  }

  /** Asks for a file, and shows what importing it would do. */
  async chooseImport(): Promise<void> {
    await this.#run('look', async () => {
      const offer = await this.#api.request('exchange.choose', null);
      this.at = offer === null ? null : { step: 'offer', offer };
    });
  }

  async openCopy(file: string): Promise<void> {
    await this.#run('look', async () => {
      const offer = await this.#api.request('exchange.openCopy', { file });
      this.at = { step: 'offer', offer };
    });
  }

  async import({ offerId }: ImportOffer): Promise<void> {
    await this.#run('import', async () => {
      const summary = await this.#api.request('exchange.import', { offerId });
      this.at = { step: 'imported', summary };
    });
    await this.#next.imported();
  }

  async loadCopies(): Promise<void> {
    await this.#try(async () => {
      this.copies = (await this.#api.request('exchange.copies', null)).copies;
    });
  }

  async #run(what: 'export' | 'import' | 'look', work: () => Promise<void>): Promise<void> {
    this.progress = null;
    this.at = { step: 'running', what };
    try {
      await work();
    } catch (error) {
      // Who stopped it knows; of an import a part may be here.
      const quiet = isStudioError(error, 'cancelled') && what !== 'import';
      this.at = quiet ? null : { step: 'fault', sentence: sentenceOf(error) };
    }
  }

  async #try(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#next.shell.problem = sentenceOf(error);
    }
  }
}

/** What an export could not take along, as a sentence behind another; empty where that is nothing. */
export function lacking({ leftOutTurns, missingPictures }: ExportReport): string {
  const turns = leftOutTurns === 0 ? [] : [t.exchange.turnsLeftOut(leftOutTurns)];
  const pictures = missingPictures === 0 ? [] : [t.exchange.picturesMissing(missingPictures)];
  return [...turns, ...pictures].map((sentence) => ` ${sentence}`).join('');
}
