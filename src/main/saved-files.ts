import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { StudioError } from '../shared/errors.ts';
import type { SettingsTable } from './database/settings.ts';

const stateName = 'save-folder';

/** What was saved where a person chose: the next dialog begins in that folder, and the window may show those files. */
export class SavedFiles {
  readonly #settings: Pick<SettingsTable, 'state' | 'keepState'>;
  readonly #files = new Set<string>();

  constructor(settings: Pick<SettingsTable, 'state' | 'keepState'>) {
    this.#settings = settings;
  }

  /** Where a dialog for this file begins: a name alone where the folder of the last time is gone. */
  suggest(name: string): string {
    const kept = z.string().safeParse(this.#settings.state(stateName));
    return kept.success && existsSync(kept.data) ? path.join(kept.data, name) : name;
  }

  /** A person chose this place. */
  note(file: string): void {
    this.#files.add(file);
    this.#settings.keepState(stateName, path.dirname(file));
  }

  /** @throws StudioError "bad-input" for a file that was not saved since the start: the page may not look around. */
  check(file: string): void {
    if (!this.#files.has(file)) {
      throw new StudioError('bad-input', `${file} was not saved from this window.`);
    }
  }
}
