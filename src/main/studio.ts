import path from 'node:path';
import { app, type BrowserWindow } from 'electron';
import { z } from 'zod';
import { readJsonFile } from '../base/json-file.ts';
import type { AppReplyBody } from '../shared/contracts/app-ipc.ts';
import { systemClock } from '../base/clock.ts';
import { ChatService } from './conversations/chat-service.ts';
import { closeDatabase, openDatabase, type StudioDatabase } from './database/open.ts';
import { createStore, type Store } from './database/store.ts';
import type { Emit } from './emit.ts';
import { resolveModelFolder, type ModelsFolder } from '../library/models.ts';
import type { Logger } from '../base/log.ts';
import type { AppOptions } from './options.ts';
import type { AppPaths } from './paths.ts';
import { createPictureDecoder } from './pictures/decoder.ts';
import { guardEngine } from './pictures/guarded-engine.ts';
import { createPictureStore } from './pictures/store.ts';
import { createPlaces } from './places.ts';
import { Engine } from './processes/engine.ts';
import { createUtilitySpawn } from './processes/utility-spawn.ts';
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

export interface StudioParts {
  readonly database: StudioDatabase;
  readonly store: Store;
  readonly paths: AppPaths;
  readonly options: AppOptions;
  readonly log: Logger;
  readonly emit: Emit;
  readonly window: () => BrowserWindow | null;
}

/** Opens the database and tidies what the last run left. Throws `database-too-new` or `storage`. */
export function openStorage(
  paths: AppPaths,
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
  const { database, store, paths, options, log, emit, window } = parts;
  const clock = systemClock;
  const pictures = createPictureStore(paths.pictures, store.pictures);
  const modelsFolders: readonly ModelsFolder[] = [
    { folder: paths.embeddedModels, embedded: true },
    { folder: paths.ownModels, embedded: false },
  ];
  const engine = new Engine({
    spawn: createUtilitySpawn({
      entry: paths.worker,
      name: 'TextBind Studio engine',
      logFile: paths.workerLog,
    }),
    clock,
    log,
    choice() {
      const { modelFolder, provider } = store.settings.get();
      return { folder: resolveModelFolder(modelsFolders, modelFolder), provider };
    },
    onStatus: (status) => emit('engine.status', status),
  });
  const decoder = createPictureDecoder({
    spawn: createUtilitySpawn({
      entry: paths.decoder,
      name: 'TextBind Studio pictures',
      logFile: paths.workerLog,
    }),
    clock,
    log,
  });
  const guarded = guardEngine(engine, decoder);
  const chat = new ChatService({ store, pictures, engine: guarded, clock, log, emit });
  const places = createPlaces(window, options.saveFolder);
  const info = describeApp(paths);
  collectPictures(() => pictures.collect(keptMs.unusedPicture), log);
  return {
    services: { store, pictures, decoder, chat, engine, modelsFolders, places, clock, emit, info },
    engine,
    async close() {
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
  log: Logger,
): void {
  systemClock.after(10_000, () => {
    collect().then(
      (collected) => log.info('pictures collected', collected),
      (error: unknown) => log.error('pictures not collected', { reason: String(error) }),
    );
  });
}

function describeApp(paths: AppPaths): AppReplyBody<'app.info'> {
  return {
    version: appVersion(),
    electron: process.versions['electron'] ?? '',
    platform: process.platform,
    dataFolder: paths.data,
    logFolder: paths.logs,
  };
}

const packageSchema = z.object({ version: z.string() });

/** `app.getVersion()` is Electron's own when the app runs from a checkout by the path of a file. */
function appVersion(): string {
  try {
    const file = path.join(import.meta.dirname, '..', '..', 'package.json');
    return readJsonFile(file, packageSchema, 'internal').version;
  } catch {
    return app.getVersion();
  }
}
