import type { Columns, Row } from './fields.ts';

/**
 * Makes turns and parts a tree again that the tables' rules take: a parent has a lower key and lies in the same
 * conversation, one version of each is current. A turn whose parent is lost hangs on the nearest one before it, so that
 * it is shown.
 * @returns how many turns had lost what they hang on, by conversation
 */
export function mendTree(
  turns: ReadonlyMap<number, Row>,
  parts: readonly Row[],
  deletions: ReadonlyMap<number, Row>,
): Map<number, number> {
  const lost = new Map<number, number>();
  for (const { columns } of [...turns.values(), ...parts]) forgetDeletion(columns, deletions);
  for (const members of grouped(turns.values(), (row) => String(row.columns['conversation_key']))) {
    members.sort((a, b) => a.key - b.key);
    for (const [index, turn] of members.entries()) {
      if (hangsRight(turn, turns)) continue;
      turn.columns['parent_key'] = members[index - 1]?.key ?? null;
      turn.columns['is_current'] = 1;
      const conversation = Number(turn.columns['conversation_key']);
      lost.set(conversation, (lost.get(conversation) ?? 0) + 1);
    }
  }
  const siblings = grouped(
    turns.values(),
    ({ columns }) => `${columns['conversation_key']} ${columns['parent_key']}`,
  );
  for (const versions of siblings) keepOneCurrent(versions);
  mendPlaces(parts);
  return lost;
}

function hangsRight({ key, columns }: Row, turns: ReadonlyMap<number, Row>): boolean {
  const parent = columns['parent_key'];
  if (parent === null) return true;
  if (typeof parent !== 'number' || parent >= key) return false;
  return turns.get(parent)?.columns['conversation_key'] === columns['conversation_key'];
}

/** The last of those that say they are; the last of all where none does. */
function keepOneCurrent(versions: readonly Row[]): void {
  const shown = versions.filter(({ columns }) => columns['deletion_key'] === null);
  const claimed = versions.filter(({ columns }) => columns['is_current'] === 1);
  const current = claimed.at(-1) ?? shown.at(-1) ?? versions.at(-1);
  for (const row of versions) row.columns['is_current'] = row === current ? 1 : 0;
}

/** Words stand alone in their place and are always current; of the drawings at one place one is. */
function mendPlaces(parts: readonly Row[]): void {
  for (const ofTurn of grouped(parts, ({ columns }) => String(columns['turn_key']))) {
    let end = Math.max(...ofTurn.map(({ columns }) => Number(columns['position'])));
    for (const there of grouped(ofTurn, ({ columns }) => String(columns['position']))) {
      const words = there.filter(({ columns }) => columns['kind'] === 'text');
      const drawings = there.filter(({ columns }) => columns['kind'] !== 'text');
      for (const { columns } of drawings.length > 0 ? words : words.slice(1)) {
        columns['position'] = end += 1;
      }
      for (const { columns } of words) {
        Object.assign(columns, { is_current: 1, deletion_key: null });
      }
      if (drawings.length > 0) keepOneCurrent(drawings);
      for (const { columns } of drawings) {
        if (columns['is_current'] === 1) columns['deletion_key'] = null;
      }
    }
  }
}

/** What names a deletion that is lost is no longer deleted: better seen once more than gone. */
function forgetDeletion(columns: Columns, deletions: ReadonlyMap<number, Row>): void {
  const key = columns['deletion_key'];
  if (typeof key !== 'number' || !deletions.has(key)) columns['deletion_key'] = null;
}

function grouped(rows: Iterable<Row>, groupOf: (row: Row) => string): Row[][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const members = groups.get(groupOf(row));
    if (members === undefined) groups.set(groupOf(row), [row]);
    else members.push(row);
  }
  return [...groups.values()];
}
