import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileNameOf, toMarkdown } from '../../src/main/conversations/export.ts';
import { titleOf } from '../../src/main/conversations/title.ts';
import { rotateLog } from '../../src/main/log-rotation.ts';
import { formatFields } from '../../src/main/logger.ts';
import { readOptions } from '../../src/main/options.ts';
import { layOutPaths } from '../../src/main/paths.ts';
import { describeExit } from '../../src/main/processes/child.ts';
import { temporaryFolder } from './support/storage.ts';
import { makePicture, makeTurn, text } from './support/turns.ts';

describe('options', () => {
  test('are read from the command line, paths made absolute', () => {
    expect(readOptions(['app', '.', '--no-sandbox'], '/there')).toEqual({
      userDataFolder: null,
      demo: null,
      saveFolder: null,
      modelsFolder: null,
    });
    expect(
      readOptions(
        ['app', '--user-data-dir=data', '--demo', '--models-folder=/m', '--out=o'],
        '/there',
      ),
    ).toEqual({
      userDataFolder: '/there/data',
      demo: { out: '/there/o' },
      saveFolder: '/there/o',
      modelsFolder: '/m',
    });
  });
});

describe('paths', () => {
  const roots = { userData: '/u', mainFolder: '/app/out/main', modelsFolder: null };

  test('of a checkout and of an installed app', () => {
    const checkout = layOutPaths({ ...roots, installedResources: null });
    expect(checkout).toMatchObject({
      embeddedModels: '/app/models',
      worker: '/app/out/worker/main.js',
    });
    const installed = layOutPaths({ ...roots, installedResources: '/opt/r' });
    expect(installed).toMatchObject({ embeddedModels: '/opt/r/models', data: '/u/data' });
  });
});

describe('titles', () => {
  test.each([
    [[text('  Hello\n there ')], 'Hello there'],
    [[text('word '.repeat(30))], 'word word word word word word word word word word word word…'],
    [[text('x'.repeat(100))], `${'x'.repeat(60)}…`],
    [[{ kind: 'picture' as const, picture: makePicture() }], 'A picture'],
    [[0, 1].map(() => ({ kind: 'picture' as const, picture: makePicture() })), '2 pictures'],
  ])('%#', (parts, title) => {
    expect(titleOf(parts)).toBe(title);
  });
});

describe('exported names', () => {
  test.each([
    ['What is it?', 'What is it'],
    ['../../etc/passwd', 'etc passwd'],
    ['a/b\\c:d*e"f<g>h|i', 'a b c d e f g h i'],
    ['...', 'Conversation'],
    ['con', 'Conversation con'],
    ['Größe 中文', 'Größe 中文'],
    ['😀', 'Conversation'],
  ])('%s', (title, name) => {
    expect(fileNameOf(title)).toBe(name);
  });

  test('Markdown says how an unfinished reply ended, and what was not drawn', () => {
    const error = { kind: 'cancelled', message: 'x', detail: null } as const;
    const turns = [
      makeTurn('user', [text('Draw')]),
      makeTurn('assistant', [{ kind: 'undrawn', caption: 'a *pear*', error }], {
        status: 'interrupted',
      }),
    ];
    const summary = {
      id: 'x',
      title: '# T',
      createdAt: 1,
      updatedAt: 1,
      turnCount: 2,
      snippet: null,
    };
    expect(toMarkdown({ summary, turns }, 'p')).toBe(
      '# \\# T\n\n## You\n\nDraw\n\n## Fake model\n\n*(not drawn: a \\*pear\\*)*\n\n*(interrupted)*\n',
    );
  });
});

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

  test('fields are one line', () => {
    expect(formatFields({ id: 'r1', ms: 3, none: null, gone: undefined, words: 'a "b"\nc' })).toBe(
      'id=r1 ms=3 none=null words="a \\"b\\"\\nc"',
    );
  });
});

describe('how a worker ended', () => {
  test.each([
    [{ code: 3, signal: null }, '', 'The engine ended with code 3.'],
    [{ code: null, signal: 'SIGSEGV' }, '', 'The engine was ended by SIGSEGV.'],
    [{ code: 1, signal: null }, 'first\nlast line\n', 'The engine ended with code 1: last line'],
    [
      { code: null, signal: 'SIGKILL' },
      'a warning of long before\n',
      'The engine was ended by SIGKILL (the system does this when memory runs out).',
    ],
  ])('%j', (exit, words, sentence) => {
    expect(describeExit(exit, words)).toBe(sentence);
  });
});
