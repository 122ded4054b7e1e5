import { toWireError } from '../shared/errors.ts';
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
}

/** The page that stands in the app's place while its storage cannot be opened, and its actions. */
export interface StartProblem {
  page(): string;
  /** Does it where it is offered; nothing happens where it is not, or while another goes on. */
  act(action: ProblemAction): Promise<void>;
}

/** Offers what helps against a failure, and starts the app once something did. */
export function createStartProblem(options: StartProblemOptions): StartProblem {
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
    message = 'That did not help. Nothing was lost by it.';
  };
  const perform = async ({ name, index }: ProblemAction): Promise<void> => {
    switch (name) {
      case 'retry':
        return settle(startStorage(options.storage));
      case 'show-folder':
        return options.openFolder();
      case 'copy-error':
        options.copy(failure.detail);
        message = 'The error was copied.';
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
    page() {
      const { title, sentences } = failure;
      return renderProblemPage({ title, sentences, actions: offers(failure), message, isBusy });
    },
    async act(action) {
      const offered = offers(failure).some(
        ({ name, index }) => name === action.name && index === action.index,
      );
      if (!offered || isBusy || isSolved) return;
      message = null;
      try {
        if (action.name !== 'copy-error' && action.name !== 'show-folder') {
          isBusy = true;
          message = 'One moment: this may take a while where there is much to read.';
          await options.show();
          message = null;
        }
        await perform(action);
      } catch (error) {
        message = toWireError(error).message;
      } finally {
        isBusy = false;
      }
      if (!isSolved) await options.show();
    },
  };
}

/** A page that only says what is wrong: nothing can be done about it from here. */
export function createPlainProblem(title: string, sentence: string): StartProblem {
  const page: ProblemPage = {
    title,
    sentences: [sentence],
    actions: [],
    message: null,
    isBusy: false,
  };
  return { page: () => renderProblemPage(page), act: () => Promise.resolve() };
}

function repairOf(name: 'restore' | 'salvage' | 'start-anew', backup: Backup | undefined): Repair {
  return name === 'restore' && backup !== undefined
    ? { kind: 'restore', backup }
    : { kind: name === 'restore' ? 'salvage' : name };
}

/** So many copies are offered by name; the others lie in the folder. */
const mostCopies = 5;

function offers(failure: StartFailure): readonly OfferedAction[] {
  const kept = failure.kind === 'missing' ? '' : ' What is there now is kept beside it.';
  const restore = failure.copies.slice(0, mostCopies).map((copy, index): OfferedAction => ({
    name: 'restore',
    index,
    label: `Restore the copy of ${dateOf(copy)}`,
    note: `Conversations: ${copy.conversations}, turns: ${copy.turns}. What was written after it is not in it.${kept}`,
  }));
  const salvage: OfferedAction = {
    name: 'salvage',
    index: 0,
    label: 'Save what can be read',
    note: `Everything that can still be read goes into a new database.${kept}`,
  };
  const anew: OfferedAction = {
    name: 'start-anew',
    index: 0,
    label: 'Start anew',
    note: `An empty database. No picture is deleted.${kept}`,
  };
  return [
    ...(failure.canSalvage ? [salvage] : []),
    ...restore,
    { name: 'retry', index: 0, label: 'Try again', note: null },
    { name: 'show-folder', index: 0, label: 'Show the folder', note: null },
    { name: 'copy-error', index: 0, label: 'Copy the error', note: null },
    ...(failure.canStartAnew ? [anew] : []),
  ];
}

function dateOf({ madeAt }: Backup): string {
  return new Date(madeAt).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}
