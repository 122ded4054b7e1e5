import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { readJsonFile, readLimitedFile } from '../../base/json-file.ts';
import { StudioError } from '../../shared/errors.ts';
import { readSentencePieceModel } from './sentencepiece-model.ts';
import { tokenizerFault } from './tokenizer-fault.ts';
import { withTimeLimit } from './time-limit.ts';
import { stripEnd, stripStart } from './white-space.ts';

/** The three tokens that TextBind adds to a language model's vocabulary. */
export const imageToken = '<image>';
export const startToken = '<start>';
export const endToken = '<end>';
const textBindTokens: readonly string[] = [imageToken, startToken, endToken];

/** SentencePiece's sign for the space in front of a word. */
const marker = '\u2581';

/** Text to token ids and token ids to text, for one language model. */
export interface LanguageTokenizer {
  /**
   * Token ids of a text in which special tokens may stand, without automatic ones, by the rule in
   * resources/trainer/DESIGN.md ("The prompt, token by token").
   */
  encode(text: string): number[];
  /** Text of whole tokens; special tokens are left out. For a stream, see {@link createDetokenizer}. */
  decode(ids: readonly number[]): string;
  /** The vocabulary's own spelling of a token, e.g. `Ġhello` or `<0x0A>`. */
  pieceOf(id: number): string | undefined;
  readonly kind: 'byte-level' | 'sentencepiece';
  /** Every string that `encode` turns into one special token. */
  readonly specialTokens: readonly string[];
  readonly specialIds: ReadonlySet<number>;
  readonly beginToken: string;
  readonly endOfTurnToken: string;
  readonly endOfTurnId: number;
  /** One more than the largest id. */
  readonly size: number;
  readonly imageId: number;
  readonly startId: number;
  readonly endId: number;
}

/** Each of them is looked for in every text. */
const mostAddedTokens = 20_000;
/** The largest vocabulary is read in 2 s, and the longest message encoded in less. Milliseconds. */
const limits = { openMs: 60_000, encodeMs: 10_000 } as const;

const addedTokenSchema = z.object({
  id: z.number().int(),
  // An empty one would stand between any two letters.
  content: z.string().min(1),
  special: z.boolean(),
});
const tokenizerFileSchema = z.looseObject({
  added_tokens: z.array(addedTokenSchema).max(mostAddedTokens),
  normalizer: z.looseObject({}).nullish(),
  pre_tokenizer: z.looseObject({}).nullish(),
  model: z.looseObject({ type: z.string() }),
});
const namedTokenSchema = z.union([z.string(), z.looseObject({ content: z.string() })]);
const tokenizerConfigSchema = z.looseObject({
  bos_token: namedTokenSchema.nullish(),
  eos_token: namedTokenSchema.nullish(),
  /** Whether each stretch of a SentencePiece text gets a word marker; absent means true, as transformers 4.31 has it. */
  legacy: z.boolean().nullish(),
});
/** added_tokens.json, beside a tokenizer.model. */
const addedTokensSchema = z.record(z.string(), z.number().int());

type TokenizerFile = z.infer<typeof tokenizerFileSchema>;
type TokenizerConfig = z.infer<typeof tokenizerConfigSchema>;

/**
 * Opens a Hugging Face folder's tokenizer: tokenizer.json, or tokenizer.model where that is all there is, with
 * tokenizer_config.json and special_tokens_map.json.
 * @throws StudioError `model-invalid` naming the file and what is missing in it
 */
export async function openLanguageTokenizer(folder: string): Promise<LanguageTokenizer> {
  const file = join(folder, 'tokenizer.json');
  const modelFile = join(folder, 'tokenizer.model');
  const names = (name: string): TokenizerConfig => {
    const source = join(folder, name);
    return existsSync(source) ? readJsonFile(source, tokenizerConfigSchema, 'model-invalid') : {};
  };
  const config = {
    ...names('special_tokens_map.json'),
    ...names('tokenizer_config.json'),
  };
  if (existsSync(file) || !existsSync(modelFile)) {
    const definition = readJsonFile(file, tokenizerFileSchema, 'model-invalid');
    return createLanguageTokenizer(definition, config, file);
  }
  const added = join(folder, 'added_tokens.json');
  const addedIds = existsSync(added)
    ? readJsonFile(added, addedTokensSchema, 'model-invalid')
    : undefined;
  return openSentencePiece(
    readLimitedFile(modelFile, 'model-invalid'),
    addedIds ?? {},
    config,
    modelFile,
  );
}

