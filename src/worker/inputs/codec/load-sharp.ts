import { createRequire } from 'node:module';
import path from 'node:path';
import type sharpModule from 'sharp';

const require = createRequire(import.meta.url);

/** The file that the module's threads begin with. */
export const moduleFile = putModuleInPlace();
/** libvips as WebAssembly: what goes wrong in it stays in its own memory. */
export const sharp = loadSharp();

/**
 * sharp looks for native code of the platform first, and takes the module where it finds none. Its file that looks
 * is put into the cache of modules before it is read: it is the module, here and wherever native code is installed.
 */
function putModuleInPlace(): string {
  const module = require.resolve('@img/sharp-wasm32/sharp.node');
  require(module);
  const looks = path.join(path.dirname(require.resolve('sharp')), 'sharp.cjs');
  require.cache[looks] = require.cache[module];
  const file = Object.keys(require.cache).find((each) => each.endsWith('.node.js'));
  if (file === undefined) throw new Error('sharp-wasm32 has not the files that it had');
  return file;
}

function loadSharp(): typeof sharpModule {
  // What `require` gives has no type of its own.
  // eslint-disable-next-line @typescript-eslint/consistent-type-assertions
  const loaded = require('sharp') as typeof sharpModule;
  const native = Object.keys(require.cache).find((file) => file.endsWith('.node'));
  if (native !== undefined) throw new Error(`native code was loaded: ${path.basename(native)}`);
  return loaded;
}
