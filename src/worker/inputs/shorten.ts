import type { PromptPart } from '../../shared/contracts/worker-protocol.ts';
import { isStudioError, StudioError } from '../../shared/errors.ts';
import { buildPrompt, type PromptOptions } from './prompt.ts';
import type { LanguageTokenizer } from './tokenizer.ts';

/** Of what is kept, how much is kept at the front: what is asked stands at either end, more often at the first. */
const frontShare = 0.6;
const mark = ' … ';

/**
 * Shortens a message until it alone fits into `options.maxPositions`: the middle of its words is cut out, at spaces
 * where there are any, and marked with an ellipsis. Its pictures stay where they are. One that fits comes back as it is.
 * @throws StudioError `too-long` where not even the pictures fit
 */
export function shortenMessage(
  tokenizer: LanguageTokenizer,
  parts: readonly PromptPart[],
  options: PromptOptions,
): PromptPart[] {
  if (fits(tokenizer, parts, options)) return [...parts];
  const letters = parts.reduce((sum, part) => sum + lettersOf(part).length, 0);
  // More letters kept never take fewer tokens, but for a token or two at the cut: the search ends on one that fits.
  let [low, high] = [0, letters];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fits(tokenizer, cutTo(parts, middle, letters), options)) low = middle;
    else high = middle;
  }
  const shortened = cutTo(parts, low, letters);
  if (low > 0 && fits(tokenizer, shortened, options)) return shortened;
  throw new StudioError(
    'too-long',
    'This message has more pictures than the model can read at once. Take some of them out.',
  );
}

function fits(
  tokenizer: LanguageTokenizer,
  parts: readonly PromptPart[],
  options: PromptOptions,
): boolean {
  try {
    buildPrompt(tokenizer, [{ role: 'user', parts: [...parts] }], options);
    return true;
  } catch (error) {
    if (isStudioError(error, 'too-long')) return false;
    throw error;
  }
}

/** The parts with `kept` of their `letters` letters: those from `from` to `to` are cut. */
function cutTo(parts: readonly PromptPart[], kept: number, letters: number): PromptPart[] {
  const all = parts.map(lettersOf).flat();
  const from = spaceBefore(all, Math.ceil(kept * frontShare));
  const to = spaceBehind(all, letters - Math.floor(kept * (1 - frontShare)));
  let at = 0;
  let marked = false;
  return parts.flatMap((part): PromptPart[] => {
    if (part.kind !== 'text') return [part];
    const text = lettersOf(part);
    const [start, end] = [at, at + text.length];
    at = end;
    if (end <= from || start >= to) return [part];
    const front = text
      .slice(0, Math.max(from - start, 0))
      .join('')
      .trimEnd();
    const back = text
      .slice(Math.max(to - start, 0))
      .join('')
      .trimStart();
    const between = marked ? '' : mark;
    marked = true;
    return front + back === '' && between === '' ? [] : [{ ...part, text: front + between + back }];
  });
}

/** By code points, so that no letter is cut in two. */
function lettersOf(part: PromptPart): string[] {
  return part.kind === 'text' ? [...part.text] : [];
}

/** How far a cut moves to fall on a space; a text without spaces is cut where it is. */
const reach = 40;

function spaceBefore(letters: readonly string[], from: number): number {
  for (let at = from; at > Math.max(0, from - reach); at -= 1) {
    if (/\s/.test(letters[at] ?? ' ')) return at;
  }
  return from;
}

function spaceBehind(letters: readonly string[], from: number): number {
  for (let at = from; at < Math.min(letters.length, from + reach); at += 1) {
    if (/\s/.test(letters[at] ?? ' ')) return at;
  }
  return from;
}
