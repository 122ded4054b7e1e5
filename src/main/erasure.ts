import { eraseRows, wipeTraces } from './database/erasure.ts';
import type { OpenedStorage } from './database/storage.ts';
import type { Emit } from './emit.ts';
import type { PictureStore } from './pictures/store.ts';

/** Deleting for good. */
export interface Erasure {
  /** Resolves when no byte of these conversations is left in the data folder. */
  erase(conversationIds: readonly string[]): Promise<void>;
}

export interface ErasureOptions {
  readonly storage: OpenedStorage;
  readonly pictures: PictureStore;
  /** The database's file. */
  readonly file: string;
  readonly emit: Emit;
}

/** Deletes rows, picture files, copies and kept damaged files; the window forgets the drafts. */
export function createErasure({ storage, pictures, file, emit }: ErasureOptions): Erasure {
  const { database, store, backups } = storage;
  return {
    async erase(conversationIds) {
      const hashes = store.transaction(() => eraseRows(database, conversationIds));
      emit('conversations.erased', { conversationIds: [...conversationIds] });
      await pictures.erase(hashes);
      await wipeTraces({ database, settings: store.settings, backups, file });
    },
  };
}
