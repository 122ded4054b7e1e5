import path from 'node:path';
import { toWireError } from '../shared/errors.ts';
import { BenchService } from './conversations/bench-service.ts';
import { ComparisonService } from './conversations/comparison-service.ts';
import { openTallyBook } from './conversations/tally.ts';
import { ChatService } from './conversations/chat-service.ts';
import { VersionService } from './conversations/version-service.ts';
import { createCalendar, type Calendar } from './database/calendar.ts';
import { closeStorage, type OpenedStorage } from './database/storage.ts';
import { resolveModelFolder, type ModelsFolder } from '../library/models.ts';
import { EngineRest } from './engine-rest.ts';
import type { Keychain } from './downloads/token.ts';
import { createModelLibrary } from './models/model-library.ts';
import { createErasure } from './erasure.ts';
import type { PrintPdf } from './exchange/exporter.ts';
import { Gatherer } from './exchange/gather.ts';
import { ExchangeService } from './exchange/service.ts';
import { startKeeping } from './keeping.ts';
import type { Logger } from '../base/log.ts';
import type { AppPaths } from './paths.ts';
import { createPictureDecoder, type PictureDecoder } from './processes/picture-decoder.ts';
import { guardEngine } from './processes/guarded-engine.ts';
import { Gallery } from './pictures/gallery.ts';
import { createOutgoingPictures } from './pictures/outgoing.ts';
import { createPictureStore, type PictureStore } from './pictures/store.ts';
import { createThumbnails } from './pictures/thumbnails.ts';
import { Engine } from './processes/engine.ts';
import { SecondEngine } from './processes/second-engine.ts';
import type { Spawn } from './processes/child.ts';
import type { EngineClient } from './processes/engine-client.ts';
import type { AppServices } from './services.ts';
import { UpdateService, type UpdateServiceOptions } from './updates/update-service.ts';
import { Training, type TrainingOptions } from './training/training.ts';
import { DoctorService } from './doctor-service.ts';
import { FitBook } from '../library/fit/fit-book.ts';
import { FitService, type FitServiceOptions } from './fit-service.ts';
import { LocalServerService } from './local-server-service.ts';
import { shareEngine, type SharedEngine } from './processes/shared-engine.ts';
import { createRecipes } from './recipe/create.ts';

/** Files that no row names stay this long after a database was put in another's place: it may be put back. */
const leaveFilesMs = 30 * 24 * 60 * 60 * 1000;

/** Everything behind the window: storage, conversations, and the engine. */
export interface Studio {
  readonly services: AppServices;
  readonly engine: Engine;
  /** What the window's first sight needs: pictures that rows name again are back in their places. */
  prepare(): Promise<void>;
  /** Starts the engine, unless a run that is under way has its memory. */
  startEngine(): Promise<void>;
  /** Says to the window what a person should know of how storage was opened. */
  announce(): void;
  /** Stores what streams, ends every child, closes the database. */
  close(): Promise<void>;
}

export interface StudioParts extends Pick<
  AppServices,
  'clock' | 'emit' | 'places' | 'info' | 'licences' | 'graphics'
> {
  readonly storage: OpenedStorage;
  readonly paths: Pick<
    AppPaths,
    | 'database'
    | 'pictures'
    | 'outgoing'
    | 'requests'
    | 'embeddedModels'
    | 'ownModels'
    | 'training'
    | 'writerKeys'
    | 'resources'
    | 'fetched'
  >;
  readonly log: Logger;
  /** What starts the processes. */
  readonly spawn: {
    readonly engine: Spawn;
    readonly drawing: Spawn;
    readonly decoder: Spawn;
    readonly conversion: Spawn;
    /** Looks through a copy of the database, or sees whether drives answer. */
    readonly keeper: Spawn;
  };
  readonly keychain: () => Keychain;
  readonly updates: Pick<UpdateServiceOptions, 'updater' | 'restart'>;
  /** Null where nothing can print. */
  readonly printPdf: PrintPdf | null;
}

