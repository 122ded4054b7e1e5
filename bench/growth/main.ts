// `npm run bench -- growth`: how start, list, search, collection, copy and export grow with what is stored.
//   --sizes 100,1000,10000   conversations; each has 100 messages, and every fifth 25 pictures (5 a conversation)
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { exportConversations } from '../../src/main/exchange/exporter.ts';
import { closeStorage, startStorage, type OpenedStorage } from '../../src/main/database/storage.ts';
import { createCopyInspector } from '../../src/main/processes/copy-inspector.ts';
import { createPictureStore } from '../../src/main/pictures/store.ts';
import { pictureSchema } from '../../src/shared/domain/picture.ts';
import { emptyTurn, type Turn } from '../../src/shared/domain/turn.ts';
import { silentLogger } from '../../src/base/log.ts';
import { root } from '../../scripts/setup/steps.mjs';
import { describeMachine, formatMachine } from '../machine.ts';
import { createNodeSpawn } from '../node-spawn.ts';

const { values } = parseArgs({
  options: { sizes: { type: 'string', default: '100,1000,10000' } },
});
const messages = 100;
const picturesEach = 5;
const begun = 1_700_000_000_000;
const words =
  'harbour lighthouse keeper window apple table river mountain paper yellow morning engine'.split(
    ' ',
  );

interface Places {
  readonly database: string;
  readonly backups: string;
  readonly pictures: string;
}

function message(index: number, parts: Turn['parts']): Turn {
  const role = index % 2 === 0 ? 'user' : 'assistant';
  return {
    ...emptyTurn({ id: randomUUID(), role, createdAt: begun + index }),
    parts,
    status: 'complete',
    model: role === 'user' ? null : 'TextBind mini',
  };
}

/** Files of 200 bytes: what is counted is names and rows, not what a disk can write. */
function addPicture({ store }: OpenedStorage, folder: string): Turn['parts'][number] {
  const bytes = Buffer.alloc(200, randomUUID());
  const hash = createHash('sha256').update(bytes).digest('hex');
  const file = path.join(folder, hash.slice(0, 2), hash);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  utimesSync(file, new Date(begun), new Date(begun));
  const picture = pictureSchema.parse({
    id: randomUUID(),
    hash,
    mediaType: 'image/png',
    width: 128,
    height: 128,
    bytes: bytes.length,
    origin: 'user',
    caption: null,
    recipe: null,
  });
  store.pictures.insert(picture, begun);
  return { kind: 'picture', picture };
}

function fill(storage: OpenedStorage, places: Places, conversations: number): void {
  const { store } = storage;
  for (let number = 0; number < conversations; number += 1) {
    const id = randomUUID();
    store.transaction(() => {
      store.conversations.create(id, `Conversation ${number}`, begun + number);
      for (let index = 0; index < messages; index += 1) {
        const text = Array.from(
          { length: 20 },
          (_, at) => words[(index * 7 + number + at * at) % words.length],
        );
        if (number === 7 && index === 3) text.push('quicksilver');
        const picture = index % (messages / picturesEach) === 0;
        store.turns.append(
          id,
          message(index, [
            ...(picture ? [addPicture(storage, places.pictures)] : []),
            { kind: 'text', text: `${text.join(' ')}.` },
          ]),
        );
      }
    });
  }
}

/** Milliseconds that something takes, and the longest of them in which main could do nothing else. */
interface Taken {
  readonly ms: number;
  readonly held: number;
}

async function timed(work: () => unknown): Promise<Taken> {
  const begin = performance.now();
  let last = begin;
  let held = 0;
  const look = (): void => {
    const now = performance.now();
    held = Math.max(held, now - last);
    last = now;
  };
  const ticking = setInterval(look, 1);
  await work();
  clearInterval(ticking);
  look();
  return { ms: performance.now() - begin, held };
}

function open(places: Places): OpenedStorage {
  const inspectCopy = createCopyInspector({
    spawn: createNodeSpawn(process.execPath, path.join(root, 'src/main/keeper/main.ts')),
    clock: systemClock,
    log: silentLogger,
  });
  const start = startStorage({ places, inspectCopy });
  if (start.kind === 'failed') throw new Error(start.failure.detail);
  return start.storage;
}

