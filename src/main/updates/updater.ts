import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { ProviderRuntimeOptions } from 'electron-updater/out/providers/Provider.js';
import type {
  AppUpdater,
  Provider as ReleaseProvider,
  ResolvedUpdateFileInfo,
  UpdateInfo,
} from 'electron-updater';
import { StudioError } from '../../shared/errors.ts';
import type { Logger } from '../../base/log.ts';
import { fetchFile, fetchText, sha512Of } from './fetch.ts';
import { readRelease, releaseName, type Release } from './release.ts';
import type { UpdateSource } from './source.ts';

/** A newer version that the server has. */
export interface NewerVersion {
  readonly version: string;
  readonly bytes: number;
}

/** Finds, fetches and installs a newer version; knows nothing of when that may be done. */
export interface Updater {
  /** Null where there is none. @throws {StudioError} what came is not signed, or not for this machine */
  look(signal: AbortSignal): Promise<NewerVersion | null>;
  /** Fetches what was found. Going on where a broken connection ended it. */
  download(signal: AbortSignal, onBytes: (received: number) => void): Promise<void>;
  /**
   * Installs what was fetched, once more compared with what was signed.
   * @returns true where the app must be started anew after it; false where the installer does that
   */
  install(): Promise<boolean>;
}

export interface UpdaterOptions {
  readonly source: UpdateSource;
  /** This app's version. */
  readonly version: string;
  /** Where downloads lie. */
  readonly folder: string;
  readonly log: Logger;
  readonly quit: () => void;
  /** Installs a Debian package; a test puts its own in its place. */
  readonly installDeb?: (file: string) => Promise<void>;
}

/** Electron-updater keeps a number of this machine for staged roll-outs, of which we have none: everybody has this one. */
const nobody = '00000000-0000-5000-8000-000000000000';

/**
 * electron-updater with our ends: where a release comes from (signed metadata), how it comes (Node's sockets, going on
 * after a break), and how a Debian package is installed. What it decides is which version is newer, and how an
 * AppImage, a Windows installer and a macOS archive are put in place.
 */
export async function createUpdater(options: UpdaterOptions): Promise<Updater> {
  const { source, folder, installDeb = installWithPolkit } = options;
  const { updater, Provider } = await openElectronUpdater(options);
  const asked: Asked = {
    signal: new AbortController().signal,
    onBytes: () => undefined,
    release: null,
  };
  let fetched: string | null = null;
  // Protected there, and null for an app adapter of one's own.
  Reflect.set(updater, 'httpExecutor', createExecutor(folder, asked));
  const updateProvider = signedReleases(Provider, source, asked);
  updater.setFeedURL({ provider: 'custom', updateProvider });

  return {
    async look(signal) {
      asked.signal = signal;
      const result = await updater.checkForUpdates();
      const { release } = asked;
      if (result?.isUpdateAvailable !== true || release === null) return null;
      return { version: release.version, bytes: release.file.bytes };
    },
    async download(signal, onBytes) {
      Object.assign(asked, { signal, onBytes } satisfies Partial<Asked>);
      const [file] = await updater.downloadUpdate();
      fetched = file ?? null;
    },
    async install() {
      const wanted = asked.release?.file.sha512;
      if (fetched === null || !existsSync(fetched) || (await sha512Of(fetched)) !== wanted)
        throw new StudioError(
          'not-found',
          'The downloaded update is not there any more. Look again.',
        );
      if (source.target.kind !== 'deb') {
        updater.quitAndInstall(true, true);
        return false;
      }
      await installDeb(fetched);
      return true;
    },
  };
}

/** Who asks now, and what the last question found. */
interface Asked {
  signal: AbortSignal;
  onBytes: (received: number) => void;
  release: Release | null;
}

