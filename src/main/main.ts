import path from 'node:path';
import type { BrowserWindow } from 'electron';
import {
  app,
  clipboard,
  ipcMain,
  Notification,
  protocol,
  safeStorage,
  session,
  shell,
} from 'electron';
import { openLog, silentLogger, type Logger } from '../base/log.ts';
import { appProtocols } from '../shared/contracts/app-channels.ts';
import { cudaEnvironment } from '../shared/cuda.ts';
import { isStudioError, StudioError, toWireError } from '../shared/errors.ts';
import { describeApp, readLicences } from './app-info.ts';
import { systemClock } from '../base/clock.ts';
import { makeSubstituteFolder, prepareDataFolder } from './data-folder.ts';
import { longMigrationAhead } from './database/long-migration.ts';
import type { StartFailure } from './database/start-failure.ts';
import { startStorage, type OpenedStorage } from './database/storage.ts';
import { runDemo } from './demo/demo.ts';
import { createEmit } from './ipc/events.ts';
import { cardsOf } from './graphics-cards.ts';
import { createHandlers } from './ipc/index.ts';
import { setupRequests } from './ipc/router.ts';
import { createJobNotices } from './job-notices.ts';
import { setupMenu } from './menu.ts';
import type { LanguageStart } from '../shared/texts/language.ts';
import { createVoice } from '../shared/texts/voice.ts';
import { setupOffline } from './offline.ts';
import { createOpener, linkScheme, readLink, readOpening } from './opening.ts';
import { readOptions } from './options.ts';
import { dropOldDrafts } from './old-drafts.ts';
import { layOutPaths } from './paths.ts';
import { createPlaces } from './places.ts';
import { printPdf } from './print-pdf.ts';
import type { Spawn } from './processes/child.ts';
import { createCopyInspector } from './processes/copy-inspector.ts';
import { createUtilitySpawn, wasEndedByUs } from './processes/utility-spawn.ts';
import { createPageHandler, pageAddress, problemAddress } from './protocols/page.ts';
import { createPictureHandler, type PictureSource } from './protocols/picture.ts';
import { actionOfAddress } from './protocols/problem-page.ts';
import { refuseRemoteDebugging } from './remote-debugging.ts';
import { SavedFiles } from './saved-files.ts';
import { createSenderCheck, setupNavigationGuard, setupPermissions } from './security.ts';
import {
  createMigrationPage,
  createPlainProblem,
  createStartProblem,
  type StartProblem,
} from './start-problem.ts';
import { createStudio, type Studio, type StudioParts } from './studio.ts';
import { createWindow } from './window.ts';
import { readUpdateSource } from './updates/source.ts';
import { createUpdater } from './updates/updater.ts';

// Conversations are nobody else's: what this process and its children make is for its owner alone.
process.umask(0o077);
const options = readOptions(process.argv, process.cwd());
const opener = createOpener();
opener.take(readOpening(process.argv, process.cwd()));
// Before the lock: it lies in the data folder, one app a folder.
const dataFolder = prepareDataFolder(options.userDataFolder ?? app.getPath('userData'));
app.setPath('userData', dataFolder.fault === null ? dataFolder.folder : makeSubstituteFolder());
// Before the app is ready, or never.
setupOffline(app, (scheme) => mainLog?.warn('request denied', { scheme }));
protocol.registerSchemesAsPrivileged([
  {
    scheme: appProtocols.page,
    privileges: { standard: true, secure: true, supportFetchAPI: true },
  },
  {
    scheme: appProtocols.picture,
    privileges: { standard: true, secure: true, corsEnabled: true },
  },
]);

const isInstalled = import.meta.dirname.startsWith(process.resourcesPath + path.sep);
if (isInstalled) refuseRemoteDebugging(app.commandLine, path.join(import.meta.dirname, '../..'));

const paths = layOutPaths({
  userData: app.getPath('userData'),
  mainFolder: import.meta.dirname,
  installedResources: isInstalled ? process.resourcesPath : null,
  modelsFolder: options.modelsFolder,
});

