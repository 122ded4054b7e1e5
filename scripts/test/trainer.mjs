// The Python tests, by pytest in .venv. Counts come from its JUnit file.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { venvPython } from '../setup/python.mjs';
import { root } from '../setup/steps.mjs';
import { pytestFailures } from './failures.mjs';
import { countDeclared, resultsDir, show } from './suite.mjs';

/** Folders of Python tests: the trainer's, and those of the recipe that makes the embedded model with it. */
const pythonTests = ['test/trainer', 'test/recipes'];

/**
 * @param {string[]} args
 * @param {string | undefined} problem why there is no Python, if so
 * @returns {Promise<import('./suite.mjs').Counts>}
 */
export async function trainer(args, problem) {
  const reason = problem ?? (existsSync(venvPython) ? undefined : 'there is no .venv');
  if (reason !== undefined) {
    const declared = (/** @type {string} */ folder) =>
      countDeclared(folder, /^(.*\/)?test_.*\.py$/, /^\s*def test_/gm);
    const skipped = pythonTests.map(declared).reduce((sum, count) => sum + count, 0);
    return { passed: 0, failed: 0, skipped, reason };
  }
  const file = path.join(resultsDir, 'pytest.xml');
  mkdirSync(resultsDir, { recursive: true });
  rmSync(file, { force: true });
  const pytest = ['-m', 'pytest', '-q', '--rootdir', path.join(root, 'resources/trainer')];
  const config = ['-c', 'resources/trainer/pyproject.toml', '-rs', `--junitxml=${file}`];
  const cache = ['-o', `cache_dir=${path.join(resultsDir, 'pytest')}`];
  const code = await show(venvPython, [...pytest, ...config, ...cache, ...args, ...pythonTests]);
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
  const xml = readFileSync(file, 'utf8');
  return { ...countsOf(xml, code), failures: pytestFailures(xml) };
}

/**
 * @param {string} xml pytest's JUnit file
 * @param {number} code pytest's exit code
 * @returns {import('./suite.mjs').Counts}
 */
export function countsOf(xml, code) {
  const suite = /<testsuite [^>]*>/.exec(xml)?.[0] ?? '';
  const number = (/** @type {string} */ name) =>
    Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = number('failures') + number('errors');
  const skipped = number('skipped');
  return {
    passed: Math.max(0, number('tests') - failed - skipped),
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped,
  };
}
