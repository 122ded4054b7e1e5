import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { closeDatabase, openDatabase } from '../../src/main/database/open.ts';
import { createStore, type Store } from '../../src/main/database/store.ts';
import type { Turn } from '../../src/shared/domain/turn.ts';
import { fillerWords, pageSize } from '../filler.ts';
import type { BenchOptions } from '../options.ts';
import { interleave, pairedRatios } from '../statistics.ts';
import type { Row, Section } from '../tables.ts';

const defaultRuns = 9;
const sizes = [100, 1000] as const;
/** Turns of each conversation of the list. */
const turnsPerConversation = 10;
/**
 * Within a round an operation is repeated and the fastest taken: on a machine that does something else as well, one
 * that is longer than a time slice is interrupted and a shorter one is not, which looked like growth.
 */
const repeats = 10;

function turn(index: number, rare: boolean): Turn {
  const role = index % 2 === 0 ? 'user' : 'assistant';
  const text = Array.from(
    { length: 60 },
    (_, at) => fillerWords[(index * 7 + at * at) % fillerWords.length],
  );
  if (rare) text.push('quicksilver');
  return {
    id: randomUUID(),
    role,
    parts: [{ kind: 'text', text: `${text.join(' ')}.` }],
    status: 'complete',
    error: null,
    notices: [],
    usage: null,
    model: role === 'user' ? null : 'TextBind mini',
    createdAt: 1_700_000_000_000 + index,
  };
}

function fill(store: Store, conversations: number, turns: number): string[] {
  return Array.from({ length: conversations }, (_, number) => {
    const id = randomUUID();
    store.transaction(() => {
      store.conversations.create(id, `Conversation ${number}`, 1_700_000_000_000 + number);
      for (let index = 0; index < turns; index += 1) {
        store.turns.append(id, turn(index + number, number === 7 && index === 3));
      }
    });
    return id;
  });
}

interface Filled {
  /** Conversations of a list of this size. */
  readonly list: Store;
  /** One conversation of this many turns. */
  readonly long: Store;
  readonly longId: string;
}

type Operation = readonly [label: string, run: (filled: Filled, round: number) => void];

const operations: readonly Operation[] = [
  ['open a conversation of that many turns', ({ long, longId }) => void long.turns.list(longId)],
  [
    `first page of a list of that many conversations (${pageSize} rows)`,
    ({ list }) => void list.conversations.list(pageSize, 0),
  ],
  [
    'search a word that one turn has',
    ({ list }) => expectTotal(list.conversations.search('quicksilver', pageSize, 0).total, 1),
  ],
  [
    'search a word that every conversation has (first page)',
    ({ list }) => void list.conversations.search('lighthouse', pageSize, 0),
  ],
  [
    'store a turn at the end of that many (to the disk)',
    ({ long, longId }, round) => {
      const added = turn(round, false);
      long.turns.append(longId, added);
      long.turns.saveParts(added.id, [], 0);
      long.turns.dropEmpty(added.id);
    },
  ],
];

function expectTotal(found: number, wanted: number): void {
  if (found !== wanted) throw new Error(`search found ${found} conversations, not ${wanted}`);
}

function timed(operation: Operation[1], filled: Filled, round: number): number {
  const times = Array.from({ length: repeats }, () => {
    const begin = performance.now();
    operation(filled, round);
    return performance.now() - begin;
  });
  return Math.min(...times);
}

/** What the database costs, and how the cost grows from a hundred to a thousand. */
export async function measureStorage(
  { runs }: BenchOptions,
  say: (line: string) => void,
): Promise<Section> {
  const rounds = runs ?? defaultRuns;
  const folder = mkdtempSync(path.join(tmpdir(), 'textbind-bench-db-'));
  const open = (name: string) =>
    openDatabase({ file: path.join(folder, `${name}.db`), backupFolder: folder });
  const databases: ReturnType<typeof open>[] = [];
  const storeOf = (name: string): Store => {
    const database = open(name);
    databases.push(database);
    return createStore(database);
  };
  try {
    say(`storage: filling databases of ${sizes.join(' and ')}`);
    const filled = sizes.map((size): Filled => {
      const list = storeOf(`list-${size}`);
      fill(list, size, turnsPerConversation);
      const long = storeOf(`long-${size}`);
      return { list, long, longId: fill(long, 1, size)[0]! };
    });
    const rows: Row[] = [];
    for (const [label, operation] of operations) {
      for (const each of filled) timed(operation, each, 0);
      const [small = [], large = []] = await interleave(
        rounds,
        filled.map((each) => (round: number) => Promise.resolve(timed(operation, each, round))),
      );
      rows.push({
        label,
        unit: 'ms',
        cells: [small, large],
        comparison: pairedRatios(large, small),
      });
    }
    return {
      name: 'storage',
      title: 'Storage',
      about: [
        `SQLite with write-ahead log and synchronous FULL, in a temporary folder; a listed conversation has ${turnsPerConversation} turns of 60 words; the fastest of ${repeats} in each of ${rounds} rounds, in turns`,
      ],
      tables: [
        {
          title: 'median (least to most)',
          columns: sizes.map(String),
          comparison: 'times as slow',
          rows,
        },
      ],
      skipped: [],
    };
  } finally {
    for (const database of databases) closeDatabase(database);
    rmSync(folder, { recursive: true, force: true });
  }
}