function createTraining(
  { paths, clock, log, emit }: StudioParts,
  modelsFolders: readonly ModelsFolder[],
  stamp: () => number,
  onRun: TrainingOptions['onRun'] & {},
): Training {
  const trainer = path.join(paths.resources, 'trainer');
  const { training, ownModels } = paths;
  const smallModel = resolveModelFolder(modelsFolders, null);
  const places = { training, trainer, ownModels, smallModel };
  return new Training({ places, clock, log, stamp, emit, onRun });
}

/** The engine of the model that the settings name. */
function createEngine(
  { storage, spawn, clock, log, emit }: StudioParts,
  modelsFolders: readonly ModelsFolder[],
): Engine {
  return new Engine({
    spawn: spawn.engine,
    spawnDrawing: spawn.drawing,
    clock,
    log,
    choice() {
      const { modelFolder, provider } = storage.store.settings.get();
      return { folder: resolveModelFolder(modelsFolders, modelFolder), provider };
    },
    onStatus: (status) => emit('engine.status', status),
  });
}

function openCalendar({ storage, clock }: StudioParts): Calendar {
  const calendar = createCalendar(storage.store.settings, () => clock.now());
  if (storage.isReplaced || storage.isNew) calendar.leaveFilesFor(leaveFilesMs);
  return calendar;
}

/** Puts the services together. The engine does not start yet. */
export function createStudio(parts: StudioParts): Studio {
  const { storage, paths, log, emit, clock, places, info, licences, graphics } = parts;
  const calendar = openCalendar(parts);
  const stamp = (): number => calendar.stamp();
  const { shrinker, ...seen } = createPictures(parts, stamp);
  const { pictures, decoder } = seen;
  const say = (message: string): void => emit('app.notice', { message });
  const tell = (error: unknown): void => emit('app.problem', { error: toWireError(error) });
  const keeping = startKeeping({ storage, pictures, calendar, clock, log, tell, say });
  const erasure = createErasure({ storage, pictures, file: paths.database, emit });
  const modelsFolders = foldersOfModels(paths);
  const engine = createEngine(parts, modelsFolders);
  const { shared, localServer } = createLocalServer(parts, engine, decoder);
  const away = (): Promise<readonly string[]> => library.away();
  const { fit, book } = createFit(parts, { modelsFolders, away }, engine);
  const talk = createTalk(parts, pictures, fit.watch(shared.own));
  const { chat, bench } = talk;
  const rest = new EngineRest({ engine, idle: () => chat.idle(), log });
  const training = createTraining(parts, modelsFolders, stamp, (...run) => rest.follow(...run));
  const made = { engine, own: shared.own, decoder, pictures, chat };
  const { comparison, second } = createComparison(parts, made);
  const recipe = createRecipe(parts, { engine, shared, training });
  const exchange = createExchange(parts, pictures, decoder);
  const library = createLibrary(parts, modelsFolders, { engine, onChanged: () => fit.forget() });
  const updates = createUpdates(parts, chat);
  updates.start();
  const doctor = createDoctor(parts, { modelsFolders, away }, { engine, training, book });
  return {
    services: {
      ...{ store: storage.store, ...seen, erasure, ...talk, exchange },
      ...{ comparison, engine, training, ...recipe, ...library.services },
      ...{ updates, doctor, fit, localServer, places, clock, emit, info, licences, graphics },
    },
    engine,
    async prepare() {
      await seen.outgoing.clear();
      const revived = await pictures.revive();
      if (revived > 0) log.info('pictures brought back from the trash', { revived });
      localServer.start();
    },
    async startEngine() {
      await training.open();
      await rest.settled();
      if (!engine.isResting) engine.start();
    },
    announce() {
      if (storage.notice !== null) say(storage.notice);
      library.restore().catch(tell);
    },
    async close() {
      updates.close();
      await localServer.close();
      for (const each of [chat, bench, comparison, recipe.recipes, training]) each.close();
      for (const each of [exchange, keeping, decoder, shrinker]) each.close();
      await seen.outgoing.clear();
      await Promise.all([library.close(), engine.close(), second.close()]);
      await closeStorage(storage, log);
    },
  };
}