// Elsewhere the desktop is told by what installs the app; macOS hands links and files over by events, some before ready.
if (isInstalled && process.platform === 'win32') app.setAsDefaultProtocolClient(linkScheme);
app.on('open-url', (event, link) => {
  event.preventDefault();
  opener.take(readLink(link));
});
app.on('open-file', (event, file) => {
  event.preventDefault();
  opener.take(readOpening(['', file], process.cwd()));
});

let mainLog: Logger | null = null;
let window: BrowserWindow | null = null;
let studio: Studio | null = null;
let problem: StartProblem | null = null;
let exitCode = 0;
let closing = false;

/** Before the database is open, and once it is closed, the desktop's language alone is known. */
function languageStart(): LanguageStart {
  const preferred = app.getPreferredSystemLanguages();
  try {
    return { chosen: studio?.services.store.settings.get().language ?? 'system', preferred };
  } catch {
    return { chosen: 'system', preferred };
  }
}
const voice = createVoice(languageStart);

if (dataFolder.fault !== null) {
  void refuseToStart(dataFolder.fault);
} else if (app.requestSingleInstanceLock()) {
  void app.whenReady().then(boot);
} else {
  process.stderr.write('TextBind Studio is open already with this data folder.\n');
  app.exit(options.demo === null ? 0 : 1);
}

/** A window that says why there is nothing to open, for who started the app by double-click; the same on stderr. */
async function refuseToStart(fault: string): Promise<void> {
  exitCode = 1;
  process.stderr.write(`${fault}\n`);
  problem = createPlainProblem(fault, voice);
  await app.whenReady();
  setupNavigationGuard(silentLogger);
  setupPermissions(session.defaultSession);
  setupQuit(silentLogger);
  setupProtocols();
  await openWindow(silentLogger);
  if (options.demo !== null) app.quit();
}

async function boot(): Promise<void> {
  const log = openLog(paths.mainLog);
  mainLog = log;
  log.info('start', { electron: process.versions['electron'], platform: process.platform });
  setupFaultLog(log);
  setupNavigationGuard(log);
  setupPermissions(session.defaultSession);
  setupMenu(voice.texts());
  setupQuit(log);
  setupProtocols();
  await sayThatItTakesLong(log);
  const start = startStorage({
    places: paths,
    version: describeApp(paths).version,
    log,
    inspectCopy: createCopyInspector({ spawn: createKeeperSpawn(), clock: systemClock, log }),
  });
  problem = null;
  if (start.kind === 'open') {
    dropOldDrafts(app.getPath('userData'), start.storage.store.settings);
    setupStudio(start.storage, log);
  } else setupProblem(start.failure, log);
  await studio?.prepare();
  await openWindow(log);
  if (studio !== null) setupOpener(studio, log);
  // After the window: on a small machine they would fight for the processor.
  await studio?.startEngine();
  if (options.demo !== null) await startDemo(options.demo.out, log);
}

/**
 * Main can do nothing else while a large database is brought into another form: what is happening is said before, in a
 * window that then has its page.
 */
async function sayThatItTakesLong(log: Logger): Promise<void> {
  const bytes = longMigrationAhead(paths.database);
  if (bytes === null || options.demo !== null) return;
  log.info('long migration ahead', { bytes });
  problem = createMigrationPage(bytes, voice);
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  // Whatever becomes of the page, the app starts.
  const shown = openWindow(log).catch((error: unknown) =>
    log.error('migration page not shown', { reason: String(error) }),
  );
  await Promise.race([shown, wait(10_000)]);
  // Until it was drawn: a window that has never been shown says when it can be, not when it was.
  await wait(500);
}

function createUpdates(log: Logger): StudioParts['updates'] {
  const source = readUpdateSource({
    appFolder: path.join(import.meta.dirname, '../..'),
    resources: isInstalled ? process.resourcesPath : null,
    appImage: process.env['APPIMAGE'],
  });
  const { version } = describeApp(paths);
  const quit = (): void => app.quit();
  const folder = path.join(app.getPath('userData'), 'updates');
  return {
    updater:
      typeof source === 'string'
        ? source
        : () => createUpdater({ source, version, folder, log, quit }),
    restart() {
      app.relaunch();
      app.quit();
    },
  };
}

