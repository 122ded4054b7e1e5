/** JSON from the disk: one reader, and one sentence that names the file, the field and what is wrong with it. */
import { readFileSync, statSync } from 'node:fs';
import type { z } from 'zod';
import { StudioError, type ErrorKind, reasonOf } from '../shared/errors.ts';

/**
 * Reads a JSON file and checks it.
 * @throws StudioError of `kind`: the file cannot be read, is not JSON, or a field is not as the schema says
 */
export function readJsonFile<S extends z.ZodType>(
  file: string,
  schema: S,
  kind: ErrorKind,
): z.output<S> {
  return checkJson(readJson(file, kind), schema, file, kind);
}

/**
 * Reads a JSON file whose fields are checked elsewhere.
 * @throws StudioError of `kind` naming the file
 */
export function readJson(file: string, kind: ErrorKind): unknown {
  const text = readTextFile(file, kind);
  const fault = excess(text);
  if (fault !== null) throw new StudioError(kind, `${file}: ${fault}`);
  return parseJson(text, file, kind);
}

/** Limits on a file that is read whole: the largest tokenizers have some 35 MB and a million values. */
export const textLimits = { bytes: 64_000_000, values: 8_000_000, depth: 64 } as const;

/**
 * Reads a text file of limited size.
 * @throws StudioError of `kind`: it cannot be read, is no file (a pipe would be waited for), or is too large
 */
export function readTextFile(file: string, kind: ErrorKind): string {
  return readLimitedFile(file, kind).toString('utf8');
}

/**
 * Reads a file of limited size.
 * @throws StudioError of `kind`: it cannot be read, is no file (a pipe would be waited for), or is too large
 */
export function readLimitedFile(file: string, kind: ErrorKind): Buffer {
  try {
    const stats = statSync(file);
    if (!stats.isFile()) throw new Error('it is not a file');
    if (stats.size > textLimits.bytes)
      throw new Error(`it has ${stats.size} bytes, the most is ${textLimits.bytes}`);
    return readFileSync(file);
  } catch (error) {
    throw new StudioError(kind, `${file}: cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * What is too much in JSON text before it is parsed, null where nothing is: a few bytes of text can become gigabytes of
 * values, and a value within a value within a value ... more than a recursion can walk.
 */
export function excess(
  text: string,
  limits: { readonly values: number; readonly depth: number } = textLimits,
): string | null {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = endOfString(text, at);
    } else if (code === openList || code === openObject) {
      depth += 1;
      values += 1;
      if (depth > limits.depth) return `its values lie more than ${limits.depth} deep`;
    } else if (code === closeList || code === closeObject) {
      depth -= 1;
    } else if (code === comma) {
      values += 1;
    }
    if (values > limits.values) return `it has more than ${limits.values} values`;
  }
  return null;
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Index of the quote that ends the string beginning at `from`; the text's length where none does. */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === backslash) at += 1;
    else if (code === quote) return at;
  }
  return text.length;
}

/**
 * Parses JSON text.
 * @param source what the error calls it, e.g. the file's path
 * @throws StudioError of `kind` naming the source
 */
export function parseJson(text: string, source: string, kind: ErrorKind): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StudioError(kind, `${source}: is not JSON: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * Checks a parsed value.
 * @throws StudioError of `kind` naming the source and the first field at fault
 */
export function checkJson<S extends z.ZodType>(
  value: unknown,
  schema: S,
  source: string,
  kind: ErrorKind,
): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new StudioError(kind, `${source}: ${firstFault(parsed.error)}`, { cause: parsed.error });
}

/** The first thing that a schema found wrong: `field "a.0.b": what was expected`. */
export function firstFault({ issues }: z.ZodError): string {
  const [issue] = issues;
  if (issue === undefined) return 'is not as expected';
  const field = issue.path.map(String).join('.');
  const what = issue.message.replace(/received undefined$/, 'it is missing');
  return field === '' ? what : `field "${field}": ${what}`;
}
