import type { BrowserWindow } from 'electron';
import type { Logger } from '../logger.ts';
import type { AppPaths } from '../paths.ts';
import type { AppServices } from '../services.ts';

export interface DemoOptions {
  readonly window: BrowserWindow;
  readonly services: AppServices;
  readonly out: string;
  readonly paths: AppPaths;
  readonly log: Logger;
}

/** Runs the scripted conversation; returns the exit code. */
export function runDemo(_options: DemoOptions): Promise<number> {
  process.stderr.write('The demo is not written yet.\n');
  return Promise.resolve(1);
}