/** Every byte that electron-updater asks for comes through here, and it asks for the package alone. */
function createExecutor(folder: string, asked: Asked) {
  return {
    async download(address: URL, destination: string): Promise<string> {
      if (asked.release === null) throw new StudioError('internal', 'Nothing was looked for.');
      const { bytes, sha512, name } = asked.release.file;
      const file = path.join(folder, 'partial', name);
      await fetchFile({ address, bytes, sha512, file }, asked.signal, asked.onBytes);
      renameSync(file, destination);
      return destination;
    },
  };
}

/** Where a release comes from: metadata that are signed. What it finds is noted in `asked`. */
function signedReleases(
  Provider: typeof ReleaseProvider,
  { address: server, target, publicKey }: UpdateSource,
  asked: Asked,
) {
  return class SignedReleases extends Provider<UpdateInfo> {
    constructor(_options: unknown, _updater: unknown, runtime: ProviderRuntimeOptions) {
      super(runtime);
    }

    async getLatestVersion(): Promise<UpdateInfo> {
      const address = new URL(releaseName(target), server);
      const text = await fetchText(address, asked.signal);
      const signature = await fetchText(new URL(`${address.href}.sig`), asked.signal);
      asked.release = readRelease(text, signature, publicKey, target);
      const { file, version, releasedAt: releaseDate } = asked.release;
      const { name: url, sha512, bytes: size } = file;
      return { version, releaseDate, path: url, sha512, files: [{ url, sha512, size }] };
    }

    resolveFiles({ files }: UpdateInfo): ResolvedUpdateFileInfo[] {
      return files.map((info) => ({ url: new URL(info.url, server), info }));
    }
  };
}

/** Loads it when the first person asks for an update, and tells it to do nothing by itself. */
async function openElectronUpdater(options: UpdaterOptions): Promise<{
  updater: AppUpdater;
  Provider: typeof ReleaseProvider;
}> {
  const { source, folder, version, log, quit } = options;
  const { default: loaded } = await import('electron-updater');
  const { AppImageUpdater, DebUpdater, MacUpdater, NsisUpdater, Provider } = loaded;
  const appUpdateConfigPath = path.join(folder, 'app-update.yml');
  mkdirSync(folder, { recursive: true });
  // YAML holds JSON.
  writeFileSync(appUpdateConfigPath, JSON.stringify({ updaterCacheDirName: 'downloads' }));
  writeFileSync(path.join(folder, '.updaterId'), nobody);
  const kinds = { deb: DebUpdater, AppImage: AppImageUpdater, exe: NsisUpdater, zip: MacUpdater };
  const updater: AppUpdater = new kinds[source.target.kind](undefined, {
    version,
    name: 'textbind-studio',
    isPackaged: true,
    appUpdateConfigPath,
    userDataPath: folder,
    baseCachePath: folder,
    whenReady: () => Promise.resolve(),
    relaunch: () => undefined,
    quit,
    onQuit: () => undefined,
  });
  updater.autoDownload = false;
  updater.autoInstallOnAppQuit = false;
  updater.allowDowngrade = false;
  updater.disableDifferentialDownload = true;
  updater.logger = {
    info: (line: string) => log.info('updater', { line }),
    warn: (line: string) => log.warn('updater', { line }),
    error: (line: string) => log.error('updater', { line }),
  };
  return { updater, Provider };
}

/** The system's own dialog asks for the password; main goes on answering while it stands open. */
async function installWithPolkit(file: string): Promise<void> {
  try {
    await promisify(execFile)('/usr/bin/pkexec', ['/usr/bin/dpkg', '--install', file]);
  } catch (error) {
    // 126: the dialog was dismissed; 127: the person may not (pkexec(1)).
    const code: unknown = Reflect.get(Object(error), 'code');
    const why =
      code === 126
        ? 'You did not give leave.'
        : code === 'ENOENT'
          ? 'There is no pkexec here.'
          : 'The system refused it.';
    throw new StudioError(
      'unsupported',
      `The update was not installed. ${why} By hand: sudo dpkg --install '${file}'`,
      { cause: error },
    );
  }
}
