import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ChatService } from '../../../src/main/conversations/chat-service.ts';
import { createCalendar } from '../../../src/main/database/calendar.ts';
import { closeDatabase } from '../../../src/main/database/open.ts';
import { startStorage } from '../../../src/main/database/storage.ts';
import { startKeeping } from '../../../src/main/keeping.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { createPictureStore } from '../../../src/main/pictures/store.ts';
import { toWireError } from '../../../src/shared/errors.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { drawnEvent, ScriptedEngine } from '../support/scripted-engine.ts';
import { temporaryFolder } from '../support/storage.ts';

/** A disk of its own, as only root can have it. */
function mountSmallDisk(megabytes: number): string | null {
  const folder = path.join(temporaryFolder(), 'disk');
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'none', folder], {
      stdio: 'ignore',
    });
  } catch {
    return null;
  }
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  return folder;
}

function startApp(folder: string) {
  const places = {
    database: path.join(folder, 'data', 'textbind.db'),
    backups: path.join(folder, 'data', 'backups'),
    pictures: path.join(folder, 'data', 'pictures'),
  };
  const start = startStorage({ places });
  if (start.kind === 'failed') throw new Error(start.failure.detail);
  const { storage } = start;
  onTestFinished(() => closeDatabase(storage.database));
  const { store } = storage;
  const clock = new FakeClock();
  const told: string[] = [];
  const engine = new ScriptedEngine();
  const pictures = createPictureStore(places.pictures, store.pictures);
  const log = silentLogger;
  const chat = new ChatService({ store, pictures, engine, clock, log, emit: () => undefined });
  const keeping = startKeeping({
    storage,
    pictures,
    calendar: createCalendar(store.settings, () => clock.now()),
    clock,
    log,
    tell: (error) => void told.push(toWireError(error).message),
    say: (message) => void told.push(message),
  });
  onTestFinished(() => keeping.close());
  /** One round of what runs every second. */
  const aSecond = async (): Promise<void> => {
    clock.advance(1000);
    await new Promise((resolve) => setTimeout(resolve, 10));
  };
  return { places, storage, store, chat, engine, told, clock, aSecond };
}

/** The last turn as another program finds it on the disk. */
function onDisk(file: string): { status: string; words: string } {
  const other = new Database(file, { readonly: true });
  try {
    return other
      .prepare(
        `SELECT status, coalesce(group_concat(body, ''), '') AS words FROM turns
         LEFT JOIN parts ON parts.turn_key = turns.key
         WHERE turns.key = (SELECT max(key) FROM turns) GROUP BY turns.key`,
      )
      .get() as { status: string; words: string };
  } finally {
    other.close();
  }
}

const send = (app: ReturnType<typeof startApp>) =>
  app.chat.send({ conversationId: null, parts: [{ kind: 'text', text: 'hello' }] }).conversation.id;

interface Obstacle {
  readonly begin: () => void;
  readonly end: () => void;
}

const obstacles: Record<string, (app: ReturnType<typeof startApp>, folder: string) => Obstacle> = {
  'the disk is full': ({ places }, folder) => {
    const filler = path.join(path.dirname(path.dirname(places.database)), 'filler');
    return {
      begin() {
        const { bavail, bsize } = statfsSync(folder);
        writeFileSync(filler, Buffer.alloc(bavail * bsize));
        expect(statfsSync(folder).bavail).toBe(0);
      },
      end: () => rmSync(filler),
    };
  },
  'the database may not grow': ({ storage: { database } }) => ({
    begin() {
      database.pragma(
        `max_page_count = ${String(database.pragma('page_count', { simple: true }))}`,
      );
    },
    end: () => void database.pragma('max_page_count = 4294967294'),
  }),
  'another program holds it locked': ({ places }) => {
    const other = new Database(places.database);
    return {
      begin: () => void other.exec('BEGIN IMMEDIATE'),
      end: () => void other.close(),
    };
  },
};

