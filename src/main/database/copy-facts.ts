import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { CopyFacts } from '../../shared/contracts/keeper-protocol.ts';
import { keepTemporariesInMemory, type StudioDatabase } from './connection.ts';
import { check } from './damage.ts';

/** Looks through a copy from end to end, in one piece, and makes it one file. */
export function inspectCopy(file: string): CopyFacts {
  const copy = new Database(file);
  keepTemporariesInMemory(copy);
  let found: Pick<CopyFacts, 'faults' | 'form' | 'conversations' | 'turns'>;
  try {
    // A log beside a copy would be forgotten when the copy is moved.
    copy.pragma('journal_mode = DELETE');
    const faults = check(copy, 'full');
    found = { faults, ...(faults.length > 0 ? nothing : countRows(copy)) };
  } finally {
    copy.close();
  }
  return { ...found, bytes: statSync(file).size, sha256: hashOf(file) };
}

const nothing = { form: 0, conversations: 0, turns: 0 } as const;

function countRows(copy: StudioDatabase): Pick<CopyFacts, 'form' | 'conversations' | 'turns'> {
  const tables = copy.prepare<[], string>('SELECT name FROM sqlite_schema').pluck().all();
  const count = (table: string): number =>
    tables.includes(table)
      ? Number(copy.prepare(`SELECT count(*) FROM ${table}`).pluck().get())
      : 0;
  return {
    form: Number(copy.pragma('user_version', { simple: true })),
    conversations: count('conversations'),
    turns: count('turns'),
  };
}

/** SHA-256 of a file's bytes, hexadecimal, read a mebibyte at a time. */
export function hashOf(file: string): string {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(2 ** 20);
  const opened = openSync(file, 'r');
  try {
    for (let read = 1; read > 0;) {
      read = readSync(opened, piece);
      hash.update(piece.subarray(0, read));
    }
  } finally {
    closeSync(opened);
  }
  return hash.digest('hex');
}
