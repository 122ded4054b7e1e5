import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import type { MessagePart, Turn } from '../../../src/shared/domain/turn.ts';
import { createStore } from '../../../src/main/database/store.ts';
import { createPictureStore } from '../../../src/main/pictures/store.ts';
import { temporaryFolder } from '../support/storage.ts';

/** Each takes seconds where processors are few; more can be asked for. */
const rounds = Number(process.env['TEXTBIND_CRASH_ROUNDS'] ?? 10);

type Line =
  | 'ready'
  | { readonly sent: readonly string[]; readonly words: string }
  | { readonly part: { readonly turnId: string; readonly part: MessagePart } }
  | { readonly deleted: readonly string[] }
  | { readonly turn: Turn };

/** Runs the writer and kills it `delayMs` after its first word; what it had said until then. */
async function writeAndDie(folder: string, delayMs: number): Promise<Line[]> {
  const entry = path.join(import.meta.dirname, 'writer-child.ts');
  const flags = ['--disable-warning=ExperimentalWarning'];
  const child = spawn(process.execPath, [...flags, entry, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => {
    if (output === '') setTimeout(() => child.kill('SIGKILL'), delayMs);
    output += data.toString();
  });
  const signal = await new Promise((resolve) =>
    child.once('close', (_code, name) => resolve(name)),
  );
  expect(signal).toBe('SIGKILL');
  const lines = output.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Line);
}

function check(folder: string, lines: readonly Line[]): number {
  const database = new Database(path.join(folder, 'textbind.db'));
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  expect(database.pragma('foreign_key_check')).toEqual([]);
  database.exec("INSERT INTO search (search) VALUES ('integrity-check')");
  const store = createStore(database);
  const pictures = createPictureStore(path.join(folder, 'pictures'), store.pictures);
  expect(brokenFamilies(database)).toEqual([]);
  const stored = readStored(database);
  let checked = 0;
  for (const line of lines) {
    if (line === 'ready') continue;
    checked += 1;
    if ('sent' in line) {
      const [user, reply] = line.sent.map((id) => stored.turns.get(id));
      expect(user).toMatchObject({ role: 'user', words: line.words });
      expect(reply).toMatchObject({ role: 'assistant' });
    } else if ('part' in line) {
      const { turnId, part } = line.part;
      if (part.kind !== 'picture') throw new Error('A drawing that failed was not planned');
      // Drawn again since or not: every picture that was shown is a version at its place.
      expect(stored.pictures.get(part.picture.id)).toBe(turnId);
      expect(existsSync(pictures.fileOf(part.picture.hash))).toBe(true);
    } else if ('turn' in line) {
      const words = line.turn.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
      expect(stored.turns.get(line.turn.id)).toMatchObject({ status: line.turn.status, words });
    } else {
      for (const id of line.deleted) expect(stored.turns.has(id)).toBe(true);
    }
  }
  for (const { id } of store.conversations.list(500, 0).conversations) {
    const roles = store.turns.list(id).map(({ role }) => role);
    expect(roles).toEqual(roles.map((_, index) => (index % 2 === 0 ? 'user' : 'assistant')));
  }
  database.close();
  return checked;
}

/** Turns under one parent, or parts at one place, of which not exactly one is current. */
function brokenFamilies(database: Database.Database): unknown[] {
  return database
    .prepare(
      `SELECT 'turns', min(key) FROM turns GROUP BY conversation_key, parent_key
         HAVING sum(is_current) <> 1
       UNION ALL
       SELECT 'parts', min(key) FROM parts GROUP BY turn_key, position HAVING sum(is_current) <> 1`,
    )
    .all();
}

/** Every version there is, deleted or not, current or not. */
function readStored(database: Database.Database) {
  const turns = database
    .prepare<[], { id: string; role: string; status: string; words: string }>(
      `SELECT t.id, t.role, t.status, coalesce((SELECT group_concat(body, '') FROM
         (SELECT body FROM parts WHERE turn_key = t.key AND kind = 'text' ORDER BY position)), '') AS words FROM turns t`,
    )
    .all();
  const pictures = database
    .prepare<[], { picture: string; turn: string }>(
      `SELECT i.id AS picture, t.id AS turn FROM parts p JOIN pictures i ON i.key = p.picture_key
       JOIN turns t ON t.key = p.turn_key`,
    )
    .all();
  return {
    turns: new Map(turns.map((turn) => [turn.id, turn])),
    pictures: new Map(pictures.map(({ picture, turn }) => [picture, turn])),
  };
}

test(`killed at ${rounds} moments, the database is whole and nothing that was stored is missing`, async () => {
  const folder = temporaryFolder();
  let checked = 0;
  for (let round = 0; round < rounds; round += 1) {
    // Over the same database again and again, so that recovery itself is interrupted too.
    checked += check(folder, await writeAndDie(folder, Math.random() * 400));
  }
  expect(checked).toBeGreaterThan(rounds);
}, 300_000);
