import { markupTags } from './markup-tags.ts';
import type { TextbindTurn } from './textbind-conversation.ts';
import { known } from '../errors.ts';

/**
 * Conversations as a language model writes them for the recipe: "Human:" and "Assistant:" in turn, a picture as
 * `<img0>its caption</img0>` where it stands. The rules are those of the paper's data_utils and filters, and three more
 * (a picture left out, a caption as the whole answer, markup of the prompt as words).
 */

export const rejectReasons = [
  'no-human',
  'roles',
  'too-short',
  'empty-turn',
  'no-picture',
  'picture-unknown',
  'picture-twice',
  'picture-unused',
  'caption-changed',
  'copied',
  'repeated',
  'markup',
  'cut',
] as const;
/** Why a conversation is not taken. */
export type RejectReason = (typeof rejectReasons)[number];

export type WrittenPart =
  | { readonly kind: 'text'; readonly text: string }
  /** `number`: the caption's place in the request. */
  | { readonly kind: 'picture'; readonly number: number; readonly caption: string };

export interface WrittenTurn {
  readonly role: 'user' | 'assistant';
  readonly parts: readonly WrittenPart[];
}

/** Fewer are no conversation. */
export const leastTurns = 3;
/** A written caption may differ from the true one by this share of its length. */
export const captionTolerance = 0.1;

