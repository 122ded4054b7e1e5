import { randomUUID } from 'node:crypto';
import type { StoredValue } from './rows.ts';

export type Columns = Record<string, StoredValue>;

export interface Row {
  readonly key: number;
  readonly columns: Columns;
}

/** Rows of the tables whose fields are looked at, by key. */
export interface MendedTables {
  readonly conversations: ReadonlyMap<number, Row>;
  readonly turns: ReadonlyMap<number, Row>;
  readonly parts: ReadonlyMap<number, Row>;
  readonly pictures: ReadonlyMap<number, Row>;
}

export const lostTitle = 'Recovered conversation';
/** Stands where something of a turn was and could not be read. */
export const lostPart = '[A part of this turn could not be read: the database was damaged.]';
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const statuses = ['streaming', 'complete', 'cut', 'stopped', 'interrupted', 'failed'];

/** Sets fields anew that cannot be so, each for itself, and counts them. */
export class FieldRepair {
  repaired = 0;

  /** What a bit or a hand may have changed in a row that is else whole. */
  run({ conversations, turns, parts, pictures }: MendedTables): void {
    for (const { columns } of conversations.values()) {
      this.renewId(columns);
      this.#keep(columns, 'title', (value) => typeof value === 'string', lostTitle);
      for (const name of ['created_at', 'updated_at'])
        this.#keep(columns, name, Number.isInteger, 0);
      this.#keep(columns, 'deleted_at', isIntegerOrNull, null);
      for (const name of ['pinned', 'archived']) this.#keep(columns, name, isFlag, 0);
      this.#keep(columns, 'tags', (value) => value !== null && isJsonOrNull(value), '[]');
      this.#keep(columns, 'settings', isJsonOrNull, null);
    }
    for (const { columns } of turns.values()) this.#repairTurn(columns);
    for (const { columns } of pictures.values()) {
      this.renewId(columns);
      this.#keep(columns, 'caption', isTextOrNull, null);
      this.#keep(columns, 'recipe', isJsonOrNull, null);
      for (const name of ['name', 'alt']) this.#keep(columns, name, isTextOrNull, null);
      this.#keep(columns, 'favourite', isFlag, 0);
      this.#keep(columns, 'origin', (value) => value === 'user' || value === 'drawn', 'user');
      this.#keep(columns, 'created_at', Number.isInteger, 0);
    }
    for (const { columns } of parts.values()) this.#repairPart(columns);
  }

  #repairTurn(columns: Columns): void {
    this.renewId(columns);
    const byModel = typeof columns['model'] === 'string' ? 'assistant' : 'user';
    this.#keep(columns, 'role', (value) => value === 'user' || value === 'assistant', byModel);
    this.#keep(columns, 'status', (value) => statuses.includes(String(value)), 'complete');
    this.#keep(columns, 'position', isCount, 1_000_000);
    this.#keep(columns, 'error', isJsonOrNull, null);
    this.#keep(columns, 'notices', (value) => value !== null && isJsonOrNull(value), '[]');
    this.#keep(columns, 'usage', isJsonOrNull, null);
    this.#keep(columns, 'model', isTextOrNull, null);
    this.#keep(columns, 'rating', (value) => value === null || Math.abs(Number(value)) === 1, null);
    this.#keep(columns, 'created_at', Number.isInteger, 0);
  }

  #repairPart(columns: Columns): void {
    const { kind, body, error } = columns;
    const shownAs = (known: StoredValue | undefined): boolean => kind === known;
    const whole =
      (shownAs('text') && typeof body === 'string') ||
      (shownAs('picture') && Number.isInteger(columns['picture_key'])) ||
      (shownAs('undrawn') &&
        typeof body === 'string' &&
        error !== undefined &&
        error !== null &&
        isJsonOrNull(error));
    if (!whole) {
      const words = typeof body === 'string' ? body : lostPart;
      Object.assign(columns, { kind: 'text', body: words, picture_key: null, error: null });
      this.repaired += 1;
    }
    this.#keep(columns, 'position', isCount, 1_000_000);
  }

  renewId(columns: Columns): void {
    this.#keep(columns, 'id', (value) => typeof value === 'string' && uuid.test(value), '');
    if (columns['id'] === '') columns['id'] = randomUUID();
  }

  #keep(
    columns: Columns,
    name: string,
    isGood: (value: StoredValue) => boolean,
    otherwise: StoredValue,
  ): void {
    const value = columns[name];
    if (value !== undefined && isGood(value)) return;
    // A column that an older row does not have yet is no damage.
    if (value !== undefined) this.repaired += 1;
    columns[name] = otherwise;
  }
}

const isIntegerOrNull = (value: StoredValue): boolean => value === null || Number.isInteger(value);
const isTextOrNull = (value: StoredValue): boolean => value === null || typeof value === 'string';
const isCount = (value: StoredValue): boolean => Number.isInteger(value) && Number(value) >= 0;

function isFlag(value: StoredValue): boolean {
  return value === 0 || value === 1;
}

function isJsonOrNull(value: StoredValue): boolean {
  if (value === null) return true;
  if (typeof value !== 'string') return false;
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}