function openSentencePiece(
  bytes: Uint8Array,
  addedIds: z.infer<typeof addedTokensSchema>,
  config: TokenizerConfig,
  file: string,
): LanguageTokenizer {
  const { model, controls } = readSentencePieceModel(bytes, file);
  const added = Object.entries(addedIds).map(([content, id]) => ({ id, content, special: false }));
  const definition = {
    added_tokens: [...controls.map((each) => ({ ...each, special: true })), ...added],
    // The kind is told by it; stretches are encoded without either.
    pre_tokenizer: { type: 'Metaspace' },
    normalizer: null,
    post_processor: null,
    decoder: sentencePieceDecoder,
    model,
  };
  return createLanguageTokenizer(definition, config, file);
}

const sentencePieceDecoder = {
  type: 'Sequence',
  decoders: [
    { type: 'Replace', pattern: { String: marker }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    { type: 'Strip', content: ' ', start: 1, stop: 0 },
  ],
} as const;

function createLanguageTokenizer(
  stored: TokenizerFile,
  config: TokenizerConfig,
  file: string,
): LanguageTokenizer {
  const definition = withTextBindTokens(stored);
  const kind = vocabularyKind(definition, file);
  const tokenizer = createTokenizer(
    kind === 'sentencepiece' ? withPlainStretches(definition) : definition,
    // Never rewrite what the model said ("do n't" to "don't"): a reply is shown as it was written.
    { ...config, clean_up_tokenization_spaces: false },
    file,
  );
  const specialTokens = definition.added_tokens
    .filter((token) => token.special)
    .map((token) => token.content);
  const idOf = (token: string): number => {
    const id = tokenizer.token_to_id(token);
    if (id === undefined || !specialTokens.includes(token)) {
      throw new StudioError('model-invalid', `${file}: "${token}" is not among its special tokens`);
    }
    return id;
  };
  const beginToken = nameOf(config, 'bos_token', kind, file);
  const endOfTurnToken = nameOf(config, 'eos_token', kind, file);
  const rules = { kind, legacy: config.legacy ?? true };
  const split = stretchSplitter(specialTokens, rules);
  const specialIds = new Set(specialTokens.map(idOf));
  idOf(beginToken);
  return {
    encode: (text) =>
      ofTokenizer(file, () =>
        withTimeLimit(limits.encodeMs, `${file}: splitting ${text.length} characters`, () =>
          split(text).flatMap(({ stretch, special, opens }) =>
            special ? [idOf(stretch)] : encodeStretch(tokenizer, rules, stretch, opens),
          ),
        ),
      ),
    decode(ids) {
      const shown = ids.filter((id) => !specialIds.has(id));
      return shown.length === 0 ? '' : ofTokenizer(file, () => tokenizer.decode(shown));
    },
    pieceOf: (id) => tokenizer.id_to_token(id),
    kind,
    specialTokens,
    specialIds,
    beginToken,
    endOfTurnToken,
    endOfTurnId: idOf(endOfTurnToken),
    size: tokenizer.get_vocab().size,
    imageId: idOf(imageToken),
    startId: idOf(startToken),
    endId: idOf(endToken),
  };
}

/** The name of the begin or end token; Llama's own where the folder says nothing. */
function nameOf(
  config: TokenizerConfig,
  key: 'bos_token' | 'eos_token',
  kind: LanguageTokenizer['kind'],
  file: string,
): string {
  const named = config[key];
  if (named !== undefined && named !== null)
    return typeof named === 'string' ? named : named.content;
  if (kind === 'sentencepiece') return key === 'bos_token' ? '<s>' : '</s>';
  throw new StudioError('model-invalid', `${file}: tokenizer_config.json names no ${key}`);
}

function createTokenizer(definition: object, config: object, file: string): Tokenizer {
  return ofTokenizer(file, () =>
    withTimeLimit(limits.openMs, `${file}: reading it`, () => new Tokenizer(definition, config)),
  );
}

/** What the library throws becomes a fault of the file. */
function ofTokenizer<Result>(file: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw tokenizerFault(file, error);
  }
}

interface Rules {
  readonly kind: LanguageTokenizer['kind'];
  readonly legacy: boolean;
}

function encodeStretch(
  tokenizer: Tokenizer,
  { kind, legacy }: Rules,
  stretch: string,
  opens: boolean,
): number[] {
  const encode = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;
  if (kind === 'byte-level') return encode(stretch);
  // SentencePiece's add_dummy_prefix: always a marker in front, even before a space of the text's own.
  const ids = encode(`${marker}${stretch.replaceAll(' ', marker)}`);
  return legacy || opens || stretch.startsWith(' ') ? ids : withoutMarker(tokenizer, ids);
}