type Row = readonly [what: string, value: number];

const heldRow = 'longest that it holds main';

async function measure(conversations: number): Promise<readonly Row[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'textbind-growth-'));
  try {
    return await measureIn(folder, conversations);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureIn(folder: string, conversations: number): Promise<readonly Row[]> {
  const places: Places = {
    database: path.join(folder, 'textbind.db'),
    backups: path.join(folder, 'backups'),
    pictures: path.join(folder, 'pictures'),
  };
  let storage = open(places);
  const filling = await timed(() => fill(storage, places, conversations));
  process.stderr.write(
    `... ${conversations} conversations filled in ${Math.round(filling.ms / 1000)} s\n`,
  );
  const copy = await timed(() => storage.backups.make(storage.database, 'day'));
  storage.database.close();
  const start = await timed(() => {
    storage = open(places);
    storage.store.conversations.list(100, 0);
  });
  const collect = await timed(() => collectPictures(storage, places));
  const reading = await measureReading(storage, places, conversations);
  const end = await timed(() => closeStorage(storage, silentLogger));
  return [
    ['start (open, look at it, list the first 100)', start.ms],
    ...reading,
    ['collect pictures', collect.ms],
    [heldRow, collect.held],
    ['copy of the database, checked', copy.ms],
    [heldRow, copy.held],
    ['end (nothing changed)', end.ms],
    ['size of the database, MB', statSync(places.database).size / 1e6],
  ];
}

/** Every row is old enough to be looked at for whether something shows it. */
function collectPictures({ store }: OpenedStorage, places: Places): Promise<unknown> {
  const pictures = createPictureStore(places.pictures, store.pictures, () => systemClock.now());
  return pictures.collect({ unusedSince: systemClock.now(), trashedBefore: begun });
}

async function measureReading(
  { store }: OpenedStorage,
  places: Places,
  conversations: number,
): Promise<readonly Row[]> {
  const pictures = createPictureStore(places.pictures, store.pictures, () => systemClock.now());
  const { id } = store.conversations.list(1, conversations - 1).conversations[0] ?? { id: '' };
  const target = path.join(path.dirname(places.database), 'export.md');
  const work: readonly (readonly [string, () => unknown])[] = [
    ['list, first 100', () => store.conversations.list(100, 0)],
    ['list, last 100', () => store.conversations.list(100, conversations - 100)],
    ['search, a word of one message', () => store.conversations.search('quicksilver', 100, 0)],
    [
      'search, a word of every conversation',
      () => store.conversations.search('lighthouse', 100, 0),
    ],
    ['open a conversation of 100 messages', () => store.turns.list(id)],
    [
      'export of one, with 5 pictures',
      () =>
        exportConversations({
          conversationIds: [id],
          format: 'md',
          target,
          record: (each) => store.records.read(each),
          fileOf: (hash) => pictures.fileOf(hash),
          printPdf: null,
          writtenBy: 'bench',
          now: Date.now(),
        }),
    ],
  ];
  const rows: Row[] = [];
  for (const [what, run] of work) rows.push([what, (await timed(run)).ms]);
  return rows;
}

process.stdout.write(`${formatMachine(describeMachine())}\n`);
const sizes = values.sizes.split(',').map(Number);
const columns: (readonly Row[])[] = [];
for (const size of sizes) columns.push(await measure(size));
const heads = sizes.map(
  (size) => `${size} conversations, ${size * messages} messages, ${size * picturesEach} pictures`,
);
process.stdout.write(
  `| ms | ${heads.join(' | ')} |\n| --- |${sizes.map(() => ' ---: |').join('')}\n`,
);
for (const [at, [what]] of (columns[0] ?? []).entries()) {
  const cells = columns.map((rows) => (rows[at]?.[1] ?? 0).toFixed(1));
  process.stdout.write(`| ${what} | ${cells.join(' | ')} |\n`);
}
process.stdout.write(`load at the end ${(loadavg()[0] ?? 0).toFixed(1)}\n`);
