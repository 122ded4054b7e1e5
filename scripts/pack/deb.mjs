// The Debian package: the unpacked app laid out as it will lie on the machine, then dpkg-deb.
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { cacheDir, onPath, root, run, SetupError } from '../setup/steps.mjs';

const templates = path.join(import.meta.dirname, 'linux');
const icons = path.join(root, 'resources/icons');

/** The package's name, its folder in /opt and its program. */
export const packageName = 'textbind-studio';

/** Debian's names of machines. @type {Readonly<Record<string, string>>} */
const architectures = { x64: 'amd64', arm64: 'arm64' };

/**
 * Packages of the libraries that the program is linked to or opens by name (NSS, sound), with their names after Debian's
 * change to 64-bit times.
 */
const depends = [
  'libasound2 | libasound2t64',
  'libatk-bridge2.0-0 | libatk-bridge2.0-0t64',
  'libatk1.0-0 | libatk1.0-0t64',
  'libatspi2.0-0 | libatspi2.0-0t64',
  'libc6 (>= 2.28)',
  'libcairo2',
  'libcups2 | libcups2t64',
  'libdbus-1-3',
  'libexpat1',
  'libgbm1',
  'libglib2.0-0 | libglib2.0-0t64',
  'libgtk-3-0 | libgtk-3-0t64',
  'libnspr4',
  'libnss3',
  'libpango-1.0-0',
  'libstdc++6',
  'libudev1',
  'libx11-6',
  'libxcb1',
  'libxcomposite1',
  'libxdamage1',
  'libxext6',
  'libxfixes3',
  'libxkbcommon0',
  'libxrandr2',
  'xdg-utils',
];

/**
 * What stands in the package's control file.
 * @param {{ version: string, installedKilobytes: number }} of
 */
export function controlFile({ version, installedKilobytes }) {
  const architecture = architectures[process.arch];
  if (architecture === undefined)
    throw new SetupError(`no Debian package for ${process.arch}`, 'Build it on x64 or arm64.');
  return `${[
    `Package: ${packageName}`,
    `Version: ${debianVersion(version)}`,
    'Section: science',
    'Priority: optional',
    `Architecture: ${architecture}`,
    `Installed-Size: ${installedKilobytes}`,
    `Depends: ${depends.join(', ')}`,
    'Maintainer: The TextBind Studio authors <nobody@textbind.invalid>',
    'Description: conversation of text and pictures with a local model',
    ' A person and a model hold one conversation of text and pictures, both ways, on',
    ' their own machine. A small trained model comes with it and works offline.',
  ].join('\n')}\n`;
}

/** A pre-release comes before its release: Debian writes that with a tilde. @param {string} version */
export function debianVersion(version) {
  return version.replace('-', '~');
}

/** @param {string} folder @returns {string[]} files and links below it, folders not */
function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** @param {string} from @param {string} to @param {number} mode */
function place(from, to, mode) {
  mkdirSync(path.dirname(to), { recursive: true });
  cpSync(from, to);
  chmodSync(to, mode);
}

/** Who may read what does not depend on the umask of whoever packs. @param {string} folder */
function setModes(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(file, 0o755);
    else if (entry.isFile()) chmodSync(file, lstatSync(file).mode & 0o100 ? 0o755 : 0o644);
  }
}

