import { randomUUID } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { closeDatabase } from '../../../src/main/database/open.ts';
import {
  repairStorage,
  startStorage,
  type OpenedStorage,
  type StorageStart,
} from '../../../src/main/database/storage.ts';
import type { Store } from '../../../src/main/database/store.ts';
import type { Turn } from '../../../src/shared/domain/turn.ts';
import { randomSource } from '../../support/random-source.ts';
import { placesIn, type Places } from '../support/storage.ts';
import { makePicture, makeTurn, text } from '../support/turns.ts';
import { temporaryFolderForAll } from '../../support/temporary-folder.ts';

// In memory where the system has it: hundreds of small databases are forced to the disk here.
const folders = temporaryFolderForAll('memory');
const temporaryFolder = (): string => mkdtempSync(path.join(folders, 'x'));

/** Seeds for the bytes that pages are overwritten with; each is a run over all pages. */
const seeds = Number(process.env['TEXTBIND_DAMAGE_SEEDS'] ?? 1);
const kilobyte = 'lorem ipsum dolor sit amet '.repeat(40);

/** A generator of bytes that gives the same each time. */
function randomBytes(seed: number): (length: number) => Buffer {
  const { below } = randomSource(seed);
  return (length) => Buffer.from(Array.from({ length }, () => below(256)));
}

/** Words by which each part of the sample is known again. */
interface Sample {
  readonly places: Places;
  readonly words: readonly string[];
}

let wordNumber = 0;
const word = (): string => `zz${String((wordNumber += 1)).padStart(5, '0')}zz`;

function opened(start: StorageStart): OpenedStorage {
  if (start.kind === 'failed') throw new Error(`${start.failure.kind}: ${start.failure.detail}`);
  return start.storage;
}

/** A closed database of 4 conversations with short and long texts, pictures and captions. */
async function makeSample(): Promise<Sample> {
  const places = placesIn(temporaryFolder());
  const { database, store, backups } = opened(startStorage({ places }));
  const words: string[] = [];
  const say = (more = ''): string => {
    const said = word();
    words.push(said);
    return `${said} ${more}`;
  };
  for (let conversation = 0; conversation < 4; conversation += 1) {
    const id = randomUUID();
    store.conversations.create(id, say(), 1000 + conversation);
    for (let turn = 0; turn < 5; turn += 1) {
      const picture = makePicture({
        caption: say('a red apple'),
        hash: hashOf(turn, conversation),
      });
      store.pictures.insert(picture, 1000);
      const asked = makeTurn('user', [text(say(kilobyte)), text(say())]);
      const reply = makeTurn('assistant', [
        text(say(turn === 4 ? kilobyte.repeat(9) : kilobyte)),
        { kind: 'picture', picture },
      ]);
      store.turns.append(id, asked);
      store.turns.append(id, reply);
    }
  }
  await backups.make(database, 'close');
  closeDatabase(database);
  return { places, words };
}

const hashOf = (a: number, b: number): string => `${a}${b}`.padStart(64, 'a');

/** Everything that the window shows of a store, as one text; throws what a person would be told. */
function shown(store: Store): string {
  const { conversations } = store.conversations.list(500, 0);
  const turns = conversations.flatMap(({ id }) => store.turns.list(id));
  return JSON.stringify([conversations, turns.map((turn: Turn) => [turn.parts, turn.notices])]);
}

/** A person's next step: a search, a new conversation, and a turn in each there is. */
function use(store: Store): void {
  store.conversations.search('apple', 20, 0);
  const id = randomUUID();
  store.transaction(() => {
    store.conversations.create(id, 'after', 9000);
    store.turns.append(id, makeTurn('user', [text('still works')]));
  });
  expect(store.turns.list(id)).toHaveLength(1);
  for (const summary of store.conversations.list(500, 0).conversations) {
    store.transaction(() => store.turns.append(summary.id, makeTurn('user', [text('more')])));
  }
}

function missing(words: readonly string[], store: Store): string[] {
  const all = shown(store);
  return words.filter((each) => !all.includes(each));
}

/** Copies a sample, so that it can be damaged. */
function copyOf({ places }: Sample): Places {
  const copy = placesIn(temporaryFolder());
  copyFileSync(places.database, copy.database);
  cpSync(places.backups, copy.backups, { recursive: true });
  return copy;
}

/** The words that a file's bytes still hold in a row (each has a space behind it there, unlike in full text's lists). */
function wordsIn(file: string, words: readonly string[]): string[] {
  const bytes = readFileSync(file);
  return words.filter((each) => bytes.includes(`${each} `));
}

/**
 * Opens a damaged database as the app does: the window, or the problem page and then each of its ways out. Fails where
 * a readable word is hidden, where a way out leads nowhere, or where a person would be told a program's words.
 */
