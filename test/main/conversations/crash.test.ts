import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import type { Turn } from '../../../src/shared/domain/turn.ts';
import { createStore } from '../../../src/main/database/store.ts';
import { createPictureStore } from '../../../src/main/pictures/store.ts';
import { temporaryFolder } from '../support/storage.ts';

/** Each takes seconds where processors are few; more can be asked for. */
const rounds = Number(process.env['TEXTBIND_CRASH_ROUNDS'] ?? 10);

type Line =
  | 'ready'
  | { readonly sent: readonly string[]; readonly words: string }
  | { readonly part: { readonly turnId: string; readonly partIndex: number } }
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
  let checked = 0;
  for (const line of lines) {
    if (line === 'ready') continue;
    checked += 1;
    if ('sent' in line) {
      const [user, reply] = line.sent.map((id) => store.turns.find(id)?.turn);
      expect(user?.parts).toEqual([{ kind: 'text', text: line.words }]);
      expect(reply?.role).toBe('assistant');
    } else if ('part' in line) {
      const part = store.turns.find(line.part.turnId)?.turn.parts[line.part.partIndex];
      if (part?.kind !== 'picture') throw new Error('A picture that was shown is not stored');
      expect(existsSync(pictures.fileOf(part.picture.hash))).toBe(true);
    } else {
      expect(store.turns.find(line.turn.id)?.turn).toEqual(line.turn);
    }
  }
  database.close();
  return checked;
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
