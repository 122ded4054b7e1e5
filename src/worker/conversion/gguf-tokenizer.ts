/** A GGUF file's vocabulary as the tokenizer files that Hugging Face has: tokenizer.json, or SentencePiece's model. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { writeJsonFileSync } from '../../base/whole-file.ts';
import { specialToken } from '../inputs/special-token.ts';
import { WeightError } from '../weights/index.ts';
import type { GgufMetadata } from './gguf-metadata.ts';

/** llama.cpp's token types (llama.h, `enum llama_token_type`), which are SentencePiece's. */
const special: ReadonlySet<number> = new Set([3, 4]);

const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true } as const;
/** How text is cut before pairs are merged, by llama.cpp's names for it (llama-vocab.cpp). */
const cuts: Readonly<Record<string, object>> = {
  'gpt-2': { ...byteLevel, use_regex: true },
  default: { ...byteLevel, use_regex: true },
  smollm: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Digits', individual_digits: true },
      { ...byteLevel, use_regex: true },
    ],
  },
  'llama-bpe': {
    type: 'Sequence',
    pretokenizers: [
      {
        type: 'Split',
        pattern: {
          Regex:
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        },
        behavior: 'Isolated',
        invert: false,
      },
      { ...byteLevel, use_regex: false },
    ],
  },
};

/** @throws WeightError for a kind of vocabulary that is not supported */
export function writeGgufTokenizer(metadata: GgufMetadata, folder: string): void {
  const tokens = metadata.texts('tokenizer.ggml.tokens');
  const types = metadata.numbers('tokenizer.ggml.token_type');
  if (types.length !== tokens.length) {
    throw new WeightError(
      `${metadata.file.path}: ${tokens.length} tokens, but ${types.length} types of tokens`,
    );
  }
  const kind = metadata.text('tokenizer.ggml.model', ['gpt2', 'llama']);
  if (kind === 'gpt2') writeBytePairs(metadata, tokens, types, folder);
  else writeSentencePieces(metadata, tokens, types, folder);
  const named = (key: string): string | undefined => tokens[metadata.number(key, -1)];
  writeJsonFileSync(join(folder, 'tokenizer_config.json'), {
    bos_token: named('tokenizer.ggml.bos_token_id'),
    eos_token: named('tokenizer.ggml.eos_token_id'),
    add_bos_token: metadata.find('tokenizer.ggml.add_bos_token') === true,
    clean_up_tokenization_spaces: false,
  });
}

function writeBytePairs(
  metadata: GgufMetadata,
  tokens: readonly string[],
  types: readonly number[],
  folder: string,
): void {
  const known = Object.keys(cuts);
  const cut = metadata.text('tokenizer.ggml.pre', known);
  const added = tokens.flatMap((content, id) =>
    special.has(types[id] ?? 0) ? [specialToken(content, id)] : [],
  );
  writeJsonFileSync(join(folder, 'tokenizer.json'), {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: cuts[cut],
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      unk_token: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: cut === 'llama-bpe',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: metadata.texts('tokenizer.ggml.merges').map((merge) => merge.split(' ')),
    },
  });
}

/** sentencepiece_model.proto: pieces (1), trainer (2) with its model type, normaliser (3). */
function writeSentencePieces(
  metadata: GgufMetadata,
  tokens: readonly string[],
  types: readonly number[],
  folder: string,
): void {
  const scores = metadata.numbers('tokenizer.ggml.scores');
  const writer = new BinaryWriter();
  const message = (field: number, write: () => void): void => {
    writer.tag(field, WireType.LengthDelimited).fork();
    write();
    writer.join();
  };
  tokens.forEach((token, id) =>
    message(1, () => {
      writer.tag(1, WireType.LengthDelimited).string(token);
      writer.tag(2, WireType.Bit32).float(scores[id] ?? 0);
      writer.tag(3, WireType.Varint).int32(types[id] ?? 1);
    }),
  );
  message(2, () => writer.tag(3, WireType.Varint).int32(2));
  message(3, () => {
    writer.tag(1, WireType.LengthDelimited).string('identity');
    writer.tag(3, WireType.Varint).bool(true);
    writer.tag(4, WireType.Varint).bool(false);
  });
  writeFileSync(join(folder, 'tokenizer.model'), writer.finish());
}
