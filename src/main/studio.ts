import type { Clock, Timer } from '../base/clock.ts';
import { ChatService } from './conversations/chat-service.ts';
import { closeDatabase, openDatabase, type StudioDatabase } from './database/open.ts';
import { createStore, type Store } from './database/store.ts';
import { resolveModelFolder, type ModelsFolder } from '../library/models.ts';
import type { Logger } from '../base/log.ts';
import type { AppPaths } from './paths.ts';
import { createPictureDecoder } from './processes/picture-decoder.ts';
import { guardEngine } from './processes/guarded-engine.ts';
import { createPictureStore } from './pictures/store.ts';
import { Engine } from './processes/engine.ts';
import type { Spawn } from './processes/child.ts';
import type { AppServices } from './services.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** Deleted conversations, and pictures that no turn shows (they may stand in a draft), are kept this long. */
const keptMs = { deletedConversation: 30 * dayMs, unusedPicture: 7 * dayMs } as const;

/** Everything behind the window: storage, conversations, and the engine. */
export interface Studio {
  readonly services: AppServices;
  readonly engine: Engine;
  /** Stores what streams, ends every child, closes the database. */
  close(): Promise<void>;
}

export interface StudioParts extends Pick<
  AppServices,
  'store' | 'clock' | 'emit' | 'places' | 'info'
> {
  readonly database: StudioDatabase;
  readonly paths: Pick<AppPaths, 'pictures' | 'embeddedModels' | 'ownModels'>;
  readonly log: Logger;
  /** What starts the processes. */
  readonly spawn: { readonly engine: Spawn; readonly decoder: Spawn };
}

/** Opens the database and tidies what the last run left. Throws `database-too-new` or `storage`. */
export function openStorage(
  paths: Pick<AppPaths, 'database' | 'backups'>,
  log: Logger,
): { database: StudioDatabase; store: Store } {
  const { database: file, backups: backupFolder } = paths;
  const database = openDatabase({ file, backupFolder, log });
  const store = createStore(database);
  const interrupted = store.turns.interruptStreaming();
  const purged = store.conversations.purge(Date.now() - keptMs.deletedConversation);
  log.info('database open', { interrupted, purged });
  return { database, store };
}

/** Puts the services together. The engine does not start yet. */
export function createStudio(parts: StudioParts): Studio {
  const { database, store, paths, log, emit, clock, spawn, places, info } = parts;
  const pictures = createPictureStore(paths.pictures, store.pictures);
  const modelsFolders: readonly ModelsFolder[] = [
    { folder: paths.embeddedModels, embedded: true },
    { folder: paths.ownModels, embedded: false },
  ];
  const engine = new Engine({
    spawn: spawn.engine,
    clock,
    log,
    choice() {
      const { modelFolder, provider } = store.settings.get();
      return { folder: resolveModelFolder(modelsFolders, modelFolder), provider };
    },
    onStatus: (status) => emit('engine.status', status),
  });
  const decoder = createPictureDecoder({ spawn: spawn.decoder, clock, log });
  const guarded = guardEngine(engine, decoder);
  const chat = new ChatService({ store, pictures, engine: guarded, clock, log, emit });
  const collecting = collectPictures(() => pictures.collect(keptMs.unusedPicture), clock, log);
  return {
    services: { store, pictures, decoder, chat, engine, modelsFolders, places, clock, emit, info },
    engine,
    async close() {
      collecting.cancel();
      chat.close();
      decoder.close();
      await engine.close();
      closeDatabase(database);
    },
  };
}

/** Later, so that it does not stand in the way of the first window. */
function collectPictures(
  collect: () => Promise<{ rows: number; files: number }>,
  clock: Clock,
  log: Logger,
): Timer {
  return clock.after(10_000, () => {
    collect().then(
      (collected) => log.info('pictures collected', collected),
      (error: unknown) => log.error('pictures not collected', { reason: String(error) }),
    );
  });
}