function createKeeperSpawn(): Spawn {
  const { keeper: entry, workerLog: logFile } = paths;
  // A thread for each place that is asked for: those on a dead drive keep theirs.
  const env = { UV_THREADPOOL_SIZE: '64' };
  return createUtilitySpawn({ entry, name: 'TextBind Studio copies', logFile, env });
}

function createSpawns(): StudioParts['spawn'] {
  const { worker, decoder, workerLog: logFile, drawingLog, conversionLog } = paths;
  const env = {
    [cudaEnvironment.parts]: paths.fetched.parts,
    [cudaEnvironment.python]: path.join(paths.training, 'environment', 'python'),
  };
  return {
    engine: createUtilitySpawn({ entry: worker, name: 'TextBind Studio engine', logFile, env }),
    drawing: createUtilitySpawn({
      entry: worker,
      name: 'TextBind Studio drawing',
      logFile: drawingLog,
      env,
    }),
    conversion: createUtilitySpawn({
      entry: worker,
      name: 'TextBind Studio models',
      logFile: conversionLog,
      env,
    }),
    decoder: createUtilitySpawn({ entry: decoder, name: 'TextBind Studio pictures', logFile }),
    keeper: createKeeperSpawn(),
  };
}

function setupStudio(storage: OpenedStorage, log: Logger): void {
  const tellDesktop = createJobNotices({
    clock: systemClock,
    isInSight: () => window?.isFocused() === true && window.isVisible() && !window.isMinimized(),
    notify: showDesktopNotice,
    voice,
  });
  const emit = createEmit((...message) => {
    const [, name, body] = message;
    tellDesktop(name, body);
    if (name === 'settings.changed') setupMenu(voice.texts());
    if (window !== null && !window.isDestroyed()) window.webContents.send(...message);
  }, log);
  studio = createStudio({
    storage,
    paths,
    log,
    emit,
    clock: systemClock,
    spawn: createSpawns(),
    keychain: () => safeStorage,
    graphics: async () => cardsOf(await app.getGPUInfo('basic')),
    places: createPlaces(
      () => window,
      options.saveFolder,
      new SavedFiles(storage.store.settings),
      voice,
    ),
    updates: createUpdates(log),
    printPdf,
    info: describeApp(paths),
    licences: () => readLicences(paths),
  });
  const handlers = createHandlers(studio.services);
  const isOurs = createSenderCheck(() => window);
  setupRequests({ channel: ipcMain, handlers, isOurs, log });
  setupMenu(voice.texts());
}

/** On the desktop; pressed, it leads to the window. */
function showDesktopNotice(title: string, body: string): void {
  if (!Notification.isSupported()) return;
  const notice = new Notification({ title, body, icon: paths.icon });
  notice.on('click', () => {
    window?.show();
    window?.focus();
  });
  notice.show();
}

/** The window has the problem page, which answers no request: its links are caught where they would lead away. */
function setupProblem(failure: StartFailure, log: Logger): void {
  exitCode = 1;
  if (options.demo !== null) {
    process.stderr.write(`${[failure.title, ...failure.sentences].join(' ')}\n`);
  }
  problem = createStartProblem({
    failure,
    storage: { places: paths, version: describeApp(paths).version, log },
    show: async () => window?.loadURL(problemAddress),
    async openFolder() {
      const fault = await shell.openPath(paths.data);
      if (fault !== '') throw new StudioError('unsupported', `${paths.data}: ${fault}`);
    },
    copy: (text) => clipboard.writeText(text),
    voice,
    async solved(storage) {
      problem = null;
      exitCode = 0;
      setupStudio(storage, log);
      await studio?.prepare();
      await window?.loadURL(pageAddress);
      studio?.announce();
      if (studio !== null) setupOpener(studio, log);
      await studio?.startEngine();
    },
  });
}

