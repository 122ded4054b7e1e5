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
  const fitting = fitPairs(tokenizer, pairs, options);
  if (fitting.encoded.length > 0) {
    return { ...joinPairs(fitting.encoded), droppedPairs: fitting.first, droppedMessages: 0 };
  }
  const alone = fitLastMessages(tokenizer, last, options);
  if (alone.encoded === null) throw tooLong(last, alone.positions, options.maxPositions);
  const { droppedMessages } = alone;
  return { ...joinPairs([alone.encoded]), droppedPairs: pairs.length - 1, droppedMessages };
}

/** How long a prompt would be, and what of the conversation would be in it. Positions are tokens. */
export interface PromptMeasure {
  /** Of the prompt; of the last message alone where not even that fits. */
  readonly positions: number;
  /** Of the last message alone. */
  readonly messagePositions: number;
  /** Index of the first turn that is read; the number of turns where only the message is. */
  readonly firstTurn: number;
}

/** Measures what `buildPrompt` would build of turns and a message behind them, which may be empty still. */
export function measurePrompt(
  tokenizer: LanguageTokenizer,
  turns: readonly PromptTurn[],
  message: readonly PromptPart[],
  options: PromptOptions,
): PromptMeasure {
  const pairs = pairUp([...turns, { role: 'user', parts: [...message] }], true);
  const last = pairs.at(-1);
  if (!last) throw new StudioError('internal', 'a message gave no pair to measure');
  const { encoded, first } = fitPairs(tokenizer, pairs, options);
  const only = { ...last, messages: last.messages.slice(-1), starts: last.starts.slice(-1) };
  const escape = markupEscaper(tokenizer);
  const { system, queryTokens } = options;
  const messagePositions = encodePair(tokenizer, escape, only, { queryTokens, open: true, system })
    .ids.length;
  if (encoded.length > 0) {
    return {
      positions: lengthOf(encoded),
      messagePositions,
      firstTurn: pairs[first]?.starts[0] ?? 0,
    };
  }
  const alone = fitLastMessages(tokenizer, last, options);
  const firstTurn = last.starts[alone.droppedMessages] ?? turns.length;
  return { positions: alone.positions, messagePositions, firstTurn };
}

interface FittingPairs {
  /** The longest end of the conversation that fits; empty where the last pair alone does not. */
  readonly encoded: readonly EncodedPair[];
  /** Index of the first of them. */
  readonly first: number;
}

/** Reads pairs from the last one back while they fit: what is left out is not encoded, however long it is. */
function fitPairs(
  tokenizer: LanguageTokenizer,
  pairs: readonly Pair[],
  { queryTokens, maxPositions, system }: PromptOptions,
): FittingPairs {
  const escape = markupEscaper(tokenizer);
  const encode = (pair: Pair, told: string | undefined): EncodedPair =>
    encodePair(tokenizer, escape, pair, { queryTokens, open: pair === pairs.at(-1), system: told });
  let fitting: FittingPairs = { encoded: [], first: pairs.length };
  let behind: readonly EncodedPair[] = [];
  for (const pair of pairs.toReversed()) {
    // What the model is told stands in the first pair that is left, so its size is counted anew.
    const encoded = [encode(pair, system), ...behind];
    if (lengthOf(encoded) > maxPositions) break;
    fitting = { encoded, first: fitting.first - 1 };
    behind = system === undefined ? encoded : [encode(pair, undefined), ...behind];
  }
  return fitting;
}

/** Of several messages in a row that nobody answered as many of the last as fit; null where not one does. */
function fitLastMessages(
  tokenizer: LanguageTokenizer,
  last: Pair,
  { queryTokens, maxPositions, system }: PromptOptions,
): {
  readonly encoded: EncodedPair | null;
  readonly positions: number;
  readonly droppedMessages: number;
} {
  const escape = markupEscaper(tokenizer);
  const most = Math.max(last.messages.length - 1, 0);
  for (let droppedMessages = Math.min(1, most); ; droppedMessages += 1) {
    const pair = { ...last, messages: last.messages.slice(droppedMessages) };
    const encoded = encodePair(tokenizer, escape, pair, { queryTokens, open: true, system });
    const positions = encoded.ids.length;
    if (positions <= maxPositions) return { encoded, positions, droppedMessages };
    if (droppedMessages === most) return { encoded: null, positions, droppedMessages };
  }
}

const lengthOf = (pairs: readonly EncodedPair[]): number =>
  pairs.reduce((sum, { ids }) => sum + ids.length, 0);

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
  /** Index among the turns of each message; of the reply, where it is a reply alone. */
  readonly starts: readonly number[];
  readonly assistant: readonly PromptPart[] | null;
}

/**
 * Turns as pairs: empty turns are left out, turns of one role in a row become one.
 * @param keepLast the last turn is being written, and counts even where it is empty
 */
function pairUp(turns: readonly PromptTurn[], keepLast = false): Pair[] {
  const runs: { role: PromptTurn['role']; turns: (readonly PromptPart[])[]; starts: number[] }[] =
    [];
  for (const [index, turn] of turns.entries()) {
    if (!hasContent(turn) && !(keepLast && index === turns.length - 1)) continue;
    const last = runs.at(-1);
    if (last?.role === turn.role) {
      last.turns.push(turn.parts);
      last.starts.push(index);
    } else runs.push({ role: turn.role, turns: [turn.parts], starts: [index] });
  }
  const pairs: Pair[] = [];
  for (const [index, run] of runs.entries()) {
    if (run.role === 'user') {
      const reply = runs[index + 1];
      const { turns: messages, starts } = run;
      pairs.push({ messages, starts, assistant: reply ? joined(reply.turns) : null });
    } else if (index === 0) {
      pairs.push({ messages: [], starts: run.starts, assistant: joined(run.turns) });
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
