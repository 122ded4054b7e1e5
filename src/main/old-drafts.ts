import { rmSync } from 'node:fs';
import path from 'node:path';
import type { SettingsTable } from './database/settings.ts';

/** State of the app: the window has handed over the drafts that it kept by itself. */
export const draftsMoved = 'drafts.moved';

/**
 * Removes Chromium's store of the page, where drafts lay before they came into the database: what is deleted in it stays
 * in its files until it tidies up. Before there is a page.
 * @param userData the data folder
 */
export function dropOldDrafts(userData: string, settings: SettingsTable): void {
  if (settings.state(draftsMoved) !== true) return;
  rmSync(path.join(userData, 'Local Storage'), { recursive: true, force: true });
}
