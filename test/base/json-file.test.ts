import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readJsonFile } from '../../src/base/json-file.ts';
import { isStudioError } from '../../src/shared/errors.ts';
import { temporaryFolder } from '../main/support/storage.ts';

const schema = z.object({ size: z.number(), parts: z.array(z.object({ name: z.string() })) });

function fileWith(text: string): string {
  const file = path.join(temporaryFolder(), 'model.json');
  writeFileSync(file, text);
  return file;
}

function faultOf(file: string): string {
  try {
    readJsonFile(file, schema, 'model-invalid');
  } catch (error) {
    if (isStudioError(error, 'model-invalid')) return error.message;
    throw error;
  }
  return 'none';
}

describe('a JSON file', () => {
  test('is read as its schema says', () => {
    const file = fileWith('{"size": 2, "parts": [{"name": "a", "more": 1}]}');
    expect(readJsonFile(file, schema, 'storage')).toEqual({ size: 2, parts: [{ name: 'a' }] });
  });

  test.each([
    ['{"size": 2, "parts": [{"name": 7}]}', /field "parts\.0\.name": .*string.*number/],
    ['{"parts": []}', /field "size": .*number.*it is missing/],
    ['[]', /model\.json: .*object/],
    ['{"size": 2', /model\.json: is not JSON: ./],
  ])('%s is refused with the file, the field and what is wrong', (text, sentence) => {
    const file = fileWith(text);
    const fault = faultOf(file);
    expect(fault).toMatch(sentence);
    expect(fault.startsWith(`${file}: `)).toBe(true);
    expect(fault).not.toContain('\n');
  });

  test('that is not there is named', () => {
    const file = path.join(temporaryFolder(), 'gone.json');
    expect(faultOf(file)).toMatch(/gone\.json: cannot be read: ENOENT/);
  });
});
