// The tree of versions as it lies in the database, and what may be asked of it whatever happened to the app.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { app } from './app.ts';

export interface StoredTurn {
  readonly id: string;
  readonly conversation: string;
  readonly parent: string | null;
  readonly role: string;
  readonly status: string;
  readonly current: number;
  readonly deletion: string | null;
}

export interface StoredPart {
  readonly turn: string;
  readonly position: number;
  readonly kind: string;
  /** The words of a text, the caption of what was not drawn. */
  readonly body: string | null;
  /** Of a picture's file. */
  readonly hash: string | null;
  readonly caption: string | null;
  readonly current: number;
  readonly deletion: string | null;
}

export interface StoredTree {
  /** What SQLite says of itself; empty where all is well. */
  readonly faults: readonly string[];
  readonly turns: readonly StoredTurn[];
  readonly parts: readonly StoredPart[];
  /** Turns that the first ones lead to. */
  readonly reached: number;
}

export function readTree(): StoredTree {
  const database = new Database(path.join(app().userData, 'data', 'textbind.db'));
  try {
    const integrity = String(database.pragma('integrity_check', { simple: true }));
    const broken = database.pragma('foreign_key_check') as unknown[];
    return {
      faults: [
        ...(integrity === 'ok' ? [] : [integrity]),
        ...(broken.length === 0 ? [] : [`${broken.length} rows lost what they refer to`]),
      ],
      turns: database
        .prepare<[], StoredTurn>(
          `SELECT t.id, c.id AS conversation, p.id AS parent, t.role, t.status, t.is_current AS current, d.id AS deletion
           FROM turns t JOIN conversations c ON c.key = t.conversation_key LEFT JOIN turns p ON p.key = t.parent_key
           LEFT JOIN deletions d ON d.key = t.deletion_key ORDER BY t.key`,
        )
        .all(),
      parts: database
        .prepare<[], StoredPart>(
          `SELECT t.id AS turn, p.position, p.kind, p.body, i.hash, i.caption, p.is_current AS current, d.id AS deletion
           FROM parts p JOIN turns t ON t.key = p.turn_key LEFT JOIN pictures i ON i.key = p.picture_key
           LEFT JOIN deletions d ON d.key = p.deletion_key ORDER BY p.key`,
        )
        .all(),
      reached: Number(
        database
          .prepare(
            `WITH RECURSIVE reached (key) AS (
               SELECT key FROM turns WHERE parent_key IS NULL
               UNION SELECT t.key FROM reached JOIN turns t ON t.parent_key = reached.key
             ) SELECT count(*) FROM reached`,
          )
          .pluck()
          .get(),
      ),
    };
  } finally {
    database.close();
  }
}

/** What is wrong with a tree by itself, in sentences. */
export function faultsOf({ faults, turns, parts, reached }: StoredTree): string[] {
  const found = [...faults];
  if (reached !== turns.length) found.push(`${turns.length - reached} turns hang on nothing`);
  const currents = new Map<string, number>();
  for (const { conversation, parent, current } of turns) {
    const place = `${conversation} behind ${parent}`;
    currents.set(place, (currents.get(place) ?? 0) + current);
  }
  for (const { turn, position, current, deletion } of parts) {
    const place = `${turn} at ${position}`;
    if (deletion === null) currents.set(place, (currents.get(place) ?? 0) + current);
  }
  for (const [place, count] of currents)
    if (count !== 1) found.push(`${count} versions are current in ${place}`);
  for (const { hash } of parts) {
    if (hash === null) continue;
    const file = path.join(app().userData, 'data', 'pictures', hash.slice(0, 2), hash);
    if (!existsSync(file)) found.push(`picture ${hash} has no file`);
    else if (createHash('sha256').update(readFileSync(file)).digest('hex') !== hash)
      found.push(`picture ${hash} has other bytes`);
  }
  return found;
}

/**
 * What was there before and is not after, in sentences. What was not drawn may be drawn since, and a version that never
 * said a word, which nothing follows, gives way to the next.
 */
export function missingFrom(before: StoredTree, after: StoredTree): string[] {
  const found: string[] = [];
  const turns = new Map(after.turns.map((turn) => [turn.id, turn]));
  for (const { id, parent, role } of before.turns) {
    const now = turns.get(id);
    const isEmpty =
      !before.parts.some(({ turn }) => turn === id) &&
      !before.turns.some((turn) => turn.parent === id);
    if (now === undefined && isEmpty) continue;
    if (now === undefined) found.push(`turn ${id} is gone`);
    else if (now.parent !== parent || now.role !== role) found.push(`turn ${id} hangs elsewhere`);
  }
  const keyOf = ({ turn, position, kind, body, hash }: StoredPart): string =>
    JSON.stringify([turn, position, kind, body, hash]);
  const parts = new Set(after.parts.map(keyOf));
  for (const part of before.parts) {
    if (parts.has(keyOf(part))) continue;
    const isDrawn = after.parts.some(
      ({ turn, position, caption }) =>
        part.kind === 'undrawn' &&
        turn === part.turn &&
        position === part.position &&
        caption === part.body,
    );
    if (!isDrawn) found.push(`part ${keyOf(part)} is gone`);
  }
  return found;
}

/** Ids of the turns that a conversation shows, in order. */
export function shownPath({ turns }: StoredTree, conversation: string): string[] {
  const path: string[] = [];
  for (let parent: string | null = null; ;) {
    const next = turns.find(
      (turn) => turn.conversation === conversation && turn.parent === parent && turn.current === 1,
    );
    if (next === undefined) return path;
    if (next.deletion === null) path.push(next.id);
    parent = next.id;
  }
}
