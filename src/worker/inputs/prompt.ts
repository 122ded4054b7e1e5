import type { PromptPart, PromptTurn } from '../../shared/contracts/worker-protocol.ts';
import { StudioError } from '../../shared/errors.ts';
import { endToken, imageToken, startToken, type LanguageTokenizer } from './tokenizer.ts';
import { strip, stripEnd } from './white-space.ts';

/** What the prompt's form gives a meaning to, besides the tokenizer's special tokens (`textbind.md` section 2). */
const markup = ['[INST]', '[/INST]', '<<SYS>>', '<</SYS>>', '<s>', '</s>'] as const;

/** A picture's place in a prompt. */
export interface PromptPicture {
  readonly path: string;
  /** Index of the first of its positions in `ids`. */
  readonly position: number;
}

/** A conversation as the language model reads it. */
export interface Prompt {
  /** Token ids; at a picture's positions the `<image>` token, whose embeddings are to be overwritten. */
  readonly ids: readonly number[];
  readonly pictures: readonly PromptPicture[];
  /** How many of the oldest pairs did not fit and were left out. */
  readonly droppedPairs: number;
  /** How many messages in front of the last one, which nobody answered, did not fit with it and were left out. */
  readonly droppedMessages: number;
  /** White space cut from the end of a reply that goes on: it is there already, so the model need not repeat it. */
  readonly cutWhitespace: string;
}

export interface PromptOptions {
  /** Positions of one picture: its projected query embeddings. */
  readonly queryTokens: number;
  /** Most positions that the prompt may take, so that the reply has room. */
  readonly maxPositions: number;
  readonly system?: string;
}

/**
 * Builds `{begin}[INST] {user} [/INST]` and `{assistant} {end of turn}` for each pair, both texts stripped. Where the
 * last turn is the assistant's, it is left open, to be continued. What does not fit is dropped from the front: whole
 * pairs, then, of several messages in a row that nobody answered, all but the last.
 *
 * Text that looks like markup is escaped by {@link escapeMarkup}.
 * @throws StudioError `too-long` where the last message alone does not fit, `bad-input` where there is no turn
 */
export function buildPrompt(
  tokenizer: LanguageTokenizer,
  turns: readonly PromptTurn[],
  options: PromptOptions,
): Prompt {
  const pairs = pairUp(turns);
  const last = pairs.at(-1);
  if (!last) throw new StudioError('bad-input', 'the conversation has no words yet');
  const escape = markupEscaper(tokenizer);
  const candidates = fromAllToLast(pairs, last);
  for (const candidate of candidates) {
    const encoded = candidate.pairs.map((pair, index) =>
      encodePair(tokenizer, escape, pair, {
        queryTokens: options.queryTokens,
        open: index === candidate.pairs.length - 1,
        // It moves to the first pair that is left, so sizes are counted anew rather than subtracted.
        system: index === 0 ? options.system : undefined,
      }),
    );
    const total = encoded.reduce((sum, pair) => sum + pair.ids.length, 0);
    if (total <= options.maxPositions) return { ...joinPairs(encoded), ...candidate.dropped };
    if (candidate === candidates.at(-1)) throw tooLong(last, total, options.maxPositions);
  }
  throw new StudioError('internal', 'a conversation with turns gave no prompt to try');
}

interface Candidate {
  readonly pairs: readonly Pair[];
  readonly dropped: Pick<Prompt, 'droppedPairs' | 'droppedMessages'>;
}

/** What may be read, from everything to the last message alone. */
function fromAllToLast(pairs: readonly Pair[], last: Pair): Candidate[] {
  const fewerPairs = pairs.map((_, droppedPairs) => ({
    pairs: pairs.slice(droppedPairs),
    dropped: { droppedPairs, droppedMessages: 0 },
  }));
  const fewerMessages = last.messages.slice(1).map((_, index) => ({
    pairs: [{ ...last, messages: last.messages.slice(index + 1) }],
    dropped: { droppedPairs: pairs.length - 1, droppedMessages: index + 1 },
  }));
  return [...fewerPairs, ...fewerMessages];
}

function tooLong(last: Pair, positions: number, room: number): StudioError {
  const sizes = `takes ${positions} tokens, and the model has room for ${room}`;
  const what =
    last.assistant === null
      ? `This message is too long for the model: it ${sizes}.`
      : `This reply cannot go on: with its question it ${sizes}.`;
  return new StudioError('too-long', what);
}

/** Token ids of a stretch of words that stand in for a picture that was not drawn. */
export function undrawnIds(tokenizer: LanguageTokenizer, caption: string): number[] {
  return tokenizer.encode(undrawnWords(markupEscaper(tokenizer)(caption)));
}

function undrawnWords(caption: string): string {
  return `(${caption.trim()})`;
}

/**
 * Breaks every string that has a meaning for the model by a space after its first character: `[INST]` becomes
 * `[ INST]`, `<image>` becomes `< image>`. So nothing a person types is lost or refused, the model reads nearly the
 * same characters, and no text can forge a turn, a picture or an end. Only the model's view is changed, never the
 * stored conversation.
 */
export function escapeMarkup(tags: readonly string[], text: string): string {
  // A tag without its first character's neighbour cannot match again, and no tag contains a space.
  return tags.reduce(
    (escaped, tag) => escaped.replaceAll(tag, `${tag.charAt(0)} ${tag.slice(1)}`),
    text,
  );
}

