// npm packages: installed when package-lock.json and what lies in node_modules differ.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { outputOf, root, run, say, SetupError } from './steps.mjs';

const stampPath = path.join(root, 'node_modules', '.textbind-setup');

/** @typedef {{ packages: Record<string, { version?: string, optional?: boolean, link?: boolean }> }} Lock */

/**
 * Names of locked packages that are missing or of another version, by npm's own record of what it
 * installed. Optional packages are left to npm: most are for other platforms.
 * @param {Lock} wanted package-lock.json
 * @param {Lock | undefined} installed node_modules/.package-lock.json
 */
export function differences(wanted, installed) {
  if (installed === undefined) return ['node_modules'];
  return Object.entries(wanted.packages)
    .filter(([name, entry]) => name !== '' && entry.optional !== true && entry.link !== true)
    .filter(([name, entry]) => installed.packages[name]?.version !== entry.version)
    .map(([name]) => name);
}

/** @param {string} file @returns {Lock | undefined} */
function readLock(file) {
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Runs `npm ci` if needed. */
export async function installPackages() {
  const lockText = readFileSync(path.join(root, 'package-lock.json'), 'utf8');
  const hash = createHash('sha256').update(lockText).digest('hex');
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === hash) return undefined;
  const wanting = differences(
    JSON.parse(lockText),
    readLock(path.join(root, 'node_modules', '.package-lock.json')),
  );
  if (wanting.length === 0) {
    writeFileSync(stampPath, hash);
    return 'already as package-lock.json says';
  }
  say(`npm packages: running npm ci (to install or replace: ${describe(wanting)})`);
  const total = Object.keys(JSON.parse(lockText).packages).length - 1;
  await npm(['ci', ...(knowsAllowScripts() ? [] : ['--ignore-scripts'])], total);
  if (!existsSync(path.join(root, 'node_modules', 'node', 'bin'))) {
    await npm(['rebuild', 'node'], total);
  }
  writeFileSync(stampPath, hash);
  return 'installed';
}

const npmProgram = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/**
 * True where npm runs only the install scripts that package.json's allowScripts names (npm 11). An older
 * one would run them all, some of which download from places that may not be reachable; of them we need
 * only that of the package "node".
 */
function knowsAllowScripts() {
  return Number(outputOf(npmProgram, ['--version']).split('.')[0]) >= 11;
}

/** @param {string[]} args @param {number} total packages in the lock file */
async function npm(args, total) {
  const flags = ['--no-audit', '--no-fund', '--loglevel=error'];
  const { code, tail } = await run(npmProgram, [...args, ...flags], {
    progress: () => `${countInstalled()} of about ${total} packages in place`,
    // onnxruntime-node's install script downloads the CUDA provider, which fails offline; the app
    // says where CUDA is missing and what to do about it.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  });
  if (code === 0) return;
  throw new SetupError(
    `npm ${args.join(' ')} ended with code ${code}: ${tail.split('\n').slice(-3).join(' | ')}`,
    'Check that the npm registry can be reached (npm ping), then run the same command again.',
  );
}

/** Packages that lie in node_modules so far, nested ones not counted. */
function countInstalled() {
  const folder = path.join(root, 'node_modules');
  if (!existsSync(folder)) return 0;
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => (name.startsWith('@') ? readdirSync(path.join(folder, name)) : [name]))
    .length;
}

/** @param {string[]} names */
function describe(names) {
  const shown = names.slice(0, 3).map((name) => name.replace(/^node_modules\//, ''));
  return names.length > 3 ? `${shown.join(', ')} and ${names.length - 3} more` : shown.join(', ');
}

/** The Node 24 that node_modules carries, or this one where that is missing. */
export function pinnedNode() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const candidates = [
    path.join(root, 'node_modules', 'node', 'bin', name),
    path.join(root, 'node_modules', '.bin', name),
  ];
  return candidates.find((candidate) => existsSync(candidate)) ?? process.execPath;
}
