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
import { createPictureStore } from '../../src/main/pictures/store.ts';
import { pictureSchema } from '../../src/shared/domain/picture.ts';
import type { Turn } from '../../src/shared/domain/turn.ts';
import { silentLogger } from '../../src/base/log.ts';
import { describeMachine, formatMachine } from '../machine.ts';

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
    id: randomUUID(),
    role,
    parts,
    status: 'complete',
    error: null,
    notices: [],
    usage: null,
    model: role === 'user' ? null : 'TextBind mini',
    createdAt: begun + index,
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

function fill(storage: OpenedStorage, places: Places, conversations: number): string {
  const { store } = storage;
  let last = '';
  for (let number = 0; number < conversations; number += 1) {
    last = randomUUID();
    const id = last;
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
  return last;
}

async function timed(work: () => unknown): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

function open(places: Places): OpenedStorage {
  const start = startStorage({ places });
  if (start.kind === 'failed') throw new Error(start.failure.detail);
  return start.storage;
}

type Row = readonly [what: string, ms: number];

async function measure(conversations: number): Promise<readonly Row[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'textbind-growth-'));
  const places: Places = {
    database: path.join(folder, 'textbind.db'),
    backups: path.join(folder, 'backups'),
    pictures: path.join(folder, 'pictures'),
  };
  try {
    let storage = open(places);
    const filling = performance.now();
    const last = fill(storage, places, conversations);
    process.stderr.write(
      `... ${conversations} conversations filled in ${Math.round((performance.now() - filling) / 1000)} s\n`,
    );
    const first = await timed(() => storage.backups.make(storage.database, 'day'));
    storage.database.close();
    const rows: Row[] = [['start (open, look at it, list the first 100)', 0]];
    const start = await timed(() => {
      storage = open(places);
      storage.store.conversations.list(100, 0);
    });
    rows[0] = [rows[0]![0], start];
    const { store } = storage;
    const pictures = createPictureStore(places.pictures, store.pictures, () => systemClock.now());
    const search = (query: string): Promise<number> =>
      timed(() => store.conversations.search(query, 100, 0));
    rows.push(['list, first 100', await timed(() => store.conversations.list(100, 0))]);
    rows.push([
      'list, last 100',
      await timed(() => store.conversations.list(100, conversations - 100)),
    ]);
    rows.push(['search, a word of one message', await search('quicksilver')]);
    rows.push(['search, a word of every conversation', await search('lighthouse')]);
    rows.push(['open a conversation of 100 messages', await timed(() => store.turns.list(last))]);
    rows.push([
      'collect pictures',
      await timed(() => pictures.collect({ unusedSince: begun, trashedBefore: begun })),
    ]);
    rows.push(['copy of the database, checked', first]);
    rows.push([
      'export of one, with 5 pictures',
      await timed(() =>
        exportConversations({
          conversationIds: [last],
          format: 'md',
          target: path.join(folder, 'export.md'),
          record: (id) => store.records.read(id),
          fileOf: (hash) => pictures.fileOf(hash),
          printPdf: null,
          writtenBy: 'bench',
          now: Date.now(),
        }),
      ),
    ]);
    rows.push(['end (copy and close)', await timed(() => closeStorage(storage, silentLogger))]);
    rows.push(['size of the database, MB', statSync(places.database).size / 1e6]);
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
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