/** `"legacy": false`: a stretch behind a special token has no word marker of its own. */
function withoutMarker(tokenizer: Tokenizer, ids: number[]): number[] {
  const [first, ...rest] = ids;
  const piece = first === undefined ? undefined : tokenizer.id_to_token(first);
  if (piece === undefined || !piece.startsWith(marker)) return ids;
  if (piece === marker) return rest;
  // Id 0 is the unknown token of every SentencePiece vocabulary: what the slow tokenizer gives for a lost piece.
  return [tokenizer.token_to_id(piece.slice(marker.length)) ?? 0, ...rest];
}

/**
 * Which family a tokenizer.json belongs to. Llama's comes in two spellings (a Prepend normaliser, or a Metaspace
 * pre-tokenizer with several prefix rules); we take the vocabulary from either and do the word marker ourselves, as
 * the reference's slow tokenizer does.
 */
function vocabularyKind(definition: TokenizerFile, file: string): LanguageTokenizer['kind'] {
  if (definition.model.type !== 'BPE') {
    throw new StudioError(
      'model-invalid',
      `${file}: model.type is "${definition.model.type}", only "BPE" is supported`,
    );
  }
  const rules = JSON.stringify([definition.normalizer ?? null, definition.pre_tokenizer ?? null]);
  if (rules.includes('"ByteLevel"')) return 'byte-level';
  if (rules.includes(marker) || rules.includes('"Metaspace"')) return 'sentencepiece';
  throw new StudioError(
    'model-invalid',
    `${file}: it is neither a byte-level nor a SentencePiece vocabulary`,
  );
}

/** A base model's tokenizer lacks TextBind's tokens: they get the ids behind its last, in the reference's order. */
function withTextBindTokens(definition: TokenizerFile) {
  const known = new Set(definition.added_tokens.map((token) => token.content));
  const vocabulary: unknown = definition.model['vocab'];
  const isTable = typeof vocabulary === 'object' && vocabulary !== null;
  const tableIds: readonly unknown[] = isTable ? Object.values(vocabulary) : [];
  const ids = [...tableIds, ...definition.added_tokens.map((token) => token.id)].filter(
    (id): id is number => typeof id === 'number',
  );
  const next = ids.reduce((largest, id) => Math.max(largest, id), -1) + 1;
  const added = textBindTokens
    .filter((content) => !known.has(content))
    .map((content, index) => ({ id: next + index, content, special: true }));
  // The reference adds them as plain tokens: whatever the file says of them, they are special to us.
  const stored = definition.added_tokens.map((token) => ({
    ...token,
    special: token.special || textBindTokens.includes(token.content),
  }));
  return { ...definition, added_tokens: [...stored, ...added] };
}

function withPlainStretches(definition: TokenizerFile): object {
  return { ...definition, normalizer: null, pre_tokenizer: null, post_processor: null };
}

interface Stretch {
  readonly stretch: string;
  readonly special: boolean;
  /** It is the first of its text. */
  readonly opens: boolean;
}

/**
 * Cuts a text at special tokens. In a SentencePiece text the white space next to TextBind's three goes on both sides,
 * as in the slow tokenizer of transformers 4.31; begin and end tokens leave the space beside them alone.
 */
function stretchSplitter(
  specialTokens: readonly string[],
  { kind, legacy }: Rules,
): (text: string) => Stretch[] {
  const longestFirst = [...specialTokens].sort((left, right) => right.length - left.length);
  const pattern = new RegExp(`(${longestFirst.map(escapeForPattern).join('|')})`, 'u');
  const strips = (token: string | undefined) =>
    kind === 'sentencepiece' && token !== undefined && textBindTokens.includes(token);
  return (text) => {
    const plain = kind === 'sentencepiece' && !legacy ? text.replaceAll(marker, ' ') : text;
    // split with a capture alternates: text, token, text, ...
    const parts = plain.split(pattern);
    return parts
      .map((part, index) => {
        if (index % 2 === 1) return { stretch: part, special: true, opens: false };
        const start = strips(parts[index - 1]) ? stripStart(part) : part;
        const stretch = strips(parts[index + 1]) ? stripEnd(start) : start;
        return { stretch, special: false, opens: index === 0 };
      })
      .filter(({ stretch }) => stretch !== '');
  };
}

function escapeForPattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