/** Lays out the machine's root. @param {string} tree @param {string} unpacked folder of the app */
function layOut(tree, unpacked) {
  const app = path.join(tree, 'opt', packageName);
  mkdirSync(path.dirname(app), { recursive: true });
  // Links instead of copies of half a gigabyte, where the file system can.
  cpSync(unpacked, app, { recursive: true, mode: 2 });
  place(path.join(templates, 'apparmor'), path.join(app, 'apparmor-profile'), 0o644);
  // How this copy came onto the machine: updates ask (src/main/updates/source.ts).
  writeFileSync(path.join(app, 'resources/package-type'), 'deb\n');
  const share = path.join(tree, 'usr/share');
  const desktop = `${packageName}.desktop`;
  place(path.join(templates, desktop), path.join(share, 'applications', desktop), 0o644);
  const mime = `${packageName}.xml`;
  place(path.join(templates, mime), path.join(share, 'mime/packages', mime), 0o644);
  for (const { size, file } of iconSizes()) {
    const folder = path.join(share, 'icons/hicolor', size, 'apps');
    place(file, path.join(folder, `${packageName}${path.extname(file)}`), 0o644);
  }
  const documents = path.join(share, 'doc', packageName);
  mkdirSync(documents, { recursive: true });
  writeFileSync(path.join(documents, 'copyright'), copyright());
  // Without a time in it, so that the same sources give the same bytes.
  const log = gzipSync(readFileSync(path.join(root, 'CHANGELOG.md')), { level: 9 });
  writeFileSync(path.join(documents, 'changelog.gz'), log);
  mkdirSync(path.join(tree, 'usr/bin'), { recursive: true });
  symlinkSync(`../../opt/${packageName}/${packageName}`, path.join(tree, 'usr/bin', packageName));
  setModes(tree);
}

/** The app's icons: a picture a size and the drawing that they were made of. */
function iconSizes() {
  const folder = path.join(icons, 'png');
  const sizes = existsSync(folder) ? readdirSync(folder) : [];
  const found = sizes
    .filter((name) => /^\d+x\d+\.png$/.test(name))
    .map((name) => ({ size: path.parse(name).name, file: path.join(folder, name) }));
  const drawing = path.join(icons, 'icon.svg');
  return existsSync(drawing) ? [...found, { size: 'scalable', file: drawing }] : found;
}

function copyright() {
  return [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/',
    'Upstream-Name: TextBind Studio',
    '',
    'Files: *',
    'Copyright: The TextBind Studio authors',
    'License: Apache-2.0',
    ' On Debian systems the text of the Apache License 2.0 is in',
    ' /usr/share/common-licenses/Apache-2.0.',
    '',
    `Comment: What others wrote lies in /opt/${packageName} with its licences: Electron and`,
    ' Chromium beside the program, the packages in resources/licences.',
    '',
  ].join('\n');
}

/** Lays out the package's own files. @param {string} tree @param {string} version */
function writeControl(tree, version) {
  const control = path.join(tree, 'DEBIAN');
  const bytes = filesBelow(tree).reduce((sum, file) => sum + lstatSync(file).size, 0);
  mkdirSync(control);
  const text = controlFile({ version, installedKilobytes: Math.ceil(bytes / 1024) });
  writeFileSync(path.join(control, 'control'), text, { mode: 0o644 });
  for (const script of ['postinst', 'prerm', 'postrm']) {
    place(path.join(templates, script), path.join(control, script), 0o755);
  }
}

/**
 * Builds the package.
 * @param {{ unpacked: string, output: string, version: string }} of folder of the unpacked app, folder for the package
 * @returns {Promise<string>} the package's path
 */
export async function buildDeb({ unpacked, output, version }) {
  if (!onPath('dpkg-deb'))
    throw new SetupError('there is no dpkg-deb', 'Build the package on Debian or Ubuntu.');
  const tree = path.join(cacheDir, 'dist', 'deb');
  rmSync(tree, { recursive: true, force: true });
  layOut(tree, unpacked);
  chmodSync(tree, 0o755);
  writeControl(tree, version);
  const architecture = architectures[process.arch];
  const name = `${packageName}_${debianVersion(version)}_${architecture}.deb`;
  const file = path.join(output, name);
  // Everything belongs to root without being root; zstd, which every dpkg since 2022 reads, packs it in seconds.
  const args = ['--root-owner-group', '-Zzstd', '-z3', '--build', tree, file];
  const { code, tail } = await run('dpkg-deb', args, { quiet: true });
  rmSync(tree, { recursive: true, force: true });
  if (code !== 0) throw new SetupError(`dpkg-deb ended with code ${code}: ${tail}`, 'Read above.');
  return file;
}