function proveUsable(places: Places, words: readonly string[], whole: readonly string[]): string {
  const before = existsSync(places.database) ? readFileSync(places.database) : null;
  const start = startStorage({ places });
  if (start.kind === 'open') {
    expect(missing(words, start.storage.store)).toEqual([]);
    use(start.storage.store);
    closeDatabase(start.storage.database);
    return start.storage.notice === null ? 'unharmed' : 'mended';
  }
  const { failure } = start;
  const told = [failure.title, ...failure.sentences].join(' ');
  expect(told).not.toMatch(/SQLITE|malformed|zod|"code"|disk image|undefined/);
  if (before !== null) expect(readFileSync(places.database).equals(before)).toBe(true);
  expect(failure.copies).toHaveLength(1);
  const again = placesIn(temporaryFolder());
  cpSync(path.dirname(places.database), path.dirname(again.database), { recursive: true });
  for (const repair of [
    { kind: 'restore', backup: failure.copies[0]! },
    { kind: 'start-anew' },
  ] as const) {
    const { store, database } = opened(repairStorage({ places: again }, repair));
    expect(missing(repair.kind === 'restore' ? whole : [], store)).toEqual([]);
    use(store);
    closeDatabase(database);
  }
  if (failure.canSalvage) {
    const { store, database } = opened(repairStorage({ places }, { kind: 'salvage' }));
    expect(missing(words, store)).toEqual([]);
    use(store);
    closeDatabase(database);
  } else expect(words).toEqual([]);
  return 'told';
}

const sample = await makeSample();
const pageSize = 4096;
const pageCount = readFileSync(sample.places.database).length / pageSize;

function overwrite(file: string, page: number, bytes: Buffer): void {
  const content = readFileSync(file);
  bytes.copy(content, (page - 1) * pageSize);
  writeFileSync(file, content);
}

describe('a database of which one page is overwritten', () => {
  test('the sample has pages of every kind', () => {
    expect(pageCount).toBeGreaterThan(60);
    const { database, store } = opened(startStorage({ places: sample.places }));
    expect(missing(sample.words, store)).toEqual([]);
    closeDatabase(database);
  });

  const fillings: [string, (page: number) => Buffer][] = [
    ['zeros', () => Buffer.alloc(pageSize)],
    ...Array.from({ length: seeds }, (_, seed): [string, (page: number) => Buffer] => [
      `random bytes, seed ${seed}`,
      (page) => randomBytes(seed * 100_003 + page)(pageSize),
    ]),
  ];
  test.each(fillings)(
    'with %s: whatever can be read is shown, whichever page it is',
    (_name, fill) => {
      const outcomes: Record<string, number[]> = {};
      for (let page = 1; page <= pageCount; page += 1) {
        const places = copyOf(sample);
        overwrite(places.database, page, fill(page));
        try {
          const left = wordsIn(places.database, sample.words);
          (outcomes[proveUsable(places, left, sample.words)] ??= []).push(page);
        } catch (error) {
          throw new Error(`page ${page}: ${(error as Error).message}`, { cause: error });
        } finally {
          rmSync(path.dirname(places.database), { recursive: true, force: true });
        }
      }
      // Full text and indexes are mended in silence; tables are not.
      expect(outcomes['mended']!.length).toBeGreaterThan(5);
      expect(outcomes['told']!.length).toBeGreaterThan(5);
    },
    seeds * 600_000,
  );
});

