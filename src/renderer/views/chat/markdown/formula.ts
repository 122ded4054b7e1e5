/** Loaded with the first formula. */
import 'katex/dist/katex.min.css';
import katex from 'katex';

/**
 * Shows TeX in an element, by elements that KaTeX makes itself: no HTML string, no style attribute. Beside what is seen
 * stands the same in MathML, for a screen reader. Nothing that leads out of the formula (links, pictures, classes) is
 * trusted, macros and sizes are limited.
 * @returns false where it cannot be read
 */
export function showFormula(element: HTMLElement, tex: string, display: boolean): boolean {
  try {
    katex.render(tex, element, {
      displayMode: display,
      output: 'htmlAndMathml',
      trust: false,
      strict: 'ignore',
      maxExpand: 300,
      maxSize: 20,
      throwOnError: true,
    });
    return true;
  } catch {
    return false;
  }
}