describe('a disk that refuses in the middle of a reply', () => {
  test.each(Object.keys(obstacles))(
    '%s: kept, shown, told once, and stored later',
    async (name) => {
      const disk = name === 'the disk is full' ? mountSmallDisk(2) : temporaryFolder();
      if (disk === null) return; // Only root can mount; the case after it is the same by a limit of SQLite.
      const app = startApp(disk);
      const obstacle = obstacles[name]!(app, disk);
      const { chat, engine, store, places, told, aSecond } = app;
      const id = send(app);
      const asked = await engine.next(1);
      await asked.emit({ kind: 'text', text: 'Before. ' });
      app.clock.advance(400);
      expect(onDisk(places.database).words).toBe('Before. ');
      obstacle.begin();
      const long = 'And so on. '.repeat(20_000);
      const begin = performance.now();
      await asked.emit({ kind: 'text', text: long });
      app.clock.advance(400);
      await asked.emit({ kind: 'text', text: 'The end.' });
      app.clock.advance(400);
      await asked.end();
      // Not a claim about speed: a wait for a lock of 5 s a write would be 15 s here.
      expect(performance.now() - begin).toBeLessThan(5000);
      const turn = (): unknown => chat.open(id).turns.at(-1);
      expect(turn()).toMatchObject({
        status: 'complete',
        parts: [{ kind: 'text', text: `Before. ${long}The end.` }],
      });
      expect(onDisk(places.database)).toEqual({ status: 'streaming', words: 'Before. ' });
      await aSecond();
      await aSecond();
      expect(told).toHaveLength(1);
      expect(told[0]).toMatch(/^(The disk is full|Another program).*kept in memory/);
      obstacle.end();
      await aSecond();
      expect(told[1]).toContain('everything is stored');
      expect(store.unsaved.count).toBe(0);
      expect(onDisk(places.database)).toEqual({
        status: 'complete',
        words: `Before. ${long}The end.`,
      });
      expect(turn()).toMatchObject({ status: 'complete' });
    },
  );

  test('a picture that finds no room leaves its caption, and the reply goes on', async () => {
    const disk = mountSmallDisk(2);
    if (disk === null) return;
    const app = startApp(disk);
    const obstacle = obstacles['the disk is full']!(app, disk);
    const id = send(app);
    const asked = await app.engine.next(1);
    await asked.emit({ kind: 'caption-started' }, { kind: 'caption-text', text: 'a red apple' });
    obstacle.begin();
    await asked.emit(drawnEvent('a red apple'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await asked.emit({ kind: 'text', text: 'There it is.' });
    await asked.end();
    obstacle.end();
    await app.aSecond();
    expect(app.chat.open(id).turns.at(-1)).toMatchObject({
      status: 'complete',
      parts: [
        { kind: 'undrawn', caption: 'a red apple', error: { kind: 'storage' } },
        { kind: 'text', text: 'There it is.' },
      ],
    });
  });
});

describe('a data folder that is taken away', () => {
  test.each(['deleted', 'moved', 'replaced'])(
    '%s under the open app: noticed, told, nothing pretends to be stored',
    async (how) => {
      const folder = temporaryFolder();
      const app = startApp(folder);
      const id = send(app);
      const asked = await app.engine.next(1);
      await asked.emit({ kind: 'text', text: 'Words' });
      await asked.end();
      const data = path.join(folder, 'data');
      if (how === 'deleted') rmSync(data, { recursive: true });
      else renameSync(data, path.join(folder, 'elsewhere'));
      if (how === 'replaced') {
        mkdirSync(data);
        writeFileSync(app.places.database, 'x');
      }
      expect(() => send(app)).toThrow('was deleted, moved or replaced');
      expect(app.chat.open(id).turns).toHaveLength(2);
      await app.aSecond();
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(app.told.join()).toContain('was deleted, moved or replaced');
      // What was open lies where the next start looks for a copy.
      if (how === 'replaced') rmSync(app.places.database);
      expect(existsSync(app.places.database)).toBe(false);
      const next = startStorage({ places: app.places });
      expect(next).toMatchObject({ kind: 'failed', failure: { kind: 'missing' } });
      if (next.kind === 'failed') expect(next.failure.copies[0]?.turns).toBe(2);
    },
  );
});
