import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { StudioError } from '../../shared/errors.ts';

/** The three tokens that TextBind adds to a language model's vocabulary. */
export const imageToken = '<image>';
export const startToken = '<start>';
export const endToken = '<end>';

/** Text to token ids and token ids to text, for one language model. */
export interface LanguageTokenizer {
  /**
   * Token ids of a text in which special tokens may stand, without automatic ones. Each stretch between special
   * tokens is encoded by itself; a SentencePiece vocabulary begins every stretch with its word marker.
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

const addedTokenSchema = z.object({
  id: z.number().int(),
  content: z.string(),
  special: z.boolean(),
});
const tokenizerFileSchema = z.looseObject({
  added_tokens: z.array(addedTokenSchema),
  normalizer: z.looseObject({}).nullish(),
  pre_tokenizer: z.looseObject({}).nullish(),
  model: z.looseObject({ type: z.string() }),
});
const namedTokenSchema = z.union([z.string(), z.looseObject({ content: z.string() })]);
const tokenizerConfigSchema = z.looseObject({
  bos_token: namedTokenSchema,
  eos_token: namedTokenSchema,
});

/**
 * Opens tokenizer.json and tokenizer_config.json of a Hugging Face folder.
 * @throws StudioError `model-invalid` naming the file and what is missing in it
 */
export async function openLanguageTokenizer(folder: string): Promise<LanguageTokenizer> {
  const file = join(folder, 'tokenizer.json');
  const configFile = join(folder, 'tokenizer_config.json');
  const definition = check(tokenizerFileSchema, await readJson(file), file);
  const config = check(tokenizerConfigSchema, await readJson(configFile), configFile);
  return createLanguageTokenizer(definition, config, file);
}

function createLanguageTokenizer(
  stored: z.infer<typeof tokenizerFileSchema>,
  config: z.infer<typeof tokenizerConfigSchema>,
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
  const beginToken = tokenContent(config.bos_token);
  const endOfTurnToken = tokenContent(config.eos_token);
  const split = stretchSplitter(specialTokens);
  const specialIds = new Set(specialTokens.map(idOf));
  idOf(beginToken);
  return {
    encode: (text) =>
      split(text).flatMap(({ stretch, special }) =>
        special ? [idOf(stretch)] : encodeStretch(tokenizer, kind, stretch),
      ),
    decode: (ids) => {
      const shown = ids.filter((id) => !specialIds.has(id));
      return shown.length === 0 ? '' : tokenizer.decode(shown);
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

function createTokenizer(definition: object, config: object, file: string): Tokenizer {
  try {
    return new Tokenizer(definition, config);
  } catch (error) {
    throw new StudioError('model-invalid', `${file}: the tokenizer is broken (${String(error)})`, {
      cause: error,
    });
  }
}

function encodeStretch(
  tokenizer: Tokenizer,
  kind: LanguageTokenizer['kind'],
  stretch: string,
): number[] {
  // SentencePiece's add_dummy_prefix: always a marker in front, even before a space of the text's own.
  const text = kind === 'sentencepiece' ? `\u2581${stretch.replaceAll(' ', '\u2581')}` : stretch;
  return tokenizer.encode(text, { add_special_tokens: false }).ids;
}

/**
 * Which family a tokenizer.json belongs to. Llama's comes in two spellings (a Prepend normaliser, or a Metaspace
 * pre-tokenizer with several prefix rules); we take the vocabulary from either and do the word marker ourselves, as
 * the reference's slow tokenizer does.
 */
function vocabularyKind(
  definition: z.infer<typeof tokenizerFileSchema>,
  file: string,
): LanguageTokenizer['kind'] {
  if (definition.model.type !== 'BPE') {
    throw new StudioError(
      'model-invalid',
      `${file}: model.type is "${definition.model.type}", only "BPE" is supported`,
    );
  }
  const rules = JSON.stringify([definition.normalizer ?? null, definition.pre_tokenizer ?? null]);
  if (rules.includes('"ByteLevel"')) return 'byte-level';
  if (rules.includes('\u2581') || rules.includes('"Metaspace"')) return 'sentencepiece';
  throw new StudioError(
    'model-invalid',
    `${file}: it is neither a byte-level nor a SentencePiece vocabulary`,
  );
}

/** A base model's tokenizer lacks TextBind's tokens: they get the ids behind its last, in the reference's order. */
function withTextBindTokens(definition: z.infer<typeof tokenizerFileSchema>) {
  const known = new Set(definition.added_tokens.map((token) => token.content));
  const vocabulary: unknown = definition.model['vocab'];
  const ids = [
    ...(typeof vocabulary === 'object' && vocabulary !== null ? Object.values(vocabulary) : []),
    ...definition.added_tokens.map((token) => token.id),
  ].filter((id): id is number => typeof id === 'number');
  const next = ids.reduce((largest, id) => Math.max(largest, id), -1) + 1;
  const added = [imageToken, startToken, endToken]
    .filter((content) => !known.has(content))
    .map((content, index) => ({ id: next + index, content, special: true }));
  return { ...definition, added_tokens: [...definition.added_tokens, ...added] };
}

function withPlainStretches(definition: z.infer<typeof tokenizerFileSchema>): object {
  return { ...definition, normalizer: null, pre_tokenizer: null, post_processor: null };
}

interface Stretch {
  readonly stretch: string;
  readonly special: boolean;
}

function stretchSplitter(specialTokens: readonly string[]): (text: string) => Stretch[] {
  const longestFirst = [...specialTokens].sort((left, right) => right.length - left.length);
  const pattern = new RegExp(`(${longestFirst.map(escapeForPattern).join('|')})`, 'u');
  // split with a capture alternates: text, token, text, ...
  return (text) =>
    text
      .split(pattern)
      .map((stretch, index) => ({ stretch, special: index % 2 === 1 }))
      .filter(({ stretch }) => stretch !== '');
}

function escapeForPattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

function tokenContent(token: z.infer<typeof namedTokenSchema>): string {
  return typeof token === 'string' ? token : token.content;
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new StudioError('model-invalid', `${file}: cannot be read`, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StudioError('model-invalid', `${file}: is not JSON`, { cause: error });
  }
}

function check<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new StudioError(
    'model-invalid',
    `${file}: field "${issue.path.join('.')}": ${issue.message}`,
  );
}
