/** Pictures become the same pixels as in the trainer (test/trainer/test_pixels.py reads the same cases). */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../src/worker/inputs/image.ts';

const folder = join(import.meta.dirname, '..', '..', 'fixtures', 'pixels');
const cases = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as Record<
  string,
  { readonly width: number; readonly height: number; readonly sha256: string }
>;

describe('pixels are those that the trainer sees', () => {
  it.each(Object.entries(cases))('%s', async (name, expected) => {
    const { width, height, data } = await decodeImage(readFileSync(join(folder, name)), name);
    const sha256 = createHash('sha256').update(data).digest('hex');
    expect({ width, height, sha256 }).toEqual(expected);
  });
});