/** Pictures' files, what is made of them, and the processes that read them. */
function createPictures({ storage, paths, spawn, clock, log }: StudioParts, stamp: () => number) {
  const { store } = storage;
  const pictures = createPictureStore(paths.pictures, store.pictures, stamp);
  const decoder = createPictureDecoder({ spawn: spawn.decoder, clock, log });
  // A process of its own: what a person drops must not wait behind a gallery.
  const shrinker = createPictureDecoder({ spawn: spawn.decoder, clock, log });
  const thumbnails = createThumbnails({
    pictures,
    table: store.pictures,
    shrink: (file, side) => shrinker.thumbnail(file, 'The picture', side),
  });
  const outgoing = createOutgoingPictures(paths.outgoing, pictures);
  return { pictures, decoder, shrinker, thumbnails, outgoing, gallery: new Gallery(store.gallery) };
}

/** What is said and drawn in conversations, and what of it teaches. */
function createTalk(
  { storage, clock, log, emit }: StudioParts,
  pictures: PictureStore,
  engine: EngineClient,
) {
  const { store } = storage;
  const parts = { store, pictures, engine, clock, log, emit };
  const chat = new ChatService(parts);
  const bench = new BenchService(parts, chat);
  const versions = new VersionService({ store, clock, emit }, chat);
  return { chat, bench, versions, gatherer: new Gatherer({ store, pictures }) };
}

/** The engine shared by the window and by clients of the local server, and that server, off until it is switched on. */
function createLocalServer(
  { storage, paths, emit, log }: StudioParts,
  engine: Engine,
  decoder: PictureDecoder,
) {
  const { settings } = storage.store;
  const shared = shareEngine(engine, guardEngine(engine, decoder), () => localServer.turned());
  const localServer = new LocalServerService({
    state: settings,
    ...{ engine, shared, decoder, log, folder: paths.requests },
    defaults: () => settings.get(),
    onStatus: (status) => emit('server.status', status),
  });
  return { shared, localServer };
}

/** Recipes write by the model that is open here, as a guest, or by a server that a person names. */
function createRecipe(
  { storage, paths, keychain, emit, clock, log }: StudioParts,
  made: { readonly engine: Engine; readonly shared: SharedEngine; readonly training: Training },
) {
  const { engine, shared, training } = made;
  return createRecipes({
    folder: paths.training,
    defaults: path.join(paths.resources, 'recipe'),
    keys: paths.writerKeys,
    ...{ keychain, clock, log },
    proxy: () => storage.store.settings.get().network.proxy,
    engine: {
      lend: (signal) => shared.lend(signal),
      contextLength: () => engine.status().model?.maxSequenceLength ?? null,
    },
    runtime: () => training.environment.runtime(),
    onChange: (view, removed) => emit('recipes.changed', { recipe: view, removed }),
  });
}

function createFit(
  { spawn, clock, log, paths, storage }: StudioParts,
  models: Pick<FitServiceOptions, 'modelsFolders' | 'away'>,
  engine: Engine,
): { readonly fit: FitService; readonly book: FitBook } {
  const book = new FitBook(path.join(path.dirname(paths.database), 'fit.json'));
  const fit = new FitService({
    ...{ spawn: spawn.engine, clock, log, ...models },
    book,
    settings: () => storage.store.settings.get(),
    engine: () => engine.status(),
  });
  return { fit, book };
}

