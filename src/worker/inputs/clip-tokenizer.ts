import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { checkJson, readJsonFile, readTextFile } from '../../base/json-file.ts';
import { StudioError } from '../../shared/errors.ts';
import { specialToken } from './special-token.ts';
import { tokenizerFault } from './tokenizer-fault.ts';
import { withTimeLimit } from './time-limit.ts';

/** A prompt to CLIP's fixed-length token ids. */
export interface ClipTokenizer {
  /** Ids of begin, the text (cut where it is too long), end and padding: `maxLength` of them. */
  encode(text: string): number[];
  readonly maxLength: number;
}

const namedTokenSchema = z.union([z.string(), z.looseObject({ content: z.string() })]);
const configSchema = z.looseObject({
  bos_token: namedTokenSchema.optional(),
  eos_token: namedTokenSchema.optional(),
  pad_token: namedTokenSchema.nullish(),
  unk_token: namedTokenSchema.nullish(),
  model_max_length: z.number().optional(),
});
const objectSchema = z.record(z.string(), z.unknown());
/** Token to id. */
const vocabularySchema = z.record(z.string(), z.number().int());
type ClipTokenizerConfig = z.infer<typeof configSchema>;

/** A caption takes a millisecond. */
const limits = { openMs: 60_000, encodeMs: 10_000 } as const;
/** CLIP's position table. */
const defaultMaxLength = 77;
/** Longer values in tokenizer_config.json mean "not set" (transformers writes 1e30). */
const absurdMaxLength = 1_000_000;
const mostLength = 4096;

/**
 * Opens the tokenizer folder of a diffusers pipeline: vocab.json and merges.txt as SDXL ships them, or
 * tokenizer.json; special tokens from tokenizer_config.json or special_tokens_map.json.
 * @throws StudioError `model-invalid` naming the file
 */
export async function openClipTokenizer(folder: string): Promise<ClipTokenizer> {
  const named = {
    ...readOptionalJson(join(folder, 'special_tokens_map.json')),
    ...readOptionalJson(join(folder, 'tokenizer_config.json')),
  };
  const source = join(folder, 'tokenizer_config.json');
  const config = checkJson(named, configSchema, source, 'model-invalid');
  const definition = await tokenizerDefinition(folder, config);
  const tokenizer = createTokenizer(definition, folder);
  const idOf = (token: string): number => {
    const id = tokenizer.token_to_id(token);
    if (id === undefined) {
      throw new StudioError(
        'model-invalid',
        `${folder}: token "${token}" is not in the vocabulary`,
      );
    }
    return id;
  };
  const tokens = specialTokens(config);
  const stated = config.model_max_length ?? defaultMaxLength;
  const maxLength = stated > absurdMaxLength ? defaultMaxLength : stated;
  if (!Number.isInteger(maxLength) || maxLength < 3 || maxLength > mostLength) {
    throw new StudioError(
      'model-invalid',
      `${source}: model_max_length must be from 3 to ${mostLength}, found ${maxLength}`,
    );
  }
  const [begin, end, padding] = [idOf(tokens.begin), idOf(tokens.end), idOf(tokens.padding)];
  return {
    maxLength,
    encode(text) {
      const what = `${folder}: splitting ${text.length} characters`;
      const ids = encodeWithin(
        what,
        () => tokenizer.encode(text, { add_special_tokens: false }).ids,
      );
      const kept = [begin, ...ids.slice(0, maxLength - 2), end];
      return [...kept, ...new Array<number>(maxLength - kept.length).fill(padding)];
    },
  };
}

function encodeWithin(what: string, encode: () => number[]): number[] {
  try {
    return withTimeLimit(limits.encodeMs, what, encode);
  } catch (error) {
    throw tokenizerFault(what, error);
  }
}

function createTokenizer(definition: object, folder: string): Tokenizer {
  try {
    return withTimeLimit(
      limits.openMs,
      `${folder}: reading it`,
      () => new Tokenizer(definition, { clean_up_tokenization_spaces: false }),
    );
  } catch (error) {
    throw tokenizerFault(folder, error);
  }
}

function specialTokens(config: ClipTokenizerConfig) {
  const content = (token: z.infer<typeof namedTokenSchema> | null | undefined): string | null =>
    typeof token === 'string' ? token : (token?.content ?? null);
  const end = content(config.eos_token) ?? '<|endoftext|>';
  return {
    begin: content(config.bos_token) ?? '<|startoftext|>',
    end,
    padding: content(config.pad_token) ?? end,
    unknown: content(config.unk_token) ?? end,
  };
}

async function tokenizerDefinition(folder: string, config: ClipTokenizerConfig): Promise<object> {
  const whole = readOptionalJson(join(folder, 'tokenizer.json'));
  if (whole !== null) return whole;
  const vocabularyFile = join(folder, 'vocab.json');
  if (!existsSync(vocabularyFile)) {
    throw new StudioError(
      'model-invalid',
      `${folder}: neither tokenizer.json nor vocab.json is there`,
    );
  }
  return clipDefinition(
    readJsonFile(vocabularyFile, vocabularySchema, 'model-invalid'),
    readMerges(join(folder, 'merges.txt')),
    specialTokens(config),
  );
}

/** What transformers makes of CLIP's vocab.json and merges.txt. */
function clipDefinition(
  vocabulary: Record<string, number>,
  merges: readonly string[],
  tokens: ReturnType<typeof specialTokens>,
): object {
  // The padding token too: SDXL's second tokenizer pads with "!", and a "!" in a prompt then is that token there.
  const special = [...new Set([tokens.begin, tokens.end, tokens.unknown, tokens.padding])].filter(
    (token) => token in vocabulary,
  );
  return {
    added_tokens: special.map((content) => specialToken(content, vocabulary[content])),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        {
          type: 'Split',
          pattern: { Regex: "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+" },
          behavior: 'Removed',
          invert: true,
        },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE',
      unk_token: tokens.unknown,
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: vocabulary,
      merges,
    },
  };
}

function readMerges(file: string): string[] {
  const text = readTextFile(file, 'model-invalid');
  return text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#version'));
}

/** A JSON object, null where the file does not exist. */
function readOptionalJson(file: string): Record<string, unknown> | null {
  return existsSync(file) ? readJsonFile(file, objectSchema, 'model-invalid') : null;
}
