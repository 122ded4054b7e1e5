import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  replaceFileSync,
  replaceFolderSync,
  writeWholeFile,
  writeWholeFileSync,
} from '../../src/base/whole-file.ts';
import { temporaryFolder } from '../main/support/storage.ts';

describe('a whole file', () => {
  const ways = [
    ['at leisure', writeWholeFile],
    ['at once', async (file: string, text: string) => writeWholeFileSync(file, text)],
  ] as const;

  test.each(ways)('takes the place of the one before, %s', async (_name, write) => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'a.txt');
    writeFileSync(file, 'before');
    await write(file, 'after');
    expect(readFileSync(file, 'utf8')).toBe('after');
    expect(readdirSync(folder)).toEqual(['a.txt']);
  });

  test.each(ways)('that cannot take its place leaves nothing behind, %s', async (_name, write) => {
    const folder = temporaryFolder();
    // A folder stands under the name: the rename fails after the bytes are written.
    const place = path.join(folder, 'taken');
    mkdirSync(path.join(place, 'inside'), { recursive: true });
    await expect(write(place, 'x')).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST|EPERM|EACCES/);
    expect(readdirSync(folder)).toEqual(['taken']);
  });

  test('whose writer fails half-way leaves the one before', () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'weights.bin');
    writeFileSync(file, 'before');
    const fail = (temporary: string): void => {
      writeFileSync(temporary, 'half');
      throw new Error('the disk is full');
    };
    expect(() => replaceFileSync(file, fail)).toThrow('the disk is full');
    expect(readFileSync(file, 'utf8')).toBe('before');
    expect(readdirSync(folder)).toEqual(['weights.bin']);
  });
});

describe('a whole folder', () => {
  const withFile = (folder: string, text: string): void => {
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'a.txt'), text);
  };

  test('takes the place of the one before, or of none', () => {
    const root = temporaryFolder();
    const [place, made] = [path.join(root, 'model'), path.join(root, 'made')];
    for (const text of ['first', 'second']) {
      withFile(made, text);
      replaceFolderSync(place, made);
      expect(readFileSync(path.join(place, 'a.txt'), 'utf8')).toBe(text);
      expect(readdirSync(root)).toEqual(['model']);
    }
  });

  test('that is not there leaves the one before', () => {
    const root = temporaryFolder();
    const place = path.join(root, 'model');
    withFile(place, 'before');
    expect(() => replaceFolderSync(place, path.join(root, 'gone'))).toThrow('ENOENT');
    expect(readFileSync(path.join(place, 'a.txt'), 'utf8')).toBe('before');
    expect(readdirSync(root)).toEqual(['model']);
  });
});
