/** JSON from the disk: one reader, and one sentence that names the file, the field and what is wrong with it. */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { StudioError, type ErrorKind } from '../shared/errors.ts';

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
  return parseJson(readText(file, kind), file, kind);
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
  return field === '' ? issue.message : `field "${field}": ${issue.message}`;
}

function readText(file: string, kind: ErrorKind): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new StudioError(kind, `${file}: cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