function setupOpener({ services }: Studio, log: Logger): void {
  const { emit, store, exchange } = services;
  opener.ready({
    show: (place) => emit('app.open', place),
    isConversation: (id) => store.conversations.summary(id) !== null,
    openArchive(file) {
      exchange.offerFile(file).then(
        (offer) => emit('exchange.offered', offer),
        (error: unknown) => emit('app.problem', { error: toWireError(error) }),
      );
    },
    say: (message) => emit('app.notice', { message }),
    log,
  });
}

function sourceOfPictures(): PictureSource | null {
  if (studio === null) return null;
  const { store, pictures, thumbnails } = studio.services;
  return {
    fileOf: (hash) => pictures.fileOf(hash),
    mediaType: (hash) => store.pictures.mediaType(hash),
    thumbnail: (hash) => thumbnails.read(hash),
  };
}

function setupProtocols(): void {
  protocol.handle(
    appProtocols.page,
    createPageHandler(paths.page, () => problem?.page() ?? null, voice),
  );
  const serve = createPictureHandler({
    fileOf: (hash) => sourceOfPictures()?.fileOf(hash) ?? '',
    mediaType: (hash) => sourceOfPictures()?.mediaType(hash) ?? null,
    thumbnail: async (hash) => (await sourceOfPictures()?.thumbnail(hash)) ?? null,
  });
  protocol.handle(appProtocols.picture, serve);
}

async function openWindow(log: Logger): Promise<void> {
  if (window !== null) {
    // The one that said what was going on.
    await window.loadURL(problem === null ? pageAddress : problemAddress);
    studio?.announce();
    return;
  }
  const settings = studio?.services.store.settings ?? null;
  window = createWindow({
    preload: paths.preload,
    icon: paths.icon,
    settings,
    log,
    language: languageStart(),
  });
  window.on('closed', () => {
    window = null;
  });
  // The guard denies it at this event already, and then no other comes.
  window.webContents.on('will-frame-navigate', ({ url, isMainFrame }) => {
    // While there is a problem its page is the only one, and where there is none nothing is done.
    const action = problem === null || !isMainFrame ? null : actionOfAddress(url);
    // Later: the page cannot be loaded again while its own way out is being denied.
    if (action !== null) setImmediate(() => void problem?.act(action));
  });
  await window.loadURL(problem === null ? pageAddress : problemAddress);
  studio?.announce();
  log.info('window open', { ms: Math.round(performance.now()) });
}

async function startDemo(out: string, log: Logger): Promise<void> {
  if (studio !== null && window !== null) {
    const picture = path.join(paths.resources, 'demo', 'scene.png');
    exitCode = await runDemo({ window, services: studio.services, out, picture, log });
  }
  app.quit();
}

function setupQuit(log: Logger): void {
  app.on('second-instance', (_event, args, workingFolder) => {
    if (window?.isMinimized() === true) window.restore();
    window?.focus();
    opener.take(readOpening(args, workingFolder));
  });
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  app.on('activate', () => {
    if (window === null && !closing) void openWindow(log);
  });
  app.on('before-quit', (event) => {
    event.preventDefault();
    void close(log);
  });
}

async function close(log: Logger): Promise<void> {
  if (closing) return;
  closing = true;
  // Its place is kept while the database is open.
  if (window !== null && !window.isDestroyed()) window.close();
  try {
    await studio?.close();
  } catch (error) {
    log.error('close failed', { reason: toWireError(error).detail });
    exitCode = exitCode === 0 ? 1 : exitCode;
  }
  log.info('end', { exitCode });
  app.exit(exitCode);
}

/** What nobody caught is written down, and the app goes on: conversations are stored at each step. */
function setupFaultLog(log: Logger): void {
  const note = (what: string) => (error: unknown) => {
    log.error(what, {
      kind: isStudioError(error) ? error.kind : 'internal',
      detail: toWireError(error).detail,
    });
  };
  process.on('uncaughtException', note('uncaught exception'));
  process.on('unhandledRejection', note('unhandled rejection'));
  app.on('child-process-gone', (_event, gone) => {
    // What died otherwise than by us is a crash, which the doctor counts.
    log[wasEndedByUs(gone) ? 'info' : 'warn']('child process gone', { ...gone });
  });
}