const speaker = /^[ \t]*[*_#]*(Human|User|Assistant)[*_]*[ \t]*:[*_]*[ \t]*/gim;
const thinking = /<think>[\s\S]*?<\/think>/gi;
const picture = /<img(\d+)>([\s\S]*?)<\/img\1>/g;
const unpaired = /<\/?img\d*>/g;

/** The turns of an answer. What stands before the first speaker, fences, and pictures' tags without a pair go; so does a last message that nobody answers. */
export function readWritten(text: string): readonly WrittenTurn[] {
  const clean = text.replaceAll(thinking, '').replaceAll(/^```.*$/gm, '');
  const marks = [...clean.matchAll(speaker)];
  const turns = marks.map((mark, at): WrittenTurn => {
    const words = clean.slice(mark.index + mark[0].length, marks[at + 1]?.index);
    const role = mark[1]?.toLowerCase() === 'assistant' ? 'assistant' : 'user';
    return { role, parts: readParts(words.trim()) };
  });
  return turns.at(-1)?.role === 'user' ? turns.slice(0, -1) : turns;
}

function readParts(words: string): readonly WrittenPart[] {
  const parts: WrittenPart[] = [];
  let at = 0;
  const say = (text: string): void => {
    const kept = text.replaceAll(unpaired, '');
    if (kept !== '') parts.push({ kind: 'text', text: kept });
  };
  for (const found of words.matchAll(picture)) {
    say(words.slice(at, found.index));
    parts.push({ kind: 'picture', number: Number(found[1]), caption: (found[2] ?? '').trim() });
    at = found.index + found[0].length;
  }
  say(words.slice(at));
  return parts;
}

/** A conversation as text again, in the form that is read. */
export function writeWritten(turns: readonly WrittenTurn[]): string {
  return turns
    .map(({ role, parts }) => {
      const words = parts.map((part) =>
        part.kind === 'text' ? part.text : `<img${part.number}>${part.caption}</img${part.number}>`,
      );
      return `${role === 'user' ? 'Human' : 'Assistant'}: ${words.join('')}`;
    })
    .join('\n');
}

/**
 * Every reason against a conversation.
 * @param captions the true ones, in the order of the request
 */
export function reasonsAgainst(text: string, captions: readonly string[]): readonly RejectReason[] {
  const turns = readWritten(text);
  if (!turns.some(({ role }) => role === 'user')) return ['no-human'];
  const found: readonly (readonly [RejectReason, boolean])[] = [
    ['roles', turns.some(({ role }, at) => role !== (at % 2 === 0 ? 'user' : 'assistant'))],
    ['too-short', turns.length < leastTurns],
    ['empty-turn', turns.some(({ parts }) => contentOf(parts).trim() === '')],
    ...pictureReasons(turns, captions),
    ['copied', turns.some((turn) => isCopied(turn, captions))],
    ['repeated', repeats(turns)],
    ['markup', turns.some(({ parts }) => markupTags.some((tag) => wordsOf(parts).includes(tag)))],
  ];
  return found.filter(([, isSo]) => isSo).map(([reason]) => reason);
}

function pictureReasons(
  turns: readonly WrittenTurn[],
  captions: readonly string[],
): readonly (readonly [RejectReason, boolean])[] {
  const shown = turns.flatMap(({ parts }) =>
    parts.flatMap((part) => (part.kind === 'picture' ? [part] : [])),
  );
  const numbers = shown.map(({ number }) => number);
  const isChanged = ({ number, caption }: { number: number; caption: string }): boolean => {
    const truth = captions[number];
    return truth !== undefined && !isClose(caption, truth);
  };
  return [
    ['no-picture', shown.length === 0],
    ['picture-unknown', numbers.some((number) => captions[number] === undefined)],
    ['picture-twice', new Set(numbers).size < numbers.length],
    ['picture-unused', shown.length > 0 && captions.some((_, number) => !numbers.includes(number))],
    ['caption-changed', shown.some(isChanged)],
  ];
}

/** An answer that says a caption and nothing else teaches to describe, not to talk. */
function isCopied({ role, parts }: WrittenTurn, captions: readonly string[]): boolean {
  const said = plain(wordsOf(parts));
  return role === 'assistant' && said !== '' && captions.some((each) => isClose(said, plain(each)));
}

function repeats(turns: readonly WrittenTurn[]): boolean {
  const said = turns
    .filter(({ role }) => role === 'assistant')
    .map(({ parts }) => plain(wordsOf(parts)))
    .filter((words) => words !== '');
  return new Set(said).size < said.length;
}

const plain = (words: string): string =>
  words
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

function wordsOf(parts: readonly WrittenPart[]): string {
  return parts.map((part) => (part.kind === 'text' ? part.text : ' ')).join('');
}

function contentOf(parts: readonly WrittenPart[]): string {
  return parts.map((part) => (part.kind === 'text' ? part.text : '<image>')).join('');
}

function isClose(written: string, truth: string): boolean {
  return editDistance(written, truth) <= captionTolerance * truth.length;
}

/** Levenshtein's distance: letters to put in, take out or change. */
export function editDistance(one: string, other: string): number {
  const letters = [...other];
  /** From what was read of `one` to each beginning of `other`, without the empty one. */
  let row = letters.map((_, at) => at + 1);
  let count = 0;
  for (const letter of one) {
    let diagonal = count;
    let left = (count += 1);
    row = row.map((above, column) => {
      const changed = diagonal + (letter === letters[column] ? 0 : 1);
      diagonal = above;
      left = Math.min(changed, above + 1, left + 1);
      return left;
    });
  }
  return row.at(-1) ?? count;
}

/** As a row of stage 2 says it, with the true captions. @param files of the pictures, in the order of the request */
export function toTextbindTurns(
  text: string,
  captions: readonly string[],
  files: readonly string[],
): TextbindTurn[] {
  return readWritten(text).map(({ role, parts }) => {
    const shown = parts.flatMap((part) => (part.kind === 'picture' ? [part.number] : []));
    return {
      role,
      content: contentOf(parts).trim(),
      image_list: shown.map((number) => known(files[number], `picture ${number}`)),
      caption_list: shown.map((number) => known(captions[number], `caption ${number}`)),
    };
  });
}

/**
 * Distinct n-grams over all n-grams for n = 2, 3 and 4, summed: the paper's measure of diversity, of one text.
 * Words are split at white space.
 */
export function diversity(text: string): number {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const of = (length: number): number => {
    const grams = words.slice(length - 1).map((_, at) => words.slice(at, at + length).join(' '));
    return grams.length === 0 ? 0 : new Set(grams).size / grams.length;
  };
  return of(2) + of(3) + of(4);
}

/** {@link diversity} averaged over the turns of some conversations, of each speaker apart; null where one never speaks. */
export function diversityOf(texts: readonly string[]): {
  readonly user: number | null;
  readonly assistant: number | null;
} {
  const turns = texts.flatMap((text) => readWritten(text));
  const of = (speaks: WrittenTurn['role']): number | null => {
    const each = turns.filter(({ role }) => role === speaks);
    if (each.length === 0) return null;
    return each.reduce((sum, { parts }) => sum + diversity(wordsOf(parts)), 0) / each.length;
  };
  return { user: of('user'), assistant: of('assistant') };
}
