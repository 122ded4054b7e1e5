/** A list of rows parted in two: what is trained on, and what is held back to see whether the model learns. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { writeWholeFile } from '../../base/whole-file.ts';
import { StudioError } from '../../shared/errors.ts';

export interface SplitOptions {
  /** Of all rows, how many are held back: more than 0, less than 1. */
  readonly share: number;
  /** Rows that are in neither. */
  readonly without: ReadonlySet<number>;
}

export interface SplitRows {
  readonly train: readonly unknown[];
  readonly heldBack: readonly unknown[];
}

/**
 * Reads a JSON list or JSON lines and parts its rows. Which rows are held back follows from their number alone, so that the
 * same split comes out again, whatever else is in the list.
 * @throws StudioError `bad-input` where it is no list, or a part would be empty
 */
export function splitRows(file: string, { share, without }: SplitOptions): SplitRows {
  const rows = readRows(file);
  const kept = rows
    .map((row, number) => ({ row, number }))
    .filter(({ number }) => !without.has(number));
  const order = kept.toSorted((one, other) => rank(one.number) - rank(other.number));
  const held = new Set(order.slice(0, Math.round(share * kept.length)).map(({ number }) => number));
  const part = (isHeld: boolean): unknown[] =>
    kept
      .filter(({ number }) => held.has(number) === isHeld)
      .map(({ row }) => withWholePath(row, path.dirname(file)));
  const parted = { train: part(false), heldBack: part(true) };
  if (parted.train.length === 0 || parted.heldBack.length === 0) {
    throw new StudioError(
      'bad-input',
      `${file}: ${kept.length} rows cannot be split so that each part has one.`,
    );
  }
  return parted;
}

/**
 * All rows of a list but some.
 * @throws StudioError `bad-input` where it is no list, or none would be left
 */
export function rowsWithout(file: string, without: ReadonlySet<number>): readonly unknown[] {
  const kept = readRows(file).filter((_, number) => !without.has(number));
  if (kept.length === 0) throw new StudioError('bad-input', `${file}: no row would be left.`);
  return kept.map((row) => withWholePath(row, path.dirname(file)));
}

/** Writes rows as train.json of a folder; its name. */
export async function writeRows(folder: string, rows: readonly unknown[]): Promise<string> {
  const file = path.join(folder, 'train.json');
  await writeWholeFile(file, `${JSON.stringify(rows, null, 1)}\n`);
  return file;
}

function readRows(file: string): readonly unknown[] {
  const text = readFileSync(file, 'utf8');
  try {
    if (file.endsWith('.jsonl')) {
      const lines = text.split('\n').filter((line) => line.trim() !== '');
      return lines.map((line): unknown => JSON.parse(line));
    }
    return z.array(z.unknown()).parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'it is no list of rows';
    throw new StudioError('bad-input', `${file}: cannot be split: ${reason}.`, { cause: error });
  }
}

const placed = z.looseObject({ image_dir: z.string() });

/** The folder of a row's pictures from the root, where it was relative to the file: the row moves, they do not. */
function withWholePath(row: unknown, folder: string): unknown {
  const parsed = placed.safeParse(row);
  if (!parsed.success) return row;
  const whole = path.resolve(folder, parsed.data.image_dir);
  return existsSync(whole) ? { ...parsed.data, image_dir: whole } : row;
}

/** A number that looks like chance and is the same each time (the finaliser of MurmurHash3, public domain). */
function rank(number: number): number {
  let hash = Math.imul((number + 1) ^ ((number + 1) >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
