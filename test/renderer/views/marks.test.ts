import { describe, expect, it } from 'vitest';
import { markWords } from '../../../src/renderer/views/chat/marks.ts';
import { fold, occurrences } from '../../../src/shared/domain/fold.ts';

describe('marking words', () => {
  it('folds letter by letter, so that places stay', () => {
    for (const text of ['Déjà vu', 'ÄÖÜ', '中文搜索', 'ﬁn İstanbul ẞ', '👍🏽 fine']) {
      expect(fold(text)).toHaveLength(text.length);
    }
    expect(fold('Déjà VU')).toBe('deja vu');
  });

  it('finds every occurrence, in words too, in order', () => {
    expect(occurrences('A cat and a CATalogue', ['cat'])).toEqual([
      { from: 2, to: 5 },
      { from: 12, to: 15 },
    ]);
    expect(occurrences('two one', ['one', 'two']).map(({ from }) => from)).toEqual([0, 4]);
  });

  it('makes ranges over text, wherever the page breaks it', () => {
    const root = document.createElement('div');
    root.innerHTML = '<p>A <strong>Lighthouse</strong> by the sea</p><p>no light</p>';
    const ranges = markWords([root], ['light', 'SEA']);
    expect(ranges.map(String)).toEqual(['Light', 'sea', 'light']);
    expect(markWords([root], [' ', ''])).toEqual([]);
  });
});
