// What others wrote and we ship: the packages that went into the bundles, the native ones beside them, and their licences.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../setup/steps.mjs';

/** @typedef {{ name: string, version: string, licence: string, text: string }} Material */

const modules = path.join(root, 'node_modules');

/** What only the install script of a package uses. */
const installOnly = new Set(['adm-zip', 'global-agent', 'node-addon-api']);
/** Pictures are decoded by WebAssembly (src/worker/inputs/codec): what sharp brings for each platform does not ship. */
const nativeDecoder = /^@img\/sharp-(?!wasm32(?:\/|$))/;

/** @param {string} name @returns {Record<string, any>} */
const manifestOf = (name) =>
  JSON.parse(readFileSync(path.join(modules, name, 'package.json'), 'utf8'));

/**
 * Packages and all that they depend on, as installed.
 * @param {readonly string[]} roots
 * @returns {string[]} names, sorted; one that lies in another's folder by its path
 */
export function withDependencies(roots) {
  /** @type {Set<string>} */
  const names = new Set();
  const queue = [...roots];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (names.has(name) || installOnly.has(name) || nativeDecoder.test(name)) continue;
    if (!existsSync(path.join(modules, name))) continue;
    names.add(name);
    const { dependencies = {}, optionalDependencies = {} } = manifestOf(name);
    for (const each of [...Object.keys(dependencies), ...Object.keys(optionalDependencies)]) {
      // Of its own, where another package has another version of it.
      const nested = `${name}/node_modules/${each}`;
      queue.push(existsSync(path.join(modules, nested)) ? nested : each);
    }
  }
  return [...names].sort();
}

/**
 * A Vite plugin that writes down which packages went into a bundle: `packages.json` beside it.
 * @returns {import('vite').Plugin}
 */
export function noteMaterials() {
  return {
    name: 'note-materials',
    generateBundle(_options, bundle) {
      /** @type {Set<string>} */
      const names = new Set();
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        // The last "node_modules" of a path is the package's own.
        for (const id of chunk.moduleIds) {
          const name = /.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(id)?.[1];
          if (name !== undefined && !name.startsWith('.')) names.add(name.replaceAll('\\', '/'));
        }
      }
      // Fonts and styles come as assets, which do not name their modules.
      names.add('@fontsource-variable/inter');
      const source = JSON.stringify([...names].sort(), null, 2);
      this.emitFile({ type: 'asset', fileName: 'packages.json', source });
    },
  };
}

/** @param {unknown} licence as a package.json may have it */
function licenceName(licence) {
  if (typeof licence === 'string') return licence;
  return String(Reflect.get(Object(licence), 'type') ?? 'see its text');
}

/** The words of a package's licence files. @param {string} name */
function licenceText(name) {
  const folder = path.join(modules, name);
  return readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice|third.?party)/i.test(file))
    .sort()
    .map((file) => readFileSync(path.join(folder, file), 'utf8').trim())
    .join('\n\n');
}

/**
 * Everything that ships, Electron apart.
 * @param {readonly string[]} external packages that are loaded from node_modules at run time
 * @returns {Material[]}
 */
export function collectMaterials(external) {
  const out = path.join(root, 'out');
  const bundled = readdirSync(out)
    .map((folder) => path.join(out, folder, 'packages.json'))
    .filter((file) => existsSync(file))
    .flatMap((file) => JSON.parse(readFileSync(file, 'utf8')));
  const names = new Set([...bundled, ...withDependencies(external)]);
  return [...names].sort().flatMap((name) => {
    if (!existsSync(path.join(modules, name, 'package.json'))) return [];
    const { version, license, licenses } = manifestOf(name);
    return [
      {
        name: name.replace(/^.*[/]node_modules[/]/, ''),
        version: String(version),
        licence: licenceName(license ?? licenses?.[0]),
        text: licenceText(name),
      },
    ];
  });
}

/** Writes out/licences/licences.json, which the app shows. @param {readonly string[]} external */
export function writeLicences(external) {
  const folder = path.join(root, 'out', 'licences');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'licences.json'), JSON.stringify(collectMaterials(external)));
}

/** As CycloneDX has them: one by its SPDX id, an expression of several, or a name. @param {string} licence */
function licencesOf(licence) {
  if (/ (AND|OR) /.test(licence)) return [{ expression: licence }];
  return [{ license: licence.includes(' ') ? { name: licence } : { id: licence } }];
}

/**
 * The bill of materials, CycloneDX 1.5: what stands in the lock file of what ships, and Electron.
 * @param {{ materials: readonly Material[], version: string, electron: string, madeAt: string }} of
 */
export function billOfMaterials({ materials, version, electron, madeAt }) {
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages;
  /** @param {string} name @param {string} at */
  const reference = (name, at) => `pkg:npm/${name.replace('@', '%40')}@${at}`;
  const components = materials.map(({ name, version: at, licence }) => {
    const [locked] = Object.keys(lock).filter(
      (each) => each.endsWith(`node_modules/${name}`) && lock[each].version === at,
    );
    const integrity = /^sha512-(.+)$/.exec(lock[locked ?? '']?.integrity ?? '')?.[1];
    return {
      type: 'library',
      'bom-ref': reference(name, at),
      name,
      version: at,
      purl: reference(name, at),
      licenses: licencesOf(licence),
      ...(integrity === undefined
        ? {}
        : {
            hashes: [{ alg: 'SHA-512', content: Buffer.from(integrity, 'base64').toString('hex') }],
          }),
    };
  });
  const app = `pkg:generic/textbind-studio@${version}`;
  const runtime = `pkg:generic/electron@${electron}`;
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      timestamp: madeAt,
      component: {
        type: 'application',
        'bom-ref': app,
        name: 'textbind-studio',
        version,
        licenses: [{ license: { id: 'Apache-2.0' } }],
      },
    },
    components: [
      {
        type: 'framework',
        'bom-ref': runtime,
        name: 'electron',
        version: electron,
        purl: runtime,
        licenses: [{ license: { id: 'MIT' } }],
      },
      ...components,
    ],
    dependencies: [
      { ref: app, dependsOn: [runtime, ...components.map((each) => each['bom-ref'])] },
    ],
  };
}
