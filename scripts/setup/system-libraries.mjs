// System libraries and tools on Linux: what Electron needs to run, Xvfb where there is no screen, a
// WebDriver for the end-to-end tests. As root on Debian they are installed; else the one command is said.
import { existsSync } from 'node:fs';
import { isRoot, onPath, outputOf, run, say, SetupError } from './steps.mjs';

/** Shared libraries that Electron loads, with the Debian package of each. */
const runtimeLibraries = {
  'libnss3.so': 'libnss3',
  'libatk-1.0.so.0': 'libatk1.0-0',
  'libatk-bridge-2.0.so.0': 'libatk-bridge2.0-0',
  'libgtk-3.so.0': 'libgtk-3-0',
  'libgbm.so.1': 'libgbm1',
  'libasound.so.2': 'libasound2',
};

/** Programs, with the Debian package of each. */
const programs = {
  Xvfb: 'xvfb',
  xauth: 'xauth',
  chromedriver: 'chromium-driver',
};

/** Programs of the test that nothing is sent (test/e2e/quiet.e2e.ts); without them it sees less, and says so. */
const witnesses = { strace: 'strace', ip: 'iproute2' };

/** Newer Debian and Ubuntu renamed these for 64-bit time. */
const renamed = new Set(['libasound2', 'libgtk-3-0', 'libatk1.0-0', 'libatk-bridge2.0-0']);

/** @param {string} program */
const isInstalled = (program) =>
  onPath(program) ||
  ['/usr/bin', '/usr/sbin', '/sbin'].some((folder) => existsSync(`${folder}/${program}`));

/** The dynamic linker's list of libraries; empty where it cannot be asked. */
function knownLibraries() {
  for (const command of ['/sbin/ldconfig', '/usr/sbin/ldconfig', 'ldconfig']) {
    try {
      return outputOf(command, ['-p']);
    } catch {
      // Try the next place.
    }
  }
  return '';
}

/**
 * Debian packages that are missing.
 * @param {{ screen: boolean, driver: boolean, vulkan?: boolean }} needs a virtual screen, a WebDriver, a Vulkan loader
 */
export function missingPackages({ screen, driver, vulkan = false }) {
  const libraries = knownLibraries();
  /** @type {string[]} */
  const missing = [];
  if (libraries !== '') {
    for (const [library, name] of Object.entries(runtimeLibraries)) {
      if (!libraries.includes(`${library} `)) missing.push(name);
    }
    if (vulkan && !libraries.includes('libvulkan.so.1 ')) missing.push('libvulkan1');
  }
  for (const [program, name] of Object.entries(programs)) {
    const wanted = program === 'chromedriver' ? driver : screen;
    if (wanted && !isInstalled(program)) missing.push(name);
  }
  for (const [program, name] of Object.entries(witnesses)) {
    // Nobody is asked to install them.
    if (driver && isRoot && !isInstalled(program)) missing.push(name);
  }
  return missing;
}

/** @param {string} name a package under the name this release gives it */
function nameHere(name) {
  if (!renamed.has(name)) return name;
  try {
    const found = outputOf('apt-cache', ['policy', `${name}t64`]);
    return /Candidate: (?!\(none\))/.test(found) ? `${name}t64` : name;
  } catch {
    return name;
  }
}

/**
 * Installs what is missing, or says how. Nothing to do on other systems than Linux.
 * @param {{ screen: boolean, driver: boolean, vulkan?: boolean }} needs
 */
export async function installSystemLibraries(needs) {
  if (process.platform !== 'linux') return undefined;
  const missing = missingPackages(needs);
  if (missing.length === 0) return undefined;
  if (!onPath('apt-get')) {
    throw new SetupError(
      `missing: ${missing.join(', ')} (names of Debian packages)`,
      "Install their counterparts with this system's package manager, then run again.",
    );
  }
  return installDebian(missing.map(nameHere));
}

/**
 * @param {string[]} packages names of Debian packages
 * @returns {Promise<string>}
 */
export async function installDebian(packages) {
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (!isRoot) {
    throw new SetupError(`missing: ${packages.join(', ')}`, `Run: sudo ${command}`);
  }
  say(`system libraries: installing ${packages.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const argumentsOf = command.split(' ').slice(1);
  let result = await run('apt-get', ['-q', ...argumentsOf], { env, quiet: true });
  if (result.code !== 0) {
    // A bare machine has no package lists yet.
    await run('apt-get', ['-q', 'update'], { env, quiet: true });
    result = await run('apt-get', ['-q', ...argumentsOf], { env, quiet: true });
  }
  if (result.code !== 0) {
    const reason = result.tail.split('\n').slice(-2).join(' | ');
    throw new SetupError(`apt-get failed: ${reason}`, `Run by hand and see why: ${command}`);
  }
  return `installed ${packages.join(', ')}`;
}
