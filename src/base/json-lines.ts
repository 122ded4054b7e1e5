/** Files of JSON lines that only grow: a line is on the disk before it counts, and one that a crash cut is passed over. */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs';
import type { z } from 'zod';

const newline = 0x0a;

/** Adds a line and forces it to the disk; one that was torn before it is closed first. */
export function appendJsonLine(file: string, value: unknown): void {
  const descriptor = openSync(file, 'a+');
  try {
    const torn = endsTorn(descriptor) ? '\n' : '';
    writeSync(descriptor, `${torn}${JSON.stringify(value)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Every line that is what it should be, oldest first. */
export function readJsonLines<S extends z.ZodType>(file: string, schema: S): z.output<S>[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => readLine(line, schema));
}

function readLine<S extends z.ZodType>(line: string, schema: S): z.output<S>[] {
  if (line === '') return [];
  try {
    const parsed = schema.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  } catch {
    return [];
  }
}

function endsTorn(descriptor: number): boolean {
  const { size } = fstatSync(descriptor);
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  readSync(descriptor, last, 0, 1, size - 1);
  return last[0] !== newline;
}
