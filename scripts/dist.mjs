// `npm run dist`: the unpacked app for this platform in dist/, started by double-click or from its
// folder. The app is staged first: what was built, and of node_modules only the native packages.
//   npm run dist -- --deb          a Debian package as well (Linux)
//   npm run dist -- --tar          a .tar.gz as well
//   npm run dist -- --release      bill of materials, sums and signatures over what was packed
//   npm run dist -- --installers   what electron-builder.yml names for this platform; downloads its tools
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildStale } from './build/build.mjs';
import { billOfMaterials, collectMaterials, withDependencies } from './build/materials.mjs';
import { externalPackages } from './build/targets.mjs';
import { buildDeb } from './pack/deb.mjs';
import { publicKeyOf, readSigningKey, writeRelease } from './pack/release.mjs';
import { buildTar } from './pack/tar.mjs';
import { installElectron, installedRuntime, linkNativeModules } from './setup/electron.mjs';
import { installPackages, pinnedNode } from './setup/npm-packages.mjs';
import { cacheDir, reportFailure, root, run, say, SetupError, step } from './setup/steps.mjs';
import { installSystemLibraries } from './setup/system-libraries.mjs';

const stage = path.join(cacheDir, 'dist', 'app');

/**
 * What ships, and the build that tests drive: the same but for one line of its manifest, by which it lets a WebDriver in.
 * @typedef {'shipped' | 'tests'} Variant
 */

/** @type {Record<Variant, string>} */
const outputs = { shipped: path.join(root, 'dist'), tests: path.join(cacheDir, 'dist', 'tests') };

/** @typedef {import('./setup/electron.mjs').Runtime} Runtime */

/** @param {string} folder @returns {Record<string, any>} */
const manifestOf = (folder) => JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));

/**
 * Makes a staged package's manifest true to what is staged: electron-builder follows it.
 * @param {string} name
 */
function trimManifest(name) {
  const folder = path.join(stage, 'node_modules', name);
  const manifest = manifestOf(folder);
  for (const key of ['dependencies', 'optionalDependencies']) {
    const kept = Object.entries(manifest[key] ?? {}).filter(([each]) =>
      [stage, folder].some((place) => existsSync(path.join(place, 'node_modules', each))),
    );
    manifest[key] = Object.fromEntries(kept);
  }
  for (const key of ['scripts', 'devDependencies', 'gypfile']) delete manifest[key];
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
}

/**
 * True for a file that the app needs on this platform: no sources, no other platforms' binaries.
 * @param {string} file absolute path in node_modules
 */
function isShipped(file) {
  const name = path.relative(path.join(root, 'node_modules'), file).replaceAll('\\', '/');
  if (/^better-sqlite3\/(deps|src)(\/|$)/.test(name)) return false;
  if (/\.(d\.ts|map|md|markdown)$/.test(name)) return false;
  const binary = /^onnxruntime-node\/bin\/napi-v\d+\/([^/]+)(?:\/([^/]+))?/.exec(name);
  if (binary === null) return true;
  const [, platform, architecture] = binary;
  return platform === process.platform && (architecture ?? process.arch) === process.arch;
}

/** Lays the app out in .cache/dist/app. @param {Runtime} runtime @param {Variant} variant */
function stageApp(runtime, variant) {
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  const built = [
    'main',
    'preload',
    'worker',
    'decoder',
    'codec',
    'keeper',
    'renderer',
    'cli',
    'licences',
  ];
  for (const folder of built) {
    const from = path.join(root, 'out', folder);
    if (existsSync(from)) cpSync(from, path.join(stage, 'out', folder), { recursive: true });
  }
  const packages = withDependencies(externalPackages);
  // One in another's folder is copied with that.
  const names = packages.filter((name) => !name.includes('/node_modules/'));
  for (const name of names) {
    cpSync(path.join(root, 'node_modules', name), path.join(stage, 'node_modules', name), {
      recursive: true,
      filter: isShipped,
    });
  }
  const extra = runtime.kind === 'fallback' ? stageFallbackModules() : [];
  const { name, version, description, license, type, main } = manifestOf(root);
  const dependencies = Object.fromEntries(
    [...new Set([...names, ...extra])].map((each) => [
      each,
      String(manifestOf(path.join(stage, 'node_modules', each))['version']),
    ]),
  );
  for (const each of [...packages, ...extra]) trimManifest(each);
  const author = 'The TextBind Studio authors';
  const manifest = {
    name,
    productName: 'TextBind Studio',
    version,
    description,
    author,
    license,
    type,
    main,
    dependencies,
    // src/main/remote-debugging.ts reads it.
    ...(variant === 'tests' ? { allowsRemoteDebugging: true } : {}),
    // src/main/updates/source.ts reads it.
    ...updateSource(),
  };
  writeFileSync(path.join(stage, 'package.json'), JSON.stringify(manifest, null, 2));
}

