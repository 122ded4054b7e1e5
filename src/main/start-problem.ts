import { toWireError } from '../shared/errors.ts';
import { htmlLanguages } from '../shared/texts/language.ts';
import { english, type Voice } from '../shared/texts/voice.ts';
import type { Backup } from './database/backups.ts';
import type { StartFailure } from './database/start-failure.ts';
import {
  repairStorage,
  startStorage,
  type OpenedStorage,
  type Repair,
  type StartStorageOptions,
  type StorageStart,
} from './database/storage.ts';
import {
  renderProblemPage,
  type OfferedAction,
  type ProblemAction,
  type ProblemPage,
} from './protocols/problem-page.ts';

export interface StartProblemOptions {
  readonly failure: StartFailure;
  readonly storage: StartStorageOptions;
  /** Shows the page as it is now; resolves when it can be seen. */
  readonly show: () => Promise<void>;
  readonly openFolder: () => Promise<void>;
  readonly copy: (text: string) => void;
  /** Storage is open: the app starts. */
  readonly solved: (storage: OpenedStorage) => Promise<void>;
  readonly voice?: Voice;
}

/** The page that stands in the app's place while its storage cannot be opened, and its actions. */
export interface StartProblem {
  page(): string;
  /** Does it where it is offered; nothing happens where it is not, or while another goes on. */
  act(action: ProblemAction): Promise<void>;
}

/** Offers what helps against a failure, and starts the app once something did. */
export function createStartProblem(options: StartProblemOptions): StartProblem {
  const { voice = english } = options;
  const words = () => voice.texts().desktop;
  let { failure } = options;
  let message: string | null = null;
  let isBusy = false;
  let isSolved = false;
  const settle = async (start: StorageStart): Promise<void> => {
    if (start.kind === 'open') {
      isSolved = true;
      return options.solved(start.storage);
    }
    ({ failure } = start);
    message = words().didNotHelp;
  };
  const perform = async ({ name, index }: ProblemAction): Promise<void> => {
    switch (name) {
      case 'retry':
        return settle(startStorage(options.storage));
      case 'show-folder':
        return options.openFolder();
      case 'copy-error':
        options.copy(failure.detail);
        message = words().errorWasCopied;
        return;
      case 'restore':
      case 'salvage':
      case 'start-anew':
        return settle(repairStorage(options.storage, repairOf(name, failure.copies[index])));
      default:
        name satisfies never;
    }
  };
  return {
    page: () => renderProblemPage({ ...pageOf(failure, voice), message, isBusy }, voice),
    async act(action) {
      const offered = offers(failure, voice).some(
        ({ name, index }) => name === action.name && index === action.index,
      );
      if (!offered || isBusy || isSolved) return;
      message = null;
      try {
        if (action.name !== 'copy-error' && action.name !== 'show-folder') {
          isBusy = true;
          message = words().oneMoment;
          await options.show();
          message = null;
        }
        await perform(action);
      } catch (error) {
        message = voice.said(toWireError(error).message);
      } finally {
        isBusy = false;
      }
      if (!isSolved) await options.show();
    },
  };
}

function pageOf(failure: StartFailure, voice: Voice) {
  return {
    title: voice.said(failure.title),
    sentences: failure.sentences.map((sentence) => voice.said(sentence)),
    actions: offers(failure, voice),
  };
}

/** A page that only says what is wrong: nothing can be done about it from here. */
export function createPlainProblem(sentence: string, voice: Voice = english): StartProblem {
  return plainPage(voice.texts().desktop.dataFolderCannotBeUsed, voice.said(sentence), voice);
}

/** The page that stands while a large database is brought into another form. */
export function createMigrationPage(bytes: number, voice: Voice = english): StartProblem {
  const { bringingAlong, bringingAlongSays } = voice.texts().desktop;
  return plainPage(bringingAlong, bringingAlongSays(Math.round(bytes / 1e6)), voice);
}

function plainPage(title: string, sentence: string, voice: Voice): StartProblem {
  const page: ProblemPage = {
    title,
    sentences: [sentence],
    actions: [],
    message: null,
    isBusy: false,
  };
  return { page: () => renderProblemPage(page, voice), act: () => Promise.resolve() };
}

function repairOf(name: 'restore' | 'salvage' | 'start-anew', backup: Backup | undefined): Repair {
  return name === 'restore' && backup !== undefined
    ? { kind: 'restore', backup }
    : { kind: name === 'restore' ? 'salvage' : name };
}

/** So many copies are offered by name; the others lie in the folder. */
const mostCopies = 5;

function offers(failure: StartFailure, voice: Voice): readonly OfferedAction[] {
  const words = voice.texts().desktop;
  const kept = failure.kind === 'missing' ? '' : words.keptBeside;
  const restore = failure.copies.slice(0, mostCopies).map((copy, index): OfferedAction => ({
    name: 'restore',
    index,
    label: words.restoreCopyOf(dateOf(copy, voice)),
    note: words.copyHolds(copy.conversations, copy.turns, kept),
  }));
  const salvage: OfferedAction = {
    name: 'salvage',
    index: 0,
    label: words.saveWhatCanBeRead,
    note: words.intoNewDatabase(kept),
  };
  const anew: OfferedAction = {
    name: 'start-anew',
    index: 0,
    label: words.startAnew,
    note: words.emptyDatabase(kept),
  };
  return [
    ...(failure.canSalvage ? [salvage] : []),
    ...restore,
    { name: 'retry', index: 0, label: words.tryAgain, note: null },
    { name: 'show-folder', index: 0, label: words.showFolder, note: null },
    { name: 'copy-error', index: 0, label: words.copyError, note: null },
    ...(failure.canStartAnew ? [anew] : []),
  ];
}

function dateOf({ madeAt }: Backup, voice: Voice): string {
  const locale = voice.language() === 'en' ? undefined : htmlLanguages[voice.language()];
  return new Date(madeAt).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' });
}
