/**
 * Text as a search compares it: without case, and without accents on Latin, Greek and Cyrillic letters, as full text
 * folds them. Each UTF-16 unit stays one, so that places in it are places in the text.
 */
export function fold(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower.replace(accented, withoutAccent);
  // A letter whose small form is two letters long stays as it is.
  const units = Array.from({ length: text.length }, (_, at) => text.charAt(at));
  return units.map((unit) => (unit.toLowerCase().length === 1 ? fold(unit) : unit)).join('');
}

/** Latin, Greek and Cyrillic letters that may have accents. */
const accented = /[\u00c0-\u058f\u1e00-\u1fff]/g;

function withoutAccent(letter: string): string {
  return letter.normalize('NFD').charAt(0);
}

/** What a person typed as the words to look for: parts of words too, so each is only what stands between spaces. */
export function searchWords(typed: string): string[] {
  const words = typed.normalize('NFC').replaceAll('\0', ' ').split(/\s+/).map(fold);
  return [...new Set(words)].filter((word) => /[\p{L}\p{N}\p{S}]/u.test(word)).slice(0, 16);
}

/** Where folded words stand in a text, in order. */
export function occurrences(
  text: string,
  words: readonly string[],
): { readonly from: number; readonly to: number }[] {
  const folded = fold(text);
  const found: { from: number; to: number }[] = [];
  for (const word of words) {
    for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + word.length)) {
      found.push({ from: at, to: at + word.length });
    }
  }
  return found.sort((one, other) => one.from - other.from);
}
