import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { trainerEventSchema } from '../../src/shared/contracts/trainer-protocol.ts';
import { noPython } from '../golden/run-python.ts';

const root = join(import.meta.dirname, '..', '..');

type Schema = Readonly<Record<string, unknown>>;

/** What a JSON schema says, without the words that zod and pydantic choose differently. */
function essence(schema: Schema, definitions: Schema): unknown {
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    return essence(definitions[reference.split('/').at(-1)!] as Schema, definitions);
  }
  const either = schema['anyOf'] as Schema[] | undefined;
  if (either !== undefined) {
    return { either: either.map((each) => JSON.stringify(essence(each, definitions))).sort() };
  }
  if (Array.isArray(schema['type']))
    return { either: schema['type'].map((each) => JSON.stringify(each)).sort() };
  if ('const' in schema) return `only ${String(schema['const'])}`;
  if ('enum' in schema) return `one of ${(schema['enum'] as string[]).toSorted().join(' ')}`;
  if (schema['type'] === 'array') return [essence(schema['items'] as Schema, definitions)];
  if (schema['type'] !== 'object') return schema['type'];
  const properties = Object.entries(schema['properties'] as Record<string, Schema>);
  return {
    closed: schema['additionalProperties'] === false,
    fields: Object.fromEntries(
      properties.map(([name, each]) => [name, essence(each, definitions)]).sort(),
    ) as unknown,
  };
}

/** Every line has a time; Python adds it where a line is written. */
function withoutTime(said: unknown): unknown {
  const { closed, fields } = said as { closed: boolean; fields: Record<string, unknown> };
  const { time, ...rest } = fields;
  expect(time).toBe('number');
  return { closed, fields: rest };
}

function pythonContract(): Record<string, Schema> {
  const python = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python'];
  const text = execFileSync(join(root, '.venv', ...python), ['-m', 'textbind_trainer.protocol'], {
    cwd: join(root, 'resources', 'trainer'),
    encoding: 'utf8',
  });
  return JSON.parse(text) as Record<string, Schema>;
}

describe.skipIf(noPython !== undefined)(`the trainer's events ${noPython ?? ''}`, () => {
  it('are the same in TypeScript and in Python: names, fields and types', () => {
    const ours = Object.fromEntries(
      trainerEventSchema.options.map((option) => [
        [...option.shape.event.values][0]!,
        withoutTime(essence(z.toJSONSchema(option) as Schema, {})),
      ]),
    );
    const theirs = Object.fromEntries(
      Object.entries(pythonContract()).map(([name, schema]) => [
        name,
        essence(schema, (schema['$defs'] ?? {}) as Schema),
      ]),
    );
    expect(ours).toEqual(theirs);
    expect(Object.keys(ours)).toContain('question');
  });
});
