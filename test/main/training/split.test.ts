import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { rowsWithout, splitRows, writeRows } from '../../../src/main/training/split.ts';
import { temporaryFolder } from './scripted.ts';

function rowsIn(count: number, name = 'train.json') {
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, 'images'));
  const rows = Array.from({ length: count }, (_, number) => ({ number, image_dir: 'images' }));
  const file = path.join(folder, name);
  const lines = rows.map((row) => JSON.stringify(row));
  writeFileSync(file, name.endsWith('l') ? lines.join('\n') : `[${lines.join()}]`);
  return { folder, file };
}
const numbers = (rows: readonly unknown[]) => rows.map((row) => (row as { number: number }).number);

it('parts every row into one of two, the same way each time and as JSON lines too', () => {
  const { file } = rowsIn(50);
  const { train, heldBack } = splitRows(file, { share: 0.1, without: new Set() });
  expect(heldBack).toHaveLength(5);
  const all = numbers([...train, ...heldBack]).sort((a, b) => a - b);
  expect(all).toEqual(Array.from({ length: 50 }, (_, number) => number));
  // Not the first, nor the last: they may be of one kind.
  expect(numbers(heldBack)).not.toEqual([0, 1, 2, 3, 4]);
  const again = splitRows(rowsIn(50, 'x.jsonl').file, { share: 0.1, without: new Set() });
  expect(numbers(again.heldBack)).toEqual(numbers(heldBack));
});

it('leaves rows with faults out of both, and says where pictures lie from the root', async () => {
  const { folder, file } = rowsIn(4);
  const parted = splitRows(file, { share: 0.5, without: new Set([1]) });
  expect(numbers([...parted.train, ...parted.heldBack]).sort()).toEqual([0, 2, 3]);
  const written = await writeRows(temporaryFolder(), parted.train);
  const rows = JSON.parse(readFileSync(written, 'utf8')) as { image_dir: string }[];
  expect(rows[0]!.image_dir).toBe(path.join(folder, 'images'));
});

it('refuses what is no list, and a part without a row', () => {
  const { folder, file } = rowsIn(1);
  expect(() => splitRows(file, { share: 0.5, without: new Set() })).toThrow(
    /1 rows cannot be split/,
  );
  const other = path.join(folder, 'other.json');
  writeFileSync(other, '{"a":1}');
  expect(() => splitRows(other, { share: 0.5, without: new Set() })).toThrow(/no list of rows/);
  writeFileSync(other, '[1');
  expect(() => splitRows(other, { share: 0.5, without: new Set() })).toThrow(/cannot be split/);
});

it('leaves single rows out, and refuses to leave none', () => {
  const { folder, file } = rowsIn(5);
  const kept = rowsWithout(file, new Set([0, 3]));
  expect(numbers(kept)).toEqual([1, 2, 4]);
  expect((kept[0] as { image_dir: string }).image_dir).toBe(path.join(folder, 'images'));
  expect(() => rowsWithout(file, new Set([0, 1, 2, 3, 4]))).toThrow(/no row would be left/);
});
