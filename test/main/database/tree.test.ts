import { expect, test } from 'vitest';
import type { StoredValue } from '../../../src/main/database/salvage/rows.ts';
import { mendTree } from '../../../src/main/database/salvage/tree.ts';
import { randomSource } from '../../support/random-source.ts';

interface Row {
  readonly key: number;
  readonly columns: Record<string, StoredValue>;
}

/** Two conversations of turns in versions, with drawings in versions, of which rows are lost and fields are wrong. */
function damagedTree(seed: number) {
  const { below } = randomSource(seed);
  const turns = new Map<number, Row>();
  const parts: Row[] = [];
  for (let key = 1; key <= 30; key += 1) {
    const conversation = 1 + below(2);
    const others = [...turns.values()].filter(
      ({ columns }) => columns['conversation_key'] === conversation,
    );
    const parent = others.length === 0 || below(8) === 0 ? null : others[below(others.length)]!.key;
    turns.set(key, {
      key,
      columns: {
        conversation_key: conversation,
        parent_key: below(10) === 0 ? below(40) : parent,
        is_current: below(2),
        deletion_key: below(6) === 0 ? 1 + below(2) : null,
      },
    });
    for (let part = 0; part < 4; part += 1) {
      parts.push({
        key: key * 10 + part,
        columns: {
          turn_key: key,
          position: below(3),
          kind: below(2) === 0 ? 'text' : 'undrawn',
          is_current: below(2),
          deletion_key: below(5) === 0 ? 1 : null,
        },
      });
    }
  }
  for (let lost = 0; lost < 6; lost += 1) turns.delete(1 + below(30));
  const deletions = new Map<number, Row>([[1, { key: 1, columns: {} }]]);
  return { turns, parts, deletions };
}

function groupsOf(rows: Iterable<Row>, columns: readonly string[]): Row[][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const name = columns.map((column) => String(row.columns[column])).join(' ');
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  return [...groups.values()];
}

const isCurrent = ({ columns }: Row): boolean => columns['is_current'] === 1;

test.each(Array.from({ length: 100 }, (_, seed) => seed))(
  'whatever is lost, turns hang together by the rules of their tables: seed %d',
  (seed) => {
    const { turns, parts, deletions } = damagedTree(seed);
    mendTree(turns, parts, deletions);
    for (const { key, columns } of turns.values()) {
      const parent = columns['parent_key'] as number | null;
      if (parent === null) continue;
      expect(parent).toBeLessThan(key);
      expect(turns.get(parent)?.columns['conversation_key']).toBe(columns['conversation_key']);
    }
    for (const versions of groupsOf(turns.values(), ['conversation_key', 'parent_key']))
      expect(versions.filter(isCurrent)).toHaveLength(1);
    for (const there of groupsOf(parts, ['turn_key', 'position'])) {
      expect(there.filter(isCurrent)).toHaveLength(1);
      const words = there.filter(({ columns }) => columns['kind'] === 'text');
      expect(words.length === 0 || there.length === 1).toBe(true);
    }
    for (const { columns } of parts) {
      if (columns['deletion_key'] !== null) expect(columns['is_current']).toBe(0);
    }
    for (const { columns } of [...turns.values(), ...parts])
      expect([null, 1]).toContain(columns['deletion_key']);
  },
);
