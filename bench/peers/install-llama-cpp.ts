import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { cacheDir, run } from '../../scripts/setup/steps.mjs';
import { readJsonFile } from '../../src/base/json-file.ts';
import { writeJsonFileSync } from '../../src/base/whole-file.ts';
import { PeerMissing } from './peer-process.ts';

const version = '3.22.1';

/** Where node-llama-cpp lies: outside the project's own packages, for the bench alone. */
export const llamaCppFolder = path.join(cacheDir, 'bench', 'node-llama-cpp');

/** The prebuilt binaries that run without a GPU, by platform. */
const binaries: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
  'win32-x64': 'win-x64',
  'win32-arm64': 'win-arm64',
};

/** What of a package.json is read. */
export const packageSchema = z.looseObject({ version: z.string() });

function isInstalled(binary: string): boolean {
  return ['node-llama-cpp', `@node-llama-cpp/${binary}`].every((name) => {
    const file = path.join(llamaCppFolder, 'node_modules', name, 'package.json');
    if (!existsSync(file)) return false;
    return readJsonFile(file, packageSchema, 'storage').version === version;
  });
}

/**
 * Installs the pinned node-llama-cpp and its prebuilt binary from the npm registry, once.
 * @throws PeerMissing where there is none for this platform, or npm fails
 */
export async function installLlamaCpp(say: (line: string) => void): Promise<void> {
  const binary = binaries[`${process.platform}-${process.arch}`];
  if (binary === undefined) {
    throw new PeerMissing(`node-llama-cpp has no binary for ${process.platform} ${process.arch}`);
  }
  if (isInstalled(binary)) return;
  say(`installing node-llama-cpp ${version} into .cache/bench (for this benchmark only)`);
  rmSync(path.join(llamaCppFolder, 'node_modules'), { recursive: true, force: true });
  mkdirSync(llamaCppFolder, { recursive: true });
  const dependencies = { 'node-llama-cpp': version, [`@node-llama-cpp/${binary}`]: version };
  writeJsonFileSync(path.join(llamaCppFolder, 'package.json'), { private: true, dependencies });
  // Optional packages are the other binaries (CUDA's alone has hundreds of MB); scripts would look for a compiler.
  const args = ['install', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { code, tail } = await run(npm, [...args, '--loglevel=error'], {
    cwd: llamaCppFolder,
    quiet: true,
  });
  if (code === 0 && isInstalled(binary)) return;
  const reason = tail.split('\n').slice(-2).join(' | ');
  throw new PeerMissing(`node-llama-cpp ${version} could not be installed: ${reason}`);
}
