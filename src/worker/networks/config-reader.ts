/** Reads fields of a Hugging Face config.json: checked, with defaults, and with errors that name field and value. */
import { StudioError } from '../../shared/errors.ts';

/** A config.json's object and what to call it in an error. */
export interface ConfigReader {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly source: string;
}

/**
 * Takes parsed JSON for reading.
 *
 * @param source what errors call it, e.g. the file's path.
 * @throws StudioError `model-invalid` if it is not an object.
 */
export function configReader(json: unknown, source: string): ConfigReader {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new StudioError('model-invalid', `${source}: expected an object, found ${show(json)}`);
  }
  return { fields: json as Record<string, unknown>, source };
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

/** The error for a field whose value cannot be. */
export function invalidField(
  reader: ConfigReader,
  field: string,
  expected: string,
  value: unknown = reader.fields[field],
): StudioError {
  const message = `${reader.source}: "${field}" must be ${expected}, found ${show(value)}`;
  return new StudioError('model-invalid', message);
}

/** The error for a value that is legal in the reference but that we do not build. */
export function unsupportedField(
  reader: ConfigReader,
  field: string,
  supported: string,
  value: unknown = reader.fields[field],
): StudioError {
  const message = `${reader.source}: "${field}" is ${show(value)}, which is not supported (supported: ${supported})`;
  return new StudioError('unsupported', message);
}

/** A field, with null and absence replaced by `fallback`. */
function valueOf(reader: ConfigReader, field: string, fallback: unknown): unknown {
  return reader.fields[field] ?? fallback;
}

function isPositiveInteger(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0;
}

/** A positive integer. */
export function positiveInteger(reader: ConfigReader, field: string, fallback?: number): number {
  const value = valueOf(reader, field, fallback);
  if (!isPositiveInteger(value)) throw invalidField(reader, field, 'a positive integer', value);
  return value;
}

/** A finite number of at least `minimum`. */
export function finiteNumber(
  reader: ConfigReader,
  field: string,
  fallback?: number,
  minimum = -Infinity,
): number {
  const value = valueOf(reader, field, fallback);
  if (typeof value === 'number' && Number.isFinite(value) && value >= minimum) return value;
  const range = minimum === -Infinity ? 'a number' : `a number of at least ${minimum}`;
  throw invalidField(reader, field, range, value);
}

/** True or false. */
export function boolean(reader: ConfigReader, field: string, fallback?: boolean): boolean {
  const value = valueOf(reader, field, fallback);
  if (typeof value !== 'boolean') throw invalidField(reader, field, 'true or false', value);
  return value;
}

/** One of a few words; any other word is legal but unsupported. */
export function oneOf<T extends string>(
  reader: ConfigReader,
  field: string,
  supported: readonly T[],
  fallback?: T,
): T {
  const value = valueOf(reader, field, fallback);
  const found = supported.find((word) => word === value);
  if (found === undefined) throw unsupportedField(reader, field, supported.join(', '), value);
  return found;
}

/** A list of words of which each must be supported. */
export function listOf<T extends string>(
  reader: ConfigReader,
  field: string,
  supported: readonly T[],
): readonly T[] {
  const value = reader.fields[field];
  if (!Array.isArray(value) || value.length === 0)
    throw invalidField(reader, field, 'a list', value);
  return value.map((item: unknown) => {
    const found = supported.find((word) => word === item);
    if (found === undefined) throw unsupportedField(reader, field, supported.join(', '), item);
    return found;
  });
}

/** A list of positive integers; with `length` also one integer that stands for all of them. */
export function positiveIntegers(
  reader: ConfigReader,
  field: string,
  options: { readonly length?: number; readonly fallback?: number } = {},
): readonly number[] {
  const value = valueOf(reader, field, options.fallback);
  if (isPositiveInteger(value) && options.length !== undefined) {
    return new Array<number>(options.length).fill(value);
  }
  const expected = `${options.length ?? 'a list of'} positive integers`;
  if (!Array.isArray(value) || value.length === 0 || !value.every(isPositiveInteger)) {
    throw invalidField(reader, field, expected, value);
  }
  if (options.length !== undefined && value.length !== options.length) {
    throw invalidField(reader, field, expected, value);
  }
  return value;
}

/** Fields that must have one of a few values; null and absence count as the first. */
export function requireValues(
  reader: ConfigReader,
  table: Readonly<Record<string, readonly unknown[]>>,
): void {
  for (const [field, allowed] of Object.entries(table)) {
    const value = valueOf(reader, field, allowed[0]);
    if (!allowed.includes(value))
      throw unsupportedField(reader, field, allowed.map(show).join(', '));
  }
}

/**
 * Refuses a field we have never heard of unless it is switched off: a later library may have put a feature
 * behind it that changes the result.
 */
export function refuseUnknownFields(reader: ConfigReader, known: readonly string[]): void {
  const names = new Set(known);
  for (const [field, value] of Object.entries(reader.fields)) {
    if (names.has(field) || field.startsWith('_')) continue;
    if (value === null || value === false) continue;
    throw unsupportedField(reader, field, 'this field is not known');
  }
}
