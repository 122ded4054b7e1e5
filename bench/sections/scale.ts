import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { closeDatabase, openDatabase } from '../../src/main/database/open.ts';
import { createStore, type Store } from '../../src/main/database/store.ts';
import { pictureSchema } from '../../src/shared/domain/picture.ts';
import type { ConversationFilter } from '../../src/shared/domain/conversation.ts';
import { emptyTurn, type MessagePart, type Turn } from '../../src/shared/domain/turn.ts';
import { fillerWords, pageSize } from '../filler.ts';
import type { BenchOptions } from '../options.ts';
import { median, percentile } from '../statistics.ts';
import type { Row, Section } from '../tables.ts';

const conversations = 5_000;
const turnsEach = 20;
/** Times that each is done. */
const defaultRuns = 200;
const begun = 1_700_000_000_000;
const chinese = ['昨天我看见一只苹果色的猫', '港口的灯塔在早晨很安静', '请画一座黄色的桥'];

function textOf(conversation: number, turn: number): string {
  if (conversation % 10 === 0) return chinese[turn % chinese.length] ?? '';
  const text = Array.from(
    { length: 20 },
    (_, at) => fillerWords[(turn * 7 + conversation + at * at) % fillerWords.length],
  );
  if (conversation % 500 === 7 && turn === 3) text.push('quicksilver');
  return `${text.join(' ')}.`;
}

function picture({ pictures }: Store, number: number): MessagePart {
  const made = pictureSchema.parse({
    id: randomUUID(),
    hash: number.toString(16).padStart(64, '0'),
    mediaType: 'image/png',
    width: 128,
    height: 128,
    bytes: 200,
    origin: 'drawn',
    caption: 'a yellow bridge',
    recipe: null,
  });
  pictures.insert(made, begun);
  return { kind: 'picture', picture: made };
}

function turnOf(store: Store, conversation: number, index: number): Turn {
  const role = index % 2 === 0 ? 'user' : 'assistant';
  const text: MessagePart = { kind: 'text', text: textOf(conversation, index) };
  const drawn = conversation % 5 === 0 && index === 9;
  return {
    ...emptyTurn({ id: randomUUID(), role, createdAt: begun + index }),
    parts: drawn ? [text, picture(store, conversation)] : [text],
    status: 'complete',
    model: role === 'user' ? null : conversation % 50 === 0 ? 'Another model' : 'TextBind mini',
  };
}

function fill(store: Store): readonly string[] {
  const ids: string[] = [];
  for (let from = 0; from < conversations; from += 100) {
    store.transaction(() => {
      for (let number = from; number < from + 100; number += 1) {
        const id = randomUUID();
        store.conversations.create(id, `Conversation ${number}`, begun + number);
        for (let index = 0; index < turnsEach; index += 1)
          store.turns.append(id, turnOf(store, number, index));
        ids.push(id);
      }
    });
  }
  return ids;
}

type Operation = readonly [label: string, run: (store: Store, round: number) => unknown];

const search = (store: Store, typed: string, filter: ConversationFilter = {}): number =>
  store.conversations.search(typed, pageSize, 0, filter).conversations.length;

function found(count: number, least: number): void {
  if (count < least) throw new Error(`${count} conversations were found, not ${least}`);
}

const operations = (ids: readonly string[]): readonly Operation[] => [
  ['list, first 100', ({ conversations: table }) => table.list(pageSize, 0)],
  [
    'list, 100 from anywhere',
    ({ conversations: table }, round) => table.list(pageSize, (round * 613) % conversations),
  ],
  [
    'list, of one model',
    ({ conversations: table }) => table.list(pageSize, 0, { model: 'Another model' }),
  ],
  [
    'list, with drawings',
    ({ conversations: table }) => table.list(pageSize, 0, { has: 'drawing' }),
  ],
  [
    'open a conversation of 20 messages',
    ({ turns }, round) => turns.list(ids[(round * 613) % ids.length] ?? ''),
  ],
  ['search, a word of 10 messages', (store) => found(search(store, 'quicksilver'), 10)],
  ['search, a part of a word', (store) => found(search(store, 'icksilv'), 10)],
  ['search, a word of most conversations', (store) => found(search(store, 'lighthouse'), pageSize)],
  ['search, two words', (store) => found(search(store, 'lighthouse bridge'), pageSize)],
  ['search, one letter', (store) => found(search(store, 'q'), 10)],
  ['search, two letters of Chinese', (store) => found(search(store, '灯塔'), pageSize)],
  ['search, what nothing has', (store) => search(store, 'zeppelin')],
  [
    'search, a word of 10 messages, with drawings',
    (store) => search(store, 'quicksilver', { has: 'drawing' }),
  ],
];

/** Wall time and time of the processor of each run, ms. */
function timed(operation: Operation[1], store: Store, runs: number) {
  const wall: number[] = [];
  const cpu: number[] = [];
  for (let round = -3; round < runs; round += 1) {
    const [usage, begin] = [process.cpuUsage(), performance.now()];
    operation(store, Math.max(0, round));
    const taken = performance.now() - begin;
    const { user, system } = process.cpuUsage(usage);
    // The first ones read what later ones find in memory.
    if (round < 0) continue;
    wall.push(taken);
    cpu.push((user + system) / 1000);
  }
  return { wall, cpu };
}

/** What the list, opening and search take with 100,000 messages in 5,000 conversations. */
export async function measureScale(
  { runs }: BenchOptions,
  say: (line: string) => void,
): Promise<Section> {
  const rounds = runs ?? defaultRuns;
  const folder = mkdtempSync(path.join(tmpdir(), 'textbind-bench-scale-'));
  const file = path.join(folder, 'textbind.db');
  const database = openDatabase({ file, backupFolder: folder });
  try {
    const store = createStore(database);
    say(`scale: filling ${conversations} conversations of ${turnsEach} messages`);
    const ids = fill(store);
    database.pragma('wal_checkpoint(TRUNCATE)');
    const rows: Row[] = [];
    for (const [label, operation] of operations(ids)) {
      const { wall, cpu } = timed(operation, store, rounds);
      rows.push({
        label,
        unit: 'ms',
        cells: [[median(wall)], [percentile(wall, 0.95)], [median(cpu)], [percentile(cpu, 0.95)]],
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
    return {
      name: 'scale',
      title: `${conversations * turnsEach} messages in ${conversations} conversations`,
      about: [
        `a database of ${Math.round(statSync(file).size / 1e6)} MB in a temporary folder, a tenth of it Chinese; each ${rounds} times in one process`,
      ],
      tables: [
        {
          title: 'in main',
          columns: ['median', '95th percentile', 'CPU, median', 'CPU, 95th percentile'],
          rows,
        },
      ],
      skipped: [],
    };
  } finally {
    closeDatabase(database);
    rmSync(folder, { recursive: true, force: true });
  }
}
