import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type {
  AppBridge,
  AppEventName,
  AppReplyEnvelope,
} from '../../src/shared/contracts/app-ipc.ts';
import type { Clock } from '../../src/base/clock.ts';
import { createEmit } from '../../src/main/ipc/events.ts';
import { createHandlers } from '../../src/main/ipc/index.ts';
import type { EditCommand } from '../../src/shared/domain/edit-command.ts';
import { setupRequests } from '../../src/main/ipc/router.ts';
import type { Logger } from '../../src/base/log.ts';
import { decoderSpawn, keeperSpawn } from '../main/support/decoder-process.ts';
import { SavedFiles } from '../../src/main/saved-files.ts';
import { startStorage } from '../../src/main/database/storage.ts';
import { createStudio, type Studio } from '../../src/main/studio.ts';
import type { Spawn } from '../../src/main/processes/child.ts';

export interface MainHalfOptions {
  /** Where database, pictures, models and what is saved go. */
  readonly folder: string;
  /** Starts the engine. The process that decodes pictures is the real one. */
  readonly spawn: Spawn;
  readonly clock: Clock;
  readonly log: Logger;
  readonly platform?: string;
  /** Graphics cards of the machine. */
  readonly graphics?: readonly string[];
  /** What a person takes who is asked which file is to be imported. */
  readonly importFile?: () => string | null;
}

/** Main without Electron: its storage, services, engine and requests, behind the bridge that a window has. */
export interface MainHalf extends Studio {
  readonly bridge: AppBridge;
  /** Files that a drag of the window went on with. */
  readonly dragged: readonly string[];
  /** Files that were shown in their folder. */
  readonly shown: readonly string[];
  /** Files that were shown in their folders. */
  readonly shownFiles: readonly string[];
  /** What the window asked to have done where its focus was. */
  readonly edited: readonly EditCommand[];
}

/** Everything that main is made of, but for windows, protocols and dialogs; what is saved goes into the folder. */
export function createMainHalf(options: MainHalfOptions): MainHalf {
  const { folder, spawn, clock, log } = options;
  const place = (name: string): string => path.join(folder, name);
  const receivers = new Set<(name: AppEventName, body: unknown) => void>();
  const emit = createEmit((_channel, name, body) => {
    void crossing(body).then((copy) => {
      for (const receive of receivers) receive(name, copy);
    });
  }, log);
  const places = {
    database: place('textbind.db'),
    backups: place('backups'),
    pictures: place('pictures'),
  };
  const start = startStorage({ places, log });
  if (start.kind === 'failed') throw new Error(start.failure.detail);
  const dragged: string[] = [];
  const shown: string[] = [];
  const shownFiles: string[] = [];
  const edited: EditCommand[] = [];
  const saved = new SavedFiles(start.storage.store.settings);
  const studio = createStudio({
    storage: start.storage,
    paths: {
      ...places,
      outgoing: place('outgoing'),
      requests: place('requests'),
      embeddedModels: place('embedded'),
      ownModels: place('models'),
      training: place('training'),
      writerKeys: place('writer-keys'),
      fetched: {
        parts: place('parts'),
        downloads: place('downloads'),
        token: place('hub-token'),
        catalogues: [path.join(import.meta.dirname, '..', '..', 'models', 'catalogue.json')],
      },
      resources: path.join(import.meta.dirname, '..', '..', 'resources'),
    },
    log,
    emit,
    clock,
    spawn: {
      ...{ engine: spawn, drawing: spawn, conversion: spawn },
      ...{ decoder: decoderSpawn(), keeper: keeperSpawn() },
    },
    keychain: () => ({
      isEncryptionAvailable: () => false,
      encryptString: (text) => Buffer.from(text),
      decryptString: String,
    }),
    places: {
      async askWhere(suggested) {
        saved.note(place(suggested));
        return place(suggested);
      },
      askFolder: async (suggested) => place(suggested),
      askWhich: async () => options.importFile?.() ?? null,
      showInFolder: (file) => void shown.push(file),
      showFile(file) {
        saved.check(file);
        shownFiles.push(file);
      },
      edit: (command) => void edited.push(command),
      askToOpen: async () => false,
      askForData: async () => null,
      openInBrowser: async () => undefined,
      openFolder: async () => undefined,
      startDrag: (file) => void dragged.push(file),
    },
    printPdf: null,
    graphics: async () => options.graphics ?? [],
    licences: () => [
      { name: 'left-pad', version: '1.0.0', licence: 'MIT', text: 'Do as you like.' },
    ],
    updates: { updater: 'A test has no update server.', restart: () => undefined },
    info: {
      version: '0.1.0',
      electron: 'none',
      platform: options.platform ?? 'linux',
      dataFolder: folder,
      logFolder: place('logs'),
    },
  });
  return {
    ...studio,
    dragged,
    shown,
    shownFiles,
    edited,
    bridge: createBridge(studio, receivers, options),
  };
}

/** As between processes: a copy, and later, in the order in which things were sent. */
function crossing<Value>(value: Value): Promise<Value> {
  const copy = structuredClone(value);
  return new Promise((resolve) => setImmediate(() => resolve(copy)));
}

function createBridge(
  studio: Studio,
  receivers: Set<(name: AppEventName, body: unknown) => void>,
  { log, platform }: MainHalfOptions,
): AppBridge {
  let answer: (event: unknown, ...args: unknown[]) => unknown = () => null;
  setupRequests({
    channel: { handle: (_channel, listener) => (answer = listener) },
    handlers: createHandlers(studio.services),
    isOurs: (event) => event === 'window',
    log,
  });
  return {
    pathOf: () => '',
    platform: platform ?? 'linux',
    language: { chosen: 'system', preferred: ['en'] },
    async request(name, body) {
      return crossing((await answer('window', name, await crossing(body))) as AppReplyEnvelope);
    },
    onEvent(receive) {
      receivers.add(receive);
      return () => receivers.delete(receive);
    },
  };
}

/** Puts a model that can be listed there, and one whose language model is missing. Neither holds a network. */
export function writeModelFolders(folder: string): void {
  const sizes = { numQueryTokens: 8, numHiddenLayers: 2, numAttentionHeads: 2 };
  const manifest = {
    name: 'TextBind mini',
    licence: 'Apache-2.0',
    visionModel: 'vision',
    qformer: 'qformer',
    languageModel: 'language',
    processor: 'vision',
    imageDecoder: { base: 'vision' },
    qformerConfig: { ...sizes, hiddenSize: 64, intermediateSize: 128 },
    maxSequenceLength: 2048,
  };
  for (const [place, change] of [
    ['embedded/textbind-mini', {}],
    ['models/textbind-7b', { name: 'TextBind 7B', languageModel: 'gone' }],
  ] as const) {
    const model = path.join(folder, place);
    for (const part of ['vision', 'qformer', 'language']) {
      mkdirSync(path.join(model, part), { recursive: true });
    }
    writeFileSync(path.join(model, 'textbind.json'), JSON.stringify({ ...manifest, ...change }));
  }
}
