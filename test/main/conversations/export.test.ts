import { describe, expect, test } from 'vitest';
import { fileNameOf, toMarkdown } from '../../../src/main/conversations/export.ts';
import { makeTurn, text } from '../support/turns.ts';

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
    expect(toMarkdown({ title: '# T', turns }, 'p')).toBe(
      '# \\# T\n\n## You\n\nDraw\n\n## Fake model\n\n*(not drawn: a \\*pear\\*)*\n\n*(interrupted)*\n',
    );
  });
});
