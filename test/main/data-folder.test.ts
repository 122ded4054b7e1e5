import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { prepareDataFolder } from '../../src/main/data-folder.ts';
import { temporaryFolder } from './support/storage.ts';

const modeOf = (file: string): number => statSync(file).mode & 0o777;

describe('the data folder', () => {
  test('is made, for its owner alone, and nothing is left of the trial', () => {
    const wanted = path.join(temporaryFolder(), 'a', 'b');
    expect(prepareDataFolder(wanted)).toEqual({ folder: wanted, fault: null });
    expect(readdirSync(wanted)).toEqual([]);
    if (process.platform !== 'win32') expect(modeOf(wanted)).toBe(0o700);
  });

  test.skipIf(process.platform === 'win32')('that others could read is closed to them', () => {
    const wanted = path.join(temporaryFolder(), 'open');
    mkdirSync(wanted, { mode: 0o755 });
    prepareDataFolder(wanted);
    expect(modeOf(wanted)).toBe(0o700);
  });

  test('is the same through a link', () => {
    const root = temporaryFolder();
    mkdirSync(path.join(root, 'real'));
    symlinkSync(path.join(root, 'real'), path.join(root, 'link'));
    const [real, link] = ['real', 'link'].map((name) => prepareDataFolder(path.join(root, name)));
    expect(link).toEqual(real);
  });

  test('that is a file, or lies under one, is told with what to do', () => {
    const file = path.join(temporaryFolder(), 'file');
    writeFileSync(file, 'x');
    for (const wanted of [file, path.join(file, 'below')]) {
      const { fault } = prepareDataFolder(wanted);
      expect(fault).toContain(`${wanted} is not a folder. Move what is there`);
      expect(fault).toContain('--user-data-dir=DIR');
    }
  });

  test.runIf(process.platform === 'linux')('that may not be written is told', () => {
    // The kernel lets nobody make a folder there, not even root.
    expect(prepareDataFolder('/sys/textbind').fault).toContain('You may not write into');
  });
});
