// What is built, from where to where. Everything runs on the current Electron and on the fallback
// runtime (Electron 33: Node 20.18, Chromium 130), so that is what the code is lowered to.
import { existsSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { root } from '../setup/steps.mjs';
import { noteMaterials } from './materials.mjs';

const nodeTarget = 'node20.18';
const chromeTarget = 'chrome130';

/** Loaded at run time from node_modules: native code, and what finds its files by its own path. */
export const externalPackages = [
  'better-sqlite3',
  'electron-log',
  'onnxruntime-node',
  'sharp',
  '@img/sharp-wasm32',
];

const externals = [
  'electron',
  /^node:/,
  ...builtinModules,
  ...externalPackages.map((name) => new RegExp(`^${name}(/|$)`)),
];

/**
 * @typedef {{ name: string, sources: string[], entry: string, output: string,
 *             config: () => Promise<import('vite').InlineConfig> }} Target
 */

/**
 * A program for Node: one entry, ESM or CommonJS, packages bundled except the native ones.
 * @param {string} name @param {string} entry @param {string[]} sources
 * @param {{ format?: 'es' | 'cjs', file?: string }} [options]
 * @returns {Target}
 */
function nodeTargetOf(name, entry, sources, { format = 'es', file = 'main.js' } = {}) {
  return {
    name,
    sources,
    entry,
    output: `out/${name}/${file}`,
    config: async () => ({
      root,
      configFile: false,
      logLevel: 'warn',
      publicDir: false,
      plugins: [noteMaterials()],
      // "ssr" is Vite's word for a bundle that runs in Node.
      ssr: { noExternal: true, external: externalPackages, target: 'node' },
      resolve: { conditions: ['node', 'import', 'module', 'default'] },
      build: {
        ssr: true,
        target: nodeTarget,
        outDir: path.join(root, 'out', name),
        emptyOutDir: true,
        minify: false,
        sourcemap: true,
        rollupOptions: {
          input: path.join(root, entry),
          external: externals,
          output: { format, entryFileNames: file, chunkFileNames: '[name]-[hash].js' },
        },
      },
    }),
  };
}

/**
 * KaTeX names each of its fonts in three formats; the one browser that there is takes the first.
 * @type {import('vite').Plugin}
 */
const oneFontFormat = {
  name: 'one-font-format',
  enforce: 'pre',
  transform: (code, id) =>
    /katex[^?]*\.css/.test(id)
      ? code.replaceAll(/,url\([^)]+\.(?:woff|ttf)\) ?format\("[^"]+"\)/g, '')
      : undefined,
};

/** @type {Target} */
const renderer = {
  name: 'renderer',
  sources: ['src/renderer', 'src/shared'],
  entry: 'src/renderer/index.html',
  output: 'out/renderer/index.html',
  config: async () => {
    const { svelte } = await import('@sveltejs/vite-plugin-svelte');
    return {
      root: path.join(root, 'src/renderer'),
      configFile: false,
      logLevel: 'warn',
      // Relative, because the page comes from a protocol of our own.
      base: './',
      plugins: [svelte({ configFile: false }), noteMaterials(), oneFontFormat],
      build: {
        target: chromeTarget,
        outDir: path.join(root, 'out/renderer'),
        emptyOutDir: true,
        sourcemap: true,
        // A data: URL would need a wider content security policy.
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        // Read from the disk, not from a network.
        chunkSizeWarningLimit: 4000,
      },
    };
  },
};

const all = [
  nodeTargetOf('main', 'src/main/main.ts', [
    'src/main',
    'src/library',
    'src/server',
    'src/base',
    'src/shared',
  ]),
  // A sandboxed preload must be one CommonJS file.
  nodeTargetOf('preload', 'src/main/preload/preload.ts', ['src/main/preload', 'src/shared'], {
    format: 'cjs',
    file: 'preload.cjs',
  }),
  nodeTargetOf('worker', 'src/worker/main.ts', [
    'src/worker',
    'src/library',
    'src/base',
    'src/shared',
  ]),
  nodeTargetOf('decoder', 'src/worker/decoder/main.ts', ['src/worker', 'src/base', 'src/shared']),
  // A thread of the three programs that decode pictures (src/worker/inputs/picture-codec.ts).
  nodeTargetOf('codec', 'src/worker/inputs/codec/main.ts', ['src/worker/inputs', 'src/shared']),
  nodeTargetOf('keeper', 'src/main/keeper/main.ts', ['src/main', 'src/base', 'src/shared']),
  renderer,
  nodeTargetOf('cli', 'src/cli/main.ts', [
    'src/cli',
    'src/shared',
    'src/base',
    'src/library',
    'src/server',
    'src/worker',
    'src/main',
  ]),
];

/** The targets whose entry exists. */
export const targets = () => all.filter((target) => existsSync(path.join(root, target.entry)));
