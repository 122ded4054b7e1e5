// The checks that count as one test each: types, lint, boundaries, format.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from '../setup/steps.mjs';
import { venvPython } from '../setup/python.mjs';
import { one, resultsDir, show, tool } from './suite.mjs';

/** Folders with a tsconfig.json of their own, and in them something to check. */
const projects = [
  'src/shared',
  'src/base',
  'src/library',
  'src/server',
  'src/main',
  'src/worker',
  'src/cli',
  'scripts',
  'bench',
  'test',
  'test/renderer',
  'test/e2e',
];

/** @param {string} folder */
function hasSources(folder) {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).some((name) =>
    /\.(ts|mjs)$/.test(name),
  );
}

/**
 * mypy over the trainer and the recipe, by the trainer's configuration. Its first run takes most of a minute, for
 * PyTorch's own types; later ones ask its cache.
 */
async function mypy() {
  const probe = [
    '-c',
    'import importlib.util as u; raise SystemExit(0 if u.find_spec("mypy") else 1)',
  ];
  if ((await show(venvPython, probe)) !== 0) {
    process.stdout.write('mypy: skipped, it is not in .venv (set-up installs it)\n');
    return true;
  }
  const config = ['--config-file', 'resources/trainer/pyproject.toml'];
  const cache = ['--cache-dir', path.join(resultsDir, 'mypy')];
  const code = ['resources/trainer/textbind_trainer', 'recipes/mini'];
  return (await show(venvPython, ['-m', 'mypy', ...config, ...cache, ...code])) === 0;
}

/**
 * tsc for each project, svelte-check for the renderer, mypy where there is a Python.
 * @param {string[]} _args @param {boolean} hasPython
 */
export async function types(_args, hasPython) {
  let ok = true;
  for (const project of projects) {
    if (!hasSources(project)) continue;
    const info = path.join(resultsDir, 'tsc', `${project.replaceAll('/', '-')}.tsbuildinfo`);
    const args = ['-p', project, '--incremental', '--tsBuildInfoFile', info, '--pretty', 'false'];
    const code = await tool('typescript/bin/tsc', args);
    if (code !== 0) process.stdout.write(`types: ${project} failed\n`);
    ok = code === 0 && ok;
  }
  if (existsSync(path.join(root, 'src/renderer/index.html'))) {
    const args = [
      '--tsconfig',
      'src/renderer/tsconfig.json',
      '--output',
      'human',
      '--fail-on-warnings',
    ];
    ok = (await tool('svelte-check/bin/svelte-check', args)) === 0 && ok;
  }
  if (hasPython && existsSync(venvPython)) ok = (await mypy()) && ok;
  else process.stdout.write('mypy: skipped, there is no Python environment\n');
  return one(ok);
}

/**
 * ruff over all Python, by one configuration.
 * @param {...string} command
 */
async function ruff(...command) {
  const config = ['--config', 'resources/trainer/pyproject.toml'];
  const cache = ['--cache-dir', path.join(resultsDir, 'ruff')];
  const folders = ['resources/trainer', 'recipes', 'test/trainer', 'test/recipes'];
  const args = ['-m', 'ruff', ...command, '--quiet', ...config, ...cache, ...folders];
  return (await show(venvPython, args)) === 0;
}

/**
 * eslint, and ruff for the trainer where there is a Python.
 * @param {string[]} _args @param {boolean} hasPython
 */
export async function lint(_args, hasPython) {
  const cache = ['--cache', '--cache-location', path.join(resultsDir, 'eslint')];
  let ok = (await tool('eslint/bin/eslint.js', ['.', '--max-warnings=0', ...cache])) === 0;
  if (!hasPython || !existsSync(venvPython)) {
    process.stdout.write('ruff: skipped, there is no Python environment\n');
    return one(ok);
  }
  ok = (await ruff('check')) && ok;
  return one(ok);
}

/** dependency-cruiser: who may import whom, no cycles. */
export async function boundaries() {
  const args = [
    '--config',
    '.dependency-cruiser.mjs',
    '--output-type',
    'err-long',
    'src',
    'bench',
    'scripts',
  ];
  return one((await tool('dependency-cruiser/bin/dependency-cruise.mjs', args)) === 0);
}

/**
 * prettier, and ruff's formatter where there is a Python.
 * @param {string[]} _args @param {boolean} hasPython
 */
export async function format(_args, hasPython) {
  const cache = ['--cache', '--cache-location', path.join(resultsDir, 'prettier')];
  const args = ['--check', '--log-level', 'warn', ...cache, '.'];
  const ok = (await tool('prettier/bin/prettier.cjs', args)) === 0;
  if (!hasPython || !existsSync(venvPython)) return one(ok);
  return one((await ruff('format', '--check')) && ok);
}
