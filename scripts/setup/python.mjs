// The trainer's Python: a virtual environment in .venv with PyTorch and resources/trainer's packages.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { installDebian } from './system-libraries.mjs';
import { isRoot, onPath, root, run, say, SetupError } from './steps.mjs';

const venv = path.join(root, '.venv');
const windows = process.platform === 'win32';
const requirements = path.join(root, 'resources', 'trainer', 'requirements.txt');

/** Takes a CPU build where the registry offers one, the CUDA build elsewhere; unpinned it pulls more. */
const torch = 'torch==2.13.0';

/** What checks the Python code. */
const tools = ['pytest==9.2.0', 'ruff==0.17.6', 'mypy==2.4.1'];

/** The environment's interpreter. */
export const venvPython = path.join(
  venv,
  windows ? 'Scripts' : 'bin',
  windows ? 'python.exe' : 'python',
);

/** What pip had installed when the stamp was written. */
function wantedStamp() {
  const text = existsSync(requirements) ? readFileSync(requirements, 'utf8') : '';
  return createHash('sha256')
    .update(`${[torch, ...tools].join(' ')}\n${text}`)
    .digest('hex');
}

/** True where the environment holds what is wanted, asked from the environment itself. */
function satisfied() {
  if (!existsSync(venvPython)) return false;
  const program = [
    'import sys, importlib.metadata as m',
    'from importlib.metadata import PackageNotFoundError',
    'names = [a.split("==") for a in sys.argv[1:]]',
    'try: sys.exit(0 if all(m.version(n).split("+")[0] == v for n, v in names) else 1)',
    'except PackageNotFoundError: sys.exit(1)',
  ].join('\n');
  return spawnSync(venvPython, ['-c', program, torch, ...tools, ...pins()]).status === 0;
}

/** The "name==version" lines of requirements.txt. */
function pins() {
  if (!existsSync(requirements)) return [];
  return readFileSync(requirements, 'utf8')
    .split('\n')
    .map((line) => line.replace(/[#;].*$/, '').trim())
    .filter((line) => /^[\w.-]+==[\w.]+$/.test(line));
}

/**
 * Makes the environment hold what the trainer needs.
 * @returns {Promise<string | undefined>}
 * @throws {SetupError} where there is no Python or pip fails: the caller may go on without
 */
export async function installPython() {
  const stampPath = path.join(venv, '.textbind-setup');
  const stamp = wantedStamp();
  if (
    existsSync(stampPath) &&
    existsSync(venvPython) &&
    readFileSync(stampPath, 'utf8') === stamp
  ) {
    return undefined;
  }
  if (satisfied()) {
    writeFileSync(stampPath, stamp);
    return 'already as requirements.txt says';
  }
  if (!existsSync(venvPython)) await makeEnvironment();
  await pip([torch], 'PyTorch (about 200 MB for the CPU build)');
  if (existsSync(requirements))
    await pip(['-r', requirements], 'the packages of resources/trainer');
  await pip(tools, 'pytest, ruff and mypy');
  writeFileSync(stampPath, stamp);
  return 'installed in .venv';
}

async function makeEnvironment() {
  const python = windows ? 'python' : 'python3';
  let result = onPath(python)
    ? await run(python, ['-m', 'venv', venv], { quiet: true })
    : undefined;
  if (result?.code !== 0 && onPath('apt-get') && isRoot) {
    await installDebian(['python3', 'python3-venv', 'python3-pip']);
    result = await run(python, ['-m', 'venv', '--clear', venv], { quiet: true });
  }
  if (result?.code !== 0) {
    throw new SetupError(
      `no Python with venv: ${result?.tail.split('\n')[0] ?? `${python} is not on PATH`}`,
      'Install Python 3.11 or newer (on Debian: sudo apt-get install -y python3 python3-venv).',
    );
  }
}

/** @param {string[]} what @param {string} name */
async function pip(what, name) {
  say(`Python: installing ${name}`);
  const args = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', ...what];
  const { code, tail } = await run(venvPython, args);
  if (code === 0) return;
  throw new SetupError(
    `pip install ${what.join(' ')} failed: ${tail.split('\n').slice(-1)[0]}`,
    'Check that the Python package index can be reached, then run the same command again.',
  );
}
