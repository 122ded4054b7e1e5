/**
 * ONNX Runtime with CUDA's provider. The package from the registry has none: its own install script would fetch it into
 * the package's folder, which an installed app cannot write to. ONNX Runtime looks for providers beside its own library,
 * by the path that this was loaded from; so where the provider was fetched, the engine is loaded through a folder of
 * links that has both. What NVIDIA's own licence covers (cuBLAS, cuDNN, ...) is taken from where it is on the machine.
 */
import { existsSync, mkdirSync, readdirSync, readlinkSync, renameSync, symlinkSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { Module } from 'node:module';
import { constants } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { cudaEnvironment, cudaFolderName, cudaLinksName } from '../../shared/cuda.ts';
import type { CudaPackage } from '../../shared/domain/cuda.ts';
import { neededLibraries } from './needed-libraries.ts';

const bindingName = 'onnxruntime_binding.node';
const providerName = 'libonnxruntime_providers_cuda.so';
/** Are opened when a convolution is; no library names them among what it needs. */
const openedLater = ['libcudnn.so.9'];
/** glibc's flag for a library that stays: Node closes again what is no module of its own. */
const staysLoaded = 0x1000;

/** What came of it in this process. */
export interface CudaState {
  /** Where the provider lies; null where none was fetched for this version. */
  readonly folder: string | null;
  /** Libraries of NVIDIA's that the system has nowhere. */
  readonly missing: readonly string[];
  /** What else went wrong; null where nothing did. */
  readonly fault: string | null;
}

let state: CudaState = { folder: null, missing: [], fault: null };

export function cudaState(): CudaState {
  return state;
}

/** Has `load` find the engine with CUDA's provider, where that was fetched. Before it is loaded. */
export function offerCuda(load: NodeJS.Require): void {
  const parts = process.env[cudaEnvironment.parts];
  const offered = parts === undefined ? null : cudaPackage(load);
  if (parts === undefined || offered === null) return;
  const folder = path.join(parts, cudaFolderName(offered.version));
  // Written last, by who fetched it.
  if (!existsSync(path.join(folder, 'part.json'))) return;
  try {
    const missing = loadLibraries(path.join(folder, providerName));
    if (missing.length === 0) loadThroughLinks(linkTogether(folder, bindingFolder(load)), load);
    state = { folder, missing, fault: null };
  } catch (error) {
    state = { folder, missing: [], fault: error instanceof Error ? error.message : String(error) };
  }
}

const metadataSchema = z.looseObject({
  requirements: z.record(z.string(), z.array(z.string())),
  manifests: z.record(
    z.string(),
    z.record(z.string(), z.looseObject({ package: z.string(), path: z.string() })),
  ),
  packages: z.record(
    z.string(),
    z.looseObject({
      name: z.string(),
      versions: z.array(z.looseObject({ feed: z.string(), version: z.string() })),
    }),
  ),
  feeds: z.record(z.string(), z.looseObject({ type: z.string(), index: z.string() })),
});

/**
 * Which package has CUDA's provider for exactly this engine, as its publisher's install script says; null where there is
 * none for this system.
 */
export function cudaPackage(
  load: NodeJS.Require,
  system = `${process.platform}/${process.arch}`,
): CudaPackage | null {
  // Links, and the loader's ways that are used here, are Linux's.
  if (!system.startsWith('linux/')) return null;
  try {
    return packageFor(
      system,
      metadataSchema.parse(load('onnxruntime-node/script/install-metadata.js')),
    );
  } catch {
    return null;
  }
}

function packageFor(
  system: string,
  { requirements, manifests, packages, feeds }: z.infer<typeof metadataSchema>,
): CudaPackage | null {
  const [kind] = requirements[system] ?? [];
  // TensorRT's provider is of no use without TensorRT.
  const files = Object.values(manifests[`${system}:${kind}`] ?? {}).filter(
    (file) => !file.path.includes('tensorrt'),
  );
  const described = packages[files[0]?.package ?? ''];
  const [wanted] = described?.versions ?? [];
  const feed = feeds[wanted?.feed ?? ''];
  if (described === undefined || wanted === undefined || feed?.type !== 'nuget') return null;
  const entries = files.map((file) => file.path);
  return { name: described.name, version: wanted.version, feed: feed.index, entries };
}

function bindingFolder(load: NodeJS.Require): string {
  const own = path.dirname(load.resolve('onnxruntime-node/package.json'));
  const folder = path.join(own, 'bin', 'napi-v6', process.platform, process.arch);
  // The system's loader knows no archive; what it loads lies beside.
  return folder.replace(/app\.asar(?=[\\/])/, 'app.asar.unpacked');
}

/** @returns the folder in which the engine and its provider lie side by side, as links */
function linkTogether(folder: string, engine: string): string {
  const links = path.join(path.dirname(folder), cudaLinksName);
  mkdirSync(links, { recursive: true, mode: 0o700 });
  for (const from of [engine, folder]) {
    for (const name of readdirSync(from)) {
      if (/\.(node|so(\.\d+)*)$/.test(name)) link(path.join(from, name), path.join(links, name));
    }
  }
  return links;
}

/** In one step: another process may do the same. */
function link(target: string, place: string): void {
  if (linkedTo(place) === target) return;
  const fresh = `${place}.${randomBytes(4).toString('hex')}`;
  symlinkSync(target, fresh);
  renameSync(fresh, place);
}

function linkedTo(place: string): string | null {
  try {
    return readlinkSync(place);
  } catch {
    return null;
  }
}

/** Loads the engine's native part from `links`, and has its package find that instead of its own. */
function loadThroughLinks(links: string, load: NodeJS.Require): void {
  const own = path.join(bindingFolder(load), bindingName);
  const known = load.resolve(
    `onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}/${bindingName}`,
  );
  const loaded = Object.assign(new Module(own), { filename: own, loaded: true });
  process.dlopen(loaded, path.join(links, bindingName), constants.dlopen.RTLD_NOW);
  load.cache[known] = loaded;
}

/**
 * Loads what the provider needs of NVIDIA's, each by its name alone where the system's loader knows it, else from where
 * it may lie. Later ones find the earlier by name.
 *
 * @returns names of those that are nowhere
 */
function loadLibraries(provider: string): string[] {
  const needed = neededLibraries(provider).filter((name) => /^lib(cu|nv)/.test(name));
  const folders = libraryFolders();
  return [...needed, ...openedLater].filter(
    (name) => ![name, ...folders.map((folder) => path.join(folder, name))].some(isLoaded),
  );
}

function isLoaded(library: string): boolean {
  if (path.isAbsolute(library) && !existsSync(library)) return false;
  const { RTLD_LAZY, RTLD_GLOBAL } = constants.dlopen;
  try {
    process.dlopen({ exports: {} }, library, RTLD_LAZY | RTLD_GLOBAL | staysLoaded);
    return true;
  } catch (error) {
    return error instanceof Error && error.message.includes('did not self-register');
  }
}

/** Where NVIDIA's libraries may lie that the loader does not know: the toolkit's folder, and PyTorch's packages. */
function libraryFolders(): string[] {
  const python = process.env[cudaEnvironment.python];
  const packages = python === undefined ? [] : below(path.join(python, 'lib'), /^python3/);
  const nvidia = packages.flatMap((each) =>
    below(path.join(each, 'site-packages', 'nvidia'), /^\w+$/),
  );
  return ['/usr/local/cuda/lib64', ...nvidia.map((each) => path.join(each, 'lib'))];
}

function below(folder: string, name: RegExp): string[] {
  try {
    return readdirSync(folder)
      .filter((each) => name.test(each))
      .sort()
      .map((each) => path.join(folder, each));
  } catch {
    return [];
  }
}
