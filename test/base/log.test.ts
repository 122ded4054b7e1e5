import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatFields, openLog, rotateLog, withFields, withoutHome } from '../../src/base/log.ts';
import { temporaryFolder } from '../main/support/storage.ts';

describe('logs', () => {
  test('rotate: the newest is 1, the oldest goes', () => {
    const file = path.join(temporaryFolder(), 'main.log');
    for (let number = 0; number < 4; number += 1) {
      writeFileSync(file, `log ${number}`);
      rotateLog(file, 2);
    }
    expect(existsSync(file)).toBe(false);
    const kept = [1, 2, 3].map((number) => file.replace('.log', `.${number}.log`));
    expect(readFileSync(kept[0]!, 'utf8')).toBe('log 3');
    expect(readFileSync(kept[1]!, 'utf8')).toBe('log 2');
    expect(existsSync(kept[2]!)).toBe(false);
  });

  test('go on in a folder that was deleted under them', () => {
    const folder = path.join(temporaryFolder(), 'logs');
    const log = openLog(path.join(folder, 'main.log'));
    log.info('before');
    rmSync(folder, { recursive: true });
    log.info('after');
    expect(readFileSync(path.join(folder, 'main.log'), 'utf8')).toMatch(/after$/m);
  });

  test('say nobody’s name: the home folder is ~', () => {
    const file = path.join(temporaryFolder(), 'main.log');
    openLog(file).warn('model', { folder: path.join(os.homedir(), 'models', 'my llama') });
    const line = readFileSync(file, 'utf8');
    expect(line).toContain(path.join('~', 'models'));
    expect(line).not.toContain(os.homedir());
    expect(withoutHome('a="C:\\\\Users\\\\Ann\\\\x" at C:\\Users\\Ann\\y', 'C:\\Users\\Ann')).toBe(
      'a="~\\\\x" at ~\\y',
    );
  });

  test('fields are one line', () => {
    expect(formatFields({ id: 'r1', ms: 3, none: null, gone: undefined, words: 'a "b"\nc' })).toBe(
      'id=r1 ms=3 none=null words="a \\"b\\"\\nc"',
    );
  });

  test('a file that grew is put aside, and no line is lost', () => {
    const file = path.join(temporaryFolder(), 'worker.log');
    const log = openLog(file, { maxBytes: 1000, keptFiles: 3 });
    const lines = Array.from({ length: 40 }, (_, number) => `line ${number}`);
    for (const line of lines) log.info(line);
    const files = [3, 2, 1].map((number) => file.replace('.log', `.${number}.log`));
    const kept = [...files, file].filter((each) => existsSync(each));
    expect(kept.length).toBeGreaterThan(1);
    const text = kept.map((each) => readFileSync(each, 'utf8')).join('');
    expect(text.match(/line \d+/g)).toEqual(lines);
  });

  test('a line has time, level and words; fields of its request come first', () => {
    const file = path.join(temporaryFolder(), 'main.log');
    withFields(openLog(file), { request: 'r7' }).warn('request failed', { kind: 'busy' });
    expect(readFileSync(file, 'utf8')).toMatch(
      /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\] \[warn\]\s+request failed request=r7 kind=busy\n$/,
    );
  });
});