/** Where the build looks for newer ones, if whoever makes it says so, and whose signature it takes. */
function updateSource() {
  const address = process.env['TEXTBIND_UPDATE_ADDRESS'] ?? '';
  const key = readSigningKey(process.env['TEXTBIND_SIGNING_KEY']);
  if (address === '') return {};
  if (key === undefined)
    throw new SetupError(
      'an update server without a key would be believed by nobody',
      'Set TEXTBIND_SIGNING_KEY to the file of the Ed25519 key (scripts/DESIGN.md).',
    );
  return { updates: { address, publicKey: publicKeyOf(key) } };
}

/** The fallback runtime takes the better-sqlite3 that was built for it. */
function stageFallbackModules() {
  const from = path.join(root, 'out', 'node_modules');
  const names = readdirSync(from).filter((name) => !name.startsWith('.'));
  for (const name of names) {
    const target = path.join(stage, 'node_modules', name);
    rmSync(target, { recursive: true, force: true });
    cpSync(path.join(from, name), target, { recursive: true });
  }
  return names;
}

/** The packaged program. @param {string} output */
function packagedBinary(output) {
  if (process.platform === 'darwin') {
    const folder = process.arch === 'arm64' ? 'mac-arm64' : 'mac';
    return path.join(output, folder, 'TextBind Studio.app/Contents/MacOS/TextBind Studio');
  }
  if (process.platform === 'win32') return path.join(output, 'win-unpacked/TextBind Studio.exe');
  const folder = process.arch === 'arm64' ? 'linux-arm64-unpacked' : 'linux-unpacked';
  return path.join(output, folder, 'textbind-studio');
}

