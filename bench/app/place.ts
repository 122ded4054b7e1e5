// Where a driven app runs: a packed program, a screen, folders of its own.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packApp } from '../../scripts/dist.mjs';
import { buildStale } from '../../scripts/build/build.mjs';
import { hasDisplay, startVirtualScreen } from '../../scripts/setup/display.mjs';
import { machineSwitches } from '../../scripts/setup/launch.mjs';
import type { AppOptions } from './app.ts';

export interface Place extends AppOptions {
  readonly folder: string;
  /** Ends the screen and removes the folder. */
  leave(): void;
}

/** @param given the packed program that lets a debugger in; undefined: built and packed now */
export async function makePlace(given: string | undefined): Promise<Place> {
  if (given === undefined) await buildStale();
  const binary = given ?? (await packApp('tests'));
  const screen = hasDisplay() ? null : await startVirtualScreen();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'textbind-proof-'));
  const userData = path.join(folder, 'user-data');
  const saveFolder = path.join(folder, 'exports');
  mkdirSync(userData);
  // Ended from outside it leaves nothing behind either: what runs at the end of a process ends the app and the screen.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
  return {
    folder,
    binary,
    userData,
    saveFolder,
    display: screen?.display ?? process.env['DISPLAY'],
    switches: machineSwitches({ virtualScreen: true }),
    leave() {
      screen?.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}