function createDoctor(
  { spawn, clock, log, info, storage }: StudioParts,
  models: Pick<FitServiceOptions, 'modelsFolders' | 'away'>,
  {
    engine,
    training,
    book,
  }: { readonly engine: Engine; readonly training: Training; readonly book: FitBook },
): DoctorService {
  const settings = () => storage.store.settings.get();
  return new DoctorService({
    ...{ spawn: spawn.engine, clock, log, info, ...models, book },
    python: async () => (await training.environment.status()).python,
    settings,
    engine: () => engine.status(),
    chosenModel: () => resolveModelFolder(models.modelsFolders, settings().modelFolder),
  });
}

function createUpdates(
  { updates, storage, emit, clock, log }: StudioParts,
  chat: ChatService,
): UpdateService {
  return new UpdateService({
    ...updates,
    mayLook: () => storage.store.settings.get().lookForUpdates,
    busyWith: () => (chat.isWriting ? 'A reply is being written.' : null),
    onStatus: (status) => emit('updates.status', status),
    ...{ clock, log },
  });
}

/** Two models side by side: in the chat's engine the one that it has open, in a second one any other. */
function createComparison(
  { storage, spawn, paths, clock, log, emit }: StudioParts,
  made: {
    readonly engine: Engine;
    /** The engine as the window asks it. */
    readonly own: EngineClient;
    readonly decoder: PictureDecoder;
    readonly pictures: PictureStore;
    readonly chat: ChatService;
  },
): { readonly comparison: ComparisonService; readonly second: SecondEngine } {
  const { store } = storage;
  const { engine, own, decoder, pictures, chat } = made;
  const second = new SecondEngine({
    ...{ spawn: spawn.engine, spawnDrawing: spawn.drawing, clock, log },
  });
  const comparison = new ComparisonService({
    ...{ store, pictures, clock, log, emit, chat },
    engines: {
      async withModel(folder, signal) {
        if (engine.status().model?.folder === folder) return own;
        const { provider } = store.settings.get();
        return guardEngine(await second.open({ folder, provider }, signal), decoder);
      },
      async makeRoom() {
        if (engine.isResting) return () => undefined;
        await engine.rest('Another model has the memory while two are compared.');
        return () => engine.wake();
      },
      leave: () => second.leave(),
    },
    tally: openTallyBook(path.join(paths.training, 'comparisons.jsonl')),
  });
  return { comparison, second };
}

function foldersOfModels({
  embeddedModels,
  ownModels,
}: StudioParts['paths']): readonly ModelsFolder[] {
  return [
    { folder: embeddedModels, embedded: true },
    { folder: ownModels, embedded: false },
  ];
}

function createLibrary(
  { storage, paths, spawn, keychain, graphics, emit, clock, log }: StudioParts,
  modelsFolders: readonly ModelsFolder[],
  { engine, onChanged }: { readonly engine: Engine; readonly onChanged: () => void },
) {
  const { ownModels, fetched } = paths;
  const network = () => storage.store.settings.get().network;
  const onMoved = async (folders: readonly string[]): Promise<void> => {
    if (folders.includes(engine.status().model?.folder ?? '')) await engine.openChosen();
  };
  const about = {
    ownModels,
    fetched,
    modelsFolders,
    keychain,
    graphics,
    network,
    onMoved,
    onChanged,
  };
  const spawns = { spawn: spawn.conversion, spawnKeeper: spawn.keeper };
  return createModelLibrary({ ...about, ...spawns, emit, clock, log });
}

function createExchange(
  { storage, places, printPdf, info, paths, clock, emit, log }: StudioParts,
  pictures: PictureStore,
  decoder: PictureDecoder,
): ExchangeService {
  return new ExchangeService({
    store: storage.store,
    pictures,
    backups: storage.backups,
    checkPicture: (bytes, name) => decoder.check(bytes, name),
    places,
    printPdf,
    writtenBy: `TextBind Studio ${info.version}`,
    folder: path.dirname(paths.database),
    clock,
    emit,
    log,
  });
}
