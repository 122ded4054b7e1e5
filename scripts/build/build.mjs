// Builds main, preload, worker, renderer and cli into out/, each only when its sources changed.
// Called directly: `node scripts/build/build.mjs [--force] [NAME...]`, on the pinned Node.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { pinnedNode } from '../setup/npm-packages.mjs';
import { root, run, SetupError } from '../setup/steps.mjs';
import { writeLicences } from './materials.mjs';
import { externalPackages, targets } from './targets.mjs';

const stampsPath = path.join(root, 'out', 'stamps.json');

/**
 * A fingerprint of a target's sources: names, sizes and times, the lock file and the build's own code.
 * @param {import('./targets.mjs').Target} target
 */
function fingerprint(target) {
  const hash = createHash('sha256');
  const files = ['package-lock.json', 'scripts/build/targets.mjs', ...target.sources.flatMap(walk)];
  for (const file of files) {
    const { size, mtimeMs } = statSync(path.join(root, file));
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** @param {string} folder @returns {string[]} files below it, relative to the root, sorted */
function walk(folder) {
  return readdirSync(path.join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return walk(name);
      return entry.name.endsWith('.md') ? [] : [name];
    });
}

/** @returns {Record<string, string>} */
function readStamps() {
  return existsSync(stampsPath) ? JSON.parse(readFileSync(stampsPath, 'utf8')) : {};
}

/** Names of the targets that are not built, or whose sources changed since. */
export function staleTargets() {
  const stamps = readStamps();
  return targets()
    .filter(
      (target) =>
        !existsSync(path.join(root, target.output)) || stamps[target.name] !== fingerprint(target),
    )
    .map((target) => target.name);
}

/**
 * Builds what is stale, in a process on the pinned Node (the caller may be an older one).
 * @returns {Promise<string | undefined>}
 */
export async function buildStale() {
  const stale = staleTargets();
  if (stale.length === 0) return undefined;
  const { code, tail } = await run(pinnedNode(), [fileURLToPath(import.meta.url), ...stale]);
  if (code !== 0) {
    const line =
      tail.split('\n').find((text) => /Error: |error TS|[Ee]rror\b.*:/.test(text)) ??
      `code ${code}`;
    throw new SetupError(`the build failed: ${line.trim()}`, 'Mend the source named above.');
  }
  return `built ${stale.join(', ')}`;
}

/** @param {string[]} names */
async function build(names) {
  const vite = await import('vite');
  for (const target of targets().filter(({ name }) => names.includes(name))) {
    const before = fingerprint(target);
    const begin = Date.now();
    await vite.build(await target.config());
    mkdirSync(path.dirname(stampsPath), { recursive: true });
    writeFileSync(stampsPath, JSON.stringify({ ...readStamps(), [target.name]: before }, null, 2));
    process.stdout.write(`${target.name}: ${((Date.now() - begin) / 1000).toFixed(1)} s\n`);
  }
  writeLicences(externalPackages);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
  const force = process.argv.includes('--force');
  const everything = targets().map(({ name }) => name);
  await build(names.length > 0 ? names : force ? everything : staleTargets());
}
