// What the suites share: counts, and running a tool of node_modules on the pinned Node.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pinnedNode } from '../setup/npm-packages.mjs';
import { cacheDir, root } from '../setup/steps.mjs';

/**
 * @typedef {{ passed: number, failed: number, skipped: number, reason?: string, failures?: string[] }} Counts
 * `failures`: what failed, each with its first words (failures.mjs)
 */

/** Where tools leave their machine-readable results and caches. */
export const resultsDir = path.join(cacheDir, 'test');

/**
 * The environment of every tool: node_modules/.bin first, so that "node" is the pinned one.
 * @returns {NodeJS.ProcessEnv}
 */
export function toolEnvironment() {
  const bin = path.join(root, 'node_modules', '.bin');
  return { ...process.env, PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}` };
}

/**
 * Runs a program with its output shown as it comes.
 * @param {string} command @param {string[]} args @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number>} exit code
 */
export function show(command, args, env = toolEnvironment()) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/**
 * Runs a JavaScript program of node_modules on the pinned Node.
 * @param {string} file path in node_modules @param {string[]} args @param {NodeJS.ProcessEnv} [env]
 */
export function tool(file, args, env) {
  return show(pinnedNode(), [path.join(root, 'node_modules', file), ...args], env);
}

/** @param {boolean} ok @returns {Counts} a check that counts as one test */
export const one = (ok) => ({ passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 });

/**
 * How many tests files below a folder declare: the count of those that are skipped as a whole.
 * @param {string} folder @param {RegExp} file @param {RegExp} declaration with the g flag
 */
export function countDeclared(folder, file, declaration) {
  const names = readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => file.test(name))
    .map(
      (name) => readFileSync(path.join(root, folder, name), 'utf8').match(declaration)?.length ?? 0,
    )
    .reduce((sum, count) => sum + count, 0);
}
