/**
 * What an import that may be cut off has done: the parts that are whole, in a file of the folder that it writes. Whoever
 * does the same import again goes on from there.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../base/json-file.ts';
import { writeJsonFileSync } from '../../base/whole-file.ts';
import { StudioError } from '../../shared/errors.ts';

const fileName = '.import.json';
const lockName = '.import.lock';
const journalSchema = z.object({ parts: z.array(z.string()) });
const lockSchema = z.number().int().positive();
/** Files of one source that are looked at. */
const mostEntries = 100_000;

/** A word that is the same for the same work on the same files, by their sizes and the times of their last change. */
export function stampOf(work: object, sources: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(work));
  let seen = 0;
  const look = (place: string): void => {
    seen += 1;
    if (seen > mostEntries) {
      throw new StudioError('bad-input', `${place}: there are more than ${mostEntries} files`);
    }
    const found = statSync(place, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) {
      for (const name of readdirSync(place).sort()) look(path.join(place, name));
    } else hash.update(`\n${place} ${found?.size} ${found?.mtimeMs}`);
  };
  for (const source of [...sources].sort()) look(source);
  return hash.digest('hex').slice(0, 12);
}

/** The parts that are whole; of an import that is not to be resumed it only remembers. */
export class ImportJournal {
  readonly #folder: string | null;
  readonly #parts: Set<string>;

  private constructor(folder: string | null, parts: readonly string[]) {
    this.#folder = folder;
    this.#parts = new Set(parts);
  }

  /** Of an import that leaves nothing where it is cut off. */
  static none(): ImportJournal {
    return new ImportJournal(null, []);
  }

  /**
   * Of the import that writes into a folder.
   * @throws StudioError `bad-input` where another process is at it
   */
  static open(folder: string): ImportJournal {
    takeLock(path.join(folder, lockName), folder);
    const file = path.join(folder, fileName);
    if (!existsSync(file)) return new ImportJournal(folder, []);
    return new ImportJournal(folder, readJsonFile(file, journalSchema, 'storage').parts);
  }

  has(part: string): boolean {
    return this.#parts.has(part);
  }

  add(part: string): void {
    this.#parts.add(part);
    if (this.#folder === null) return;
    writeJsonFileSync(path.join(this.#folder, fileName), { parts: [...this.#parts] });
  }

  /** Lets another process go on. */
  leave(): void {
    if (this.#folder !== null) rmSync(path.join(this.#folder, lockName), { force: true });
  }

  /** Takes away what only the import needs: the folder is the model's own now. */
  finish(): void {
    this.leave();
    if (this.#folder !== null) rmSync(path.join(this.#folder, fileName), { force: true });
  }
}

/** A lock is the number of the process that has it; one that a killed process left is taken over. */
function takeLock(file: string, folder: string): void {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return;
  } catch (error) {
    if (!existsSync(file)) throw error;
  }
  const owner = ownerOf(file);
  if (owner !== null && owner !== process.pid && isRunning(owner)) {
    throw new StudioError('bad-input', `${folder}: process ${owner} does this import already`);
  }
  writeFileSync(file, String(process.pid));
}

/** Null where the process was killed before it could say who it was. */
function ownerOf(file: string): number | null {
  try {
    return readJsonFile(file, lockSchema, 'storage');
  } catch {
    return null;
  }
}

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch {
    return false;
  }
}
