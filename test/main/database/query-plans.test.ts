import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { StudioDatabase } from '../../../src/main/database/open.ts';
import { galleryQueries } from '../../../src/main/database/gallery.ts';
import { foundPlaceQueries } from '../../../src/main/database/found-places.ts';
import { filterParameters, listQueries } from '../../../src/main/database/list-queries.ts';
import { searchQueries } from '../../../src/main/database/search.ts';
import type { Store } from '../../../src/main/database/store.ts';
import { turnQueries } from '../../../src/main/database/turns.ts';
import { versionQueries } from '../../../src/main/database/versions.ts';
import { openTestStorage } from '../support/storage.ts';
import { makeTurn, text } from '../support/turns.ts';

function fill(store: Store, conversations: number): string {
  let last = '';
  store.transaction(() => {
    for (let index = 0; index < conversations; index += 1) {
      last = randomUUID();
      store.conversations.create(last, `Conversation ${index}`, index);
      store.turns.append(last, makeTurn('user', [text(index % 50 === 0 ? 'needle' : 'straw')]));
      store.turns.append(last, makeTurn('assistant', [text('some reply')]));
    }
  });
  return last;
}

function planOf(database: StudioDatabase, sql: string, parameters: readonly unknown[]): string[] {
  const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters) as {
    detail: string;
  }[];
  return rows.map(({ detail }) => detail);
}

/** A step over a whole table of ours. The full-text table is asked by MATCH, and what a query made itself is small. */
const scans = (plan: readonly string[]): string[] =>
  plan.filter((step) =>
    /^SCAN (?!search VIRTUAL TABLE INDEX \d+:.*(?:M|=|><)|json_each VIRTUAL|each\b|found|path|ancestor|\(|CONSTANT)/.test(
      step,
    ),
  );

const id = randomUUID();
const filter = filterParameters({ tag: 'x', has: 'drawing', model: 'Mini', since: 1 });
const statements: [string, string, unknown[]][] = [
  ['list', listQueries.list, [50, 0]],
  ['count', listQueries.count, []],
  ['filtered list', listQueries.filtered, [{ ...filter, archived: 0, limit: 50, offset: 0 }]],
  ['filtered count', listQueries.filteredCount, [{ ...filter, archived: 0 }]],
  ['one that was found', listQueries.found, [{ ...filter, archived: null, key: 1 }]],
  ['one listed', listQueries.one, [1]],
  [
    'the next to read',
    listQueries.next,
    [{ ...filter, archived: null, updated: 1, key: 1, limit: 20 }],
  ],
  ['models', listQueries.models, []],
  ['hits', searchQueries.hits, ['nee']],
  ['text found', searchQueries.body, [4]],
  ['texts of a conversation', searchQueries.bodies, [1, 2]],
  ['place found', foundPlaceQueries.place, [1]],
  ['the path they lie on', foundPlaceQueries.path, [id]],
  ['turns of a conversation', turnQueries.turns, [id]],
  ['parts of a conversation', turnQueries.parts, [id]],
  ['one turn', turnQueries.turn, [id]],
  ['parts of one turn', turnQueries.partsOfTurn, [id]],
  ['the end of the path', turnQueries.end, [id]],
  ['versions of turns', versionQueries.turns, [id]],
  ['versions of drawings', versionQueries.drawings, [id]],
  ['the way to a turn', versionQueries.ancestors, [id]],
  ['versions of one turn', versionQueries.siblings, [id]],
  ['drawings at one place', versionQueries.drawingsAt, [0, id]],
  ['pictures of the gallery', galleryQueries.all, []],
  ['the place of a picture', galleryQueries.placeOf, [1]],
  ['pictures at one place', versionQueries.picturesAt, [0, id]],
  ['trash', listQueries.deleted, [50, 0]],
  ['trash count', listQueries.deletedCount, []],
];

describe('query plans', () => {
  test.each(statements)('%s uses indexes and scans no table', (_name, sql, parameters) => {
    const { store, database } = openTestStorage();
    fill(store, 200);
    database.exec('ANALYZE');
    const plan = planOf(database, sql, parameters);
    expect(plan.length).toBeGreaterThan(0);
    expect(scans(plan), plan.join('\n')).toEqual([]);
  });

  test('the check itself sees a scan', () => {
    const { store, database } = openTestStorage();
    fill(store, 20);
    expect(scans(planOf(database, 'SELECT * FROM turns WHERE usage = ?', ['x']))).toHaveLength(1);
    expect(scans(planOf(database, 'SELECT * FROM search WHERE body = ?', ['x']))).toHaveLength(1);
  });

  test('list and open need no sorting', () => {
    const { store, database } = openTestStorage();
    fill(store, 200);
    for (const [sql, parameters] of [
      [listQueries.list, [50, 0]],
      [turnQueries.turns, [id]],
      [turnQueries.parts, [id]],
    ] as const) {
      expect(planOf(database, sql, parameters).join('\n')).not.toContain('TEMP B-TREE');
    }
  });

  test('the plans of list and open stay the same with ten times the conversations', () => {
    const plans = [100, 1000].map((conversations) => {
      const { store, database } = openTestStorage();
      fill(store, conversations);
      database.exec('ANALYZE');
      return statements.map(([, sql, parameters]) => planOf(database, sql, parameters));
    });
    expect(plans[1]).toEqual(plans[0]);
  });
});
