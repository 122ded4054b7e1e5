import { describe, expect, test } from 'vitest';
import { titleOf } from '../../../src/main/conversations/title.ts';
import { makePicture, text } from '../support/turns.ts';

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