function markupEscaper(tokenizer: LanguageTokenizer): (text: string) => string {
  const tags = new Set([
    ...markup,
    imageToken,
    startToken,
    endToken,
    ...tokenizer.specialTokens.filter((token) => token.length > 1),
  ]);
  const longestFirst = [...tags].sort((left, right) => right.length - left.length);
  return (text) => escapeMarkup(longestFirst, text);
}

interface Pair {
  /** The person's turns in a row; one, unless a turn was not answered. */
  readonly messages: readonly (readonly PromptPart[])[];
  readonly assistant: readonly PromptPart[] | null;
}

/** Turns as pairs: empty turns are left out, turns of one role in a row become one. */
function pairUp(turns: readonly PromptTurn[]): Pair[] {
  const runs: { role: PromptTurn['role']; turns: (readonly PromptPart[])[] }[] = [];
  for (const turn of turns.filter(hasContent)) {
    const last = runs.at(-1);
    if (last?.role === turn.role) last.turns.push(turn.parts);
    else runs.push({ role: turn.role, turns: [turn.parts] });
  }
  const pairs: Pair[] = [];
  for (const [index, run] of runs.entries()) {
    if (run.role === 'user') {
      const reply = runs[index + 1];
      pairs.push({ messages: run.turns, assistant: reply ? joined(reply.turns) : null });
    } else if (index === 0) {
      pairs.push({ messages: [], assistant: joined(run.turns) });
    }
  }
  return pairs;
}

function joined(turns: readonly (readonly PromptPart[])[]): PromptPart[] {
  const between: PromptPart = { kind: 'text', text: '\n\n' };
  return turns.flatMap((parts, index) => (index === 0 ? parts : [between, ...parts]));
}

function hasContent(turn: PromptTurn): boolean {
  return turn.parts.some((part) => part.kind !== 'text' || part.text.trim() !== '');
}

interface EncodedPair {
  readonly ids: number[];
  readonly pictures: readonly PromptPicture[];
  readonly cutWhitespace: string;
}

interface PairOptions {
  readonly queryTokens: number;
  /** The last pair: an assistant's turn in it is unfinished. */
  readonly open: boolean;
  readonly system: string | undefined;
}

function encodePair(
  tokenizer: LanguageTokenizer,
  escape: (text: string) => string,
  pair: Pair,
  options: PairOptions,
): EncodedPair {
  const asked = joined(pair.messages);
  const user = strip(flatten(asked, escape));
  const system =
    options.system === undefined ? '' : `<<SYS>>\n${escape(options.system)}\n<</SYS>>\n\n`;
  const question = `${tokenizer.beginToken}[INST] ${system}${user} [/INST]`;
  const ids = encodeExpanded(tokenizer, question, options.queryTokens);
  let cutWhitespace = '';
  if (pair.assistant !== null) {
    const text = flatten(pair.assistant, escape);
    const stripped = strip(text);
    const answer = options.open ? stripped : `${stripped} ${tokenizer.endOfTurnToken}`;
    if (options.open) cutWhitespace = text.slice(stripEnd(text).length);
    ids.push(...encodeExpanded(tokenizer, answer, options.queryTokens));
  }
  const paths = [...asked, ...(pair.assistant ?? [])]
    .filter((part) => part.kind === 'picture')
    .map((part) => part.path);
  return {
    ids,
    pictures: locatePictures(tokenizer, ids, paths, options.queryTokens),
    cutWhitespace,
  };
}

function flatten(parts: readonly PromptPart[], escape: (text: string) => string): string {
  // Neighbouring texts are joined before they are escaped: a tag must not slip through in two halves.
  const pieces: { literal: boolean; text: string }[] = [];
  for (const part of parts) {
    if (part.kind === 'picture') {
      pieces.push({ literal: true, text: imageToken });
      continue;
    }
    const text = part.kind === 'undrawn' ? undrawnWords(part.caption) : part.text;
    const last = pieces.at(-1);
    if (last !== undefined && !last.literal) last.text += text;
    else pieces.push({ literal: false, text });
  }
  return pieces.map(({ literal, text }) => (literal ? text : escape(text))).join('');
}

function encodeExpanded(tokenizer: LanguageTokenizer, text: string, queryTokens: number): number[] {
  return tokenizer
    .encode(text)
    .flatMap((id) => (id === tokenizer.imageId ? new Array<number>(queryTokens).fill(id) : [id]));
}

function locatePictures(
  tokenizer: LanguageTokenizer,
  ids: readonly number[],
  paths: readonly string[],
  queryTokens: number,
): PromptPicture[] {
  const positions: number[] = [];
  for (let at = 0; at < ids.length; at++) {
    if (ids[at] !== tokenizer.imageId) continue;
    positions.push(at);
    at += queryTokens - 1;
  }
  if (positions.length !== paths.length) {
    throw new StudioError(
      'internal',
      `${positions.length} pictures are placed in the prompt, ${paths.length} were given`,
    );
  }
  return paths.flatMap((path, index) => {
    const position = positions[index];
    return position === undefined ? [] : [{ path, position }];
  });
}

function joinPairs(
  pairs: readonly EncodedPair[],
): Pick<Prompt, 'ids' | 'pictures' | 'cutWhitespace'> {
  const ids: number[] = [];
  const pictures: PromptPicture[] = [];
  for (const pair of pairs) {
    pictures.push(
      ...pair.pictures.map(({ path, position }) => ({ path, position: position + ids.length })),
    );
    ids.push(...pair.ids);
  }
  return { ids, pictures, cutWhitespace: pairs.at(-1)?.cutWhitespace ?? '' };
}
