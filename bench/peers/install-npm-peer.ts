import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { cacheDir, run } from '../../scripts/setup/steps.mjs';
import { readJsonFile } from '../../src/base/json-file.ts';
import { writeJsonFileSync } from '../../src/base/whole-file.ts';
import { PeerMissing } from './peer-process.ts';

/** What of a package.json is read. */
export const packageSchema = z.looseObject({ version: z.string() });

/** Where a peer's packages lie: outside the project's own, for the bench alone. */
export function peerFolder(name: string): string {
  return path.join(cacheDir, 'bench', name);
}

function isInstalled(folder: string, packages: Readonly<Record<string, string>>): boolean {
  return Object.entries(packages).every(([name, version]) => {
    const file = path.join(folder, 'node_modules', name, 'package.json');
    return existsSync(file) && readJsonFile(file, packageSchema, 'storage').version === version;
  });
}

/**
 * Installs pinned packages from the npm registry, once. Their scripts do not run: they would look for a compiler, or
 * download.
 * @throws PeerMissing where npm fails
 */
export async function installNpmPeer(
  name: string,
  packages: Readonly<Record<string, string>>,
  say: (line: string) => void,
): Promise<void> {
  const folder = peerFolder(name);
  if (isInstalled(folder, packages)) return;
  say(`installing ${name} into .cache/bench (for this benchmark only)`);
  rmSync(path.join(folder, 'node_modules'), { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeJsonFileSync(path.join(folder, 'package.json'), { private: true, dependencies: packages });
  const args = ['install', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { code, tail } = await run(npm, [...args, '--loglevel=error'], {
    cwd: folder,
    quiet: true,
  });
  if (code === 0 && isInstalled(folder, packages)) return;
  const reason = tail.split('\n').slice(-2).join(' | ');
  throw new PeerMissing(`${name} could not be installed: ${reason}`);
}
