/** The tests of this folder go by lists of networks: one that is missing in a list would never be missed. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const networks = path.resolve('src/worker/networks');
const folders = readdirSync(networks, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** Each list, and who is not in it: Llama has tests of its own, in its folder. */
const lists: Readonly<Record<string, readonly string[]>> = {
  'config-fields.test.ts': [],
  'config.test.ts': ['llama'],
  'weights.test.ts': ['llama'],
  'providers.test.ts': ['llama'],
};
/** 'clip-text' to 'parseClipTextConfig'. */
const parserOf = (folder: string): string =>
  `parse${folder.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())}Config`;

describe('every network', () => {
  it('is exported', () => {
    const index = readFileSync(path.join(networks, 'index.ts'), 'utf8');
    expect(folders.length).toBeGreaterThan(5);
    expect(folders.filter((folder) => !index.includes(`./${folder}/`))).toEqual([]);
  });
  it.each(Object.entries(lists))('stands in %s', (file, without) => {
    const text = readFileSync(path.join(import.meta.dirname, file), 'utf8');
    const wanted = folders.filter((folder) => !without.includes(folder));
    expect(wanted.filter((folder) => !text.includes(parserOf(folder)))).toEqual([]);
  });
});