describe('a database that is otherwise not what it should be', () => {
  test.each([0.02, 0.3, 0.6, 0.9, 0.999])('cut to %d of its length', (share) => {
    const places = copyOf(sample);
    const { size } = statSync(places.database);
    truncateSync(places.database, Math.floor(size * share));
    const left = wordsInWholePages(places.database);
    expect(proveUsable(places, left, sample.words)).not.toBe('unharmed');
  });

  test.each([32, 4096, 100_000])('beside a write-ahead log of %d random bytes', (length) => {
    const places = copyOf(sample);
    writeFileSync(`${places.database}-wal`, randomBytes(length)(length));
    expect(proveUsable(places, sample.words, sample.words)).toBe('unharmed');
  });

  test('killed with its log, one page of the log overwritten: what was folded in before is there', () => {
    const places = copyOf(sample);
    const { database, store } = opened(startStorage({ places }));
    const id = randomUUID();
    store.conversations.create(id, 'zzlogzz', 9999);
    for (let turn = 0; turn < 20; turn += 1)
      store.turns.append(id, makeTurn('user', [text(`${kilobyte} ${turn}`)]));
    const crashed = placesIn(temporaryFolder());
    for (const end of ['', '-wal']) copyFileSync(places.database + end, crashed.database + end);
    cpSync(places.backups, crashed.backups, { recursive: true });
    closeDatabase(database);
    const log = readFileSync(`${crashed.database}-wal`);
    randomBytes(7)(3000).copy(log, Math.floor(log.length / 2));
    writeFileSync(`${crashed.database}-wal`, log);
    expect(proveUsable(crashed, [...sample.words, 'zzlogzz'], sample.words)).toBe('unharmed');
  });

  test('every page beyond the first gone at once', () => {
    const places = copyOf(sample);
    const bytes = readFileSync(places.database);
    bytes.fill(0, pageSize);
    writeFileSync(places.database, bytes);
    const start = startStorage({ places });
    if (start.kind === 'open') throw new Error('It opened');
    expect(start.failure).toMatchObject({ kind: 'damaged', canSalvage: false });
    expect(start.failure.sentences.join(' ')).toContain('Nothing of ours can be read in it.');
  });

  test.each([
    ['with an application id', 'PRAGMA application_id = 252006674; CREATE TABLE notes (x)'],
    ['without one', 'CREATE TABLE notes (x)'],
    ['without one, with a version', 'CREATE TABLE notes (x); PRAGMA user_version = 1'],
  ])('of another application, %s: it is kept to the byte, and started without', (_name, sql) => {
    const places = copyOf(sample);
    rmSync(places.database);
    const other = new Database(places.database);
    other.exec(sql);
    other.close();
    expect(proveUsable(places, [], sample.words)).toBe('told');
  });

  test('text in its place, a folder in its place, nothing, or no bytes: told, with every way out', () => {
    const put: ((file: string) => void)[] = [
      (file) => writeFileSync(file, 'x'.repeat(9000)),
      (file) => mkdirSync(file),
      () => undefined,
      (file) => writeFileSync(file, ''),
    ];
    const kinds = put.map((place) => {
      const places = copyOf(sample);
      rmSync(places.database);
      place(places.database);
      const start = startStorage({ places });
      if (start.kind === 'open') throw new Error('It opened');
      const { copies, canStartAnew, kind } = start.failure;
      expect(canStartAnew).toBe(true);
      const restored = repairStorage({ places }, { kind: 'restore', backup: copies[0]! });
      expect(missing(sample.words, opened(restored).store)).toEqual([]);
      closeDatabase(opened(restored).database);
      return kind;
    });
    expect(kinds).toEqual(['damaged', 'not-a-file', 'missing', 'empty']);
  });

  test('missing beside pictures only: a fault; beside nothing: a first start', () => {
    const places = placesIn(temporaryFolder());
    const first = opened(startStorage({ places }));
    expect(first.isNew).toBe(true);
    closeDatabase(first.database);
    rmSync(places.database);
    const folder = path.join(places.pictures, 'ab');
    mkdirSync(folder, { recursive: true });
    expect(opened(startStorage({ places })).isNew).toBe(true);
    rmSync(places.database);
    for (const end of ['-wal', '-shm']) rmSync(places.database + end, { force: true });
    writeFileSync(path.join(folder, 'ab'.repeat(32)), 'x');
    const start = startStorage({ places });
    expect(start).toMatchObject({ kind: 'failed', failure: { kind: 'missing', copies: [] } });
    expect(existsSync(places.database)).toBe(false);
  });

  test('without its search index: mended', () => {
    const places = copyOf(sample);
    const raw = new Database(places.database);
    raw.exec('DROP TABLE search');
    raw.close();
    expect(proveUsable(places, sample.words, sample.words)).toBe('mended');
  });

  test('held by another program: told after a short wait, and nothing else is offered', () => {
    const places = copyOf(sample);
    const other = new Database(places.database);
    other.pragma('locking_mode = EXCLUSIVE');
    other.exec('BEGIN EXCLUSIVE; DELETE FROM settings; COMMIT; BEGIN EXCLUSIVE');
    const start = startStorage({ places });
    other.close();
    expect(start).toMatchObject({
      kind: 'failed',
      failure: { kind: 'locked', canStartAnew: false, canSalvage: false },
    });
    closeDatabase(opened(startStorage({ places })).database);
  });

  test('an id that is none, or words in a field that are no JSON: mended, told of, nothing lost', () => {
    const places = copyOf(sample);
    const raw = new Database(places.database);
    raw.exec("UPDATE conversations SET id = 'x' WHERE key = 1");
    raw.exec("UPDATE turns SET id = 'y' WHERE key = 3");
    raw.pragma('ignore_check_constraints = ON');
    raw.exec("UPDATE turns SET usage = '{', status = 'zzz' WHERE key = 4");
    raw.close();
    expect(proveUsable(places, sample.words, sample.words)).toBe('mended');
  });
});

/** The words in pages that are there to their end. */
function wordsInWholePages(file: string): string[] {
  const bytes = readFileSync(file);
  const whole = bytes.subarray(0, bytes.length - (bytes.length % pageSize));
  return sample.words.filter((each) => whole.includes(`${each} `));
}
