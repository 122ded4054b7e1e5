import { settingsSchema, type Settings, type SettingsPatch } from '../../shared/domain/settings.ts';
import type { StudioDatabase } from './open.ts';

/** Queries on settings, one row a group; and on small state of the app's own (the window's place). */
export interface SettingsTable {
  /** A group that is missing or that the schema refuses has its default. */
  get(): Settings;
  /** Replaces the groups that are given. */
  set(patch: SettingsPatch): Settings;
  /** Null where nothing was kept under the name. */
  state(name: string): unknown;
  keepState(name: string, value: unknown): void;
}

const statePrefix = 'state.';
/** Drafts lie in the same table (drafts.ts). */
export const draftRowPrefix = 'draft.';

/** Prepares the queries on settings. */
export function createSettingsTable(database: StudioDatabase): SettingsTable {
  const all = database.prepare<[], { name: string; value: string }>(
    `SELECT name, value FROM settings WHERE name NOT GLOB '${draftRowPrefix}*'`,
  );
  const one = database
    .prepare<[string], string>('SELECT value FROM settings WHERE name = ?')
    .pluck();
  const put = database.prepare(
    'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );
  const get = (): Settings => {
    const stored = Object.fromEntries(all.all().map((row) => [row.name, JSON.parse(row.value)]));
    return readSettings(stored);
  };
  return {
    get,
    set: database.transaction((patch: SettingsPatch) => {
      for (const [name, value] of Object.entries(patch)) {
        if (value !== undefined) put.run(name, JSON.stringify(value));
      }
      return get();
    }),
    state(name) {
      const value = one.get(statePrefix + name);
      if (value === undefined) return null;
      const state: unknown = JSON.parse(value);
      return state;
    },
    keepState: (name, value) => void put.run(statePrefix + name, JSON.stringify(value)),
  };
}

function readSettings(stored: Record<string, unknown>): Settings {
  const good: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(settingsSchema.shape)) {
    // One setting that a later or broken version wrote must not take the others with it.
    if (name in stored && schema.safeParse(stored[name]).success) good[name] = stored[name];
  }
  return settingsSchema.parse(good);
}
