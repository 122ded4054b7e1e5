import { fold, occurrences } from '../../../shared/domain/fold.ts';

/** The name by which the style sheet draws marked words (`::highlight(found)`). */
const highlightName = 'found';

/**
 * Marks every occurrence of the words under these elements, without touching the page's elements: text that is being
 * written or selected stays as it is. Returns the ranges, in order; where the browser cannot mark, nothing is marked.
 */
export function markWords(roots: readonly Element[], words: readonly string[]): Range[] {
  const ranges = roots.flatMap((root) => rangesOf(root, words));
  if (typeof CSS !== 'undefined' && 'highlights' in CSS) {
    if (ranges.length === 0) CSS.highlights.delete(highlightName);
    else CSS.highlights.set(highlightName, new Highlight(...ranges));
  }
  return ranges;
}

/** Nothing is marked any more. */
export function clearMarks(): void {
  markWords([], []);
}

function rangesOf(root: Element, words: readonly string[]): Range[] {
  const wanted = words.map(fold).filter((word) => word.trim() !== '');
  if (wanted.length === 0) return [];
  const ranges: Range[] = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    for (const { from, to } of occurrences(node.nodeValue ?? '', wanted)) {
      const range = document.createRange();
      range.setStart(node, from);
      range.setEnd(node, to);
      ranges.push(range);
    }
  }
  return ranges;
}
