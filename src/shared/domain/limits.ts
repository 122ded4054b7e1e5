import { z } from 'zod';

/** What a number may be. */
export interface Limits {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
  /** Null says something too. */
  readonly mayBeNull: boolean;
}

/** A schema of such a value. */
export type SchemaOf<Value> = z.ZodType<Value>;

/** What a schema lets a number be: for fields and options that refuse before the schema does, in their own words. */
export function limitsOf(schema: SchemaOf<unknown>): Limits {
  let inner: z.core.$ZodType = schema;
  let mayBeNull = false;
  while (inner instanceof z.ZodDefault || inner instanceof z.ZodNullable) {
    mayBeNull ||= inner instanceof z.ZodNullable;
    inner = inner.unwrap();
  }
  if (!(inner instanceof z.ZodNumber)) throw new TypeError('This is no schema of a number.');
  const { minValue: min, maxValue: max, isInt: whole } = inner;
  if (min === null || max === null) throw new TypeError('This number has no limits.');
  return { min, max, whole, mayBeNull };
}