/** @param {string} folder @returns {string[]} "path size time" of the files below, sorted */
function listing(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('__pycache__'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
    .map((file) => `${file} ${statSync(file).size} ${statSync(file).mtimeMs}`);
}

/** Of all that goes into the package. @param {Runtime} runtime */
function fingerprint(runtime) {
  const hash = createHash('sha256').update(`${runtime.kind} ${runtime.version}`);
  hash.update(JSON.stringify(updateSource()));
  for (const file of [
    'out/stamps.json',
    'package.json',
    'electron-builder.yml',
    'scripts/dist.mjs',
  ])
    hash.update(readFileSync(path.join(root, file)));
  for (const folder of ['models', 'resources'])
    hash.update(listing(path.join(root, folder)).join('\n'));
  return hash.digest('hex');
}

/**
 * Packs the built app if anything changed.
 * @param {Variant} [variant]
 * @returns {Promise<string>} the packaged program
 */
export async function packApp(variant = 'shipped') {
  const runtime = installedRuntime();
  if (runtime === undefined) throw new SetupError('there is no Electron', 'Run: npm start');
  const output = outputs[variant];
  const stampPath = path.join(output, '.stamp');
  const binary = packagedBinary(output);
  const stamp = fingerprint(runtime);
  const fresh = existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp;
  if (fresh && existsSync(binary)) return binary;
  rmSync(stampPath, { force: true });
  const purpose = variant === 'tests' ? ' for tests' : '';
  say(`dist: packing${purpose} with the ${runtime.kind} Electron ${runtime.version}`);
  stageApp(runtime, variant);
  await runBuilder(runtime, output, ['--dir']);
  if (!existsSync(binary)) throw new SetupError(`there is no ${binary}`, 'Read the output above.');
  // Only `electron FOLDER` uses it; the packaged app is in app.asar.
  rmSync(path.join(path.dirname(binary), 'resources', 'default_app.asar'), { force: true });
  writeFileSync(stampPath, stamp);
  return binary;
}

/**
 * Runs electron-builder over the staged app.
 * @param {Runtime} runtime @param {string} output @param {string[]} args
 */
async function runBuilder(runtime, output, args) {
  const { code, tail } = await run(
    pinnedNode(),
    [
      path.join(root, 'node_modules/electron-builder/cli.js'),
      ...args,
      '--publish=never',
      `-c.directories.output=${output}`,
      `-c.electronDist=${runtime.dist}`,
      `-c.electronVersion=${runtime.version}`,
    ],
    { quiet: true },
  );
  if (code === 0) return;
  throw new SetupError(
    `electron-builder ended with code ${code}:\n${tail.split('\n').slice(-12).join('\n')}`,
    'Read its message above; the staged app is in .cache/dist/app.',
  );
}

/** The Debian package of what ships. @returns {Promise<string>} its path */
export async function packDeb() {
  const unpacked = path.dirname(await packApp());
  return buildDeb({ unpacked, output: outputs.shipped, version: manifestOf(root)['version'] });
}

async function packTar() {
  const unpacked = path.dirname(await packApp());
  return buildTar({ unpacked, output: outputs.shipped, version: manifestOf(root)['version'] });
}

async function packInstallers() {
  const runtime = installedRuntime();
  if (runtime === undefined) throw new SetupError('there is no Electron', 'Run: npm start');
  stageApp(runtime, 'shipped');
  await runBuilder(runtime, outputs.shipped, []);
  return outputs.shipped;
}

/** Bill of materials, sums, and what an update server needs; signed with the key that TEXTBIND_SIGNING_KEY names. */
async function writeReleaseFiles() {
  const output = outputs.shipped;
  const version = String(manifestOf(root)['version']);
  const madeAt = new Date().toISOString();
  const electron = installedRuntime()?.version ?? '';
  const bill = path.join(output, `textbind-studio-${version}.cdx.json`);
  const materials = collectMaterials(externalPackages);
  const text = JSON.stringify(billOfMaterials({ materials, version, electron, madeAt }), null, 2);
  writeFileSync(bill, `${text}\n`);
  /** @type {Readonly<Record<string, string>>} */
  const kinds = { '.deb': 'deb', '.AppImage': 'AppImage', '.exe': 'exe', '.zip': 'zip' };
  const wanted = /\.(deb|AppImage|rpm|exe|zip|dmg|tar\.gz|cdx\.json)$/;
  const packages = readdirSync(output)
    .filter((name) => wanted.test(name) && name.includes(version))
    .map((name) => ({
      file: path.join(output, name),
      kind: kinds[path.extname(name)] ?? null,
    }));
  const key = readSigningKey(process.env['TEXTBIND_SIGNING_KEY']);
  const written = writeRelease({ output, packages, version, releasedAt: madeAt, key });
  const names = written.map((file) => path.basename(file)).join(', ');
  return key === undefined ? `${names} (not signed)` : names;
}

/** What may be asked for beside the unpacked app. @type {Readonly<Record<string, () => Promise<string>>>} */
const packages = {
  '--deb': packDeb,
  '--tar': packTar,
  '--installers': packInstallers,
  '--release': writeReleaseFiles,
};

async function main() {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => !(name in packages));
  if (unknown.length > 0)
    throw new SetupError(`no ${unknown.join(', ')}`, `Known: ${Object.keys(packages).join(', ')}.`);
  await step('npm packages', installPackages);
  await step('system libraries', () => installSystemLibraries({ screen: false, driver: false }));
  await step('Electron', async () => {
    const { runtime, done } = await installElectron();
    linkNativeModules(runtime);
    return done;
  });
  await step('build', buildStale);
  await step('dist', async () => `${path.relative(root, await packApp())} is up to date`);
  for (const name of asked)
    await step(name.slice(2), async () => path.relative(root, (await packages[name]?.()) ?? ''));
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await main().catch(reportFailure);
}
