/**
 * White space as Python's str.strip has it, which the trainer and the reference use: with the separators U+001C to
 * U+001F and U+0085, without U+FEFF.
 */
const spaces =
  '[\\t-\\r\\u001c-\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
const atStart = new RegExp(`^${spaces}`, 'u');
const atEnd = new RegExp(`${spaces}$`, 'u');

export function stripStart(text: string): string {
  return text.replace(atStart, '');
}

export function stripEnd(text: string): string {
  // A regular expression would try every run of spaces in the text, and each from every place in it.
  let end = text.length;
  while (end > 0 && atEnd.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** Without white space at both ends. */
export function strip(text: string): string {
  return stripEnd(stripStart(text));
}
