import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openClipTokenizer } from '../../../src/worker/inputs/clip-tokenizer.ts';
import { createDetokenizer } from '../../../src/worker/inputs/detokenizer.ts';
import {
  openLanguageTokenizer,
  type LanguageTokenizer,
} from '../../../src/worker/inputs/tokenizer.ts';
import { noPython, runPython } from '../../golden/run-python.ts';

interface Case {
  readonly text: string;
  readonly ids: number[];
}

const readCases = (folder: string): Case[] =>
  JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as Case[];

describe.skipIf(noPython !== undefined)(`tokenizers equal the originals ${noPython ?? ''}`, () => {
  let folder = '';
  beforeAll(() => {
    folder = runPython('tokenizers_reference.py');
  });

  it.each(['llama', 'llama-metaspace'])('%s: token for token as sentencepiece', async (name) => {
    const tokenizer = await openLanguageTokenizer(join(folder, name));
    expect(tokenizer.kind).toBe('sentencepiece');
    for (const { text, ids } of readCases(join(folder, name))) {
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
    }
  });

  it('llama: a stream of single tokens gives the text back', async () => {
    const tokenizer = await openLanguageTokenizer(join(folder, 'llama'));
    for (const { text } of readCases(join(folder, 'llama'))) {
      // A literal marker is the one thing SentencePiece cannot tell from a space.
      if (/<|\u2581/.test(text)) continue;
      expect(streamed(tokenizer, tokenizer.encode(text))).toBe(text);
    }
  });

  it.each(['clip', 'clip-files'])('%s: as transformers', async (name) => {
    const tokenizer = await openClipTokenizer(join(folder, name));
    for (const { text, ids } of readCases(join(folder, name))) {
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
    }
  });
});

function streamed(tokenizer: LanguageTokenizer, ids: readonly number[]): string {
  const detokenizer = createDetokenizer(tokenizer);
  return ids.map((id) => detokenizer.push([id])).join('') + detokenizer.flush();
}

describe('createDetokenizer', () => {
  const bytes = [...new TextEncoder().encode('é🍎')];
  const sentencePiece = {
    kind: 'sentencepiece' as const,
    specialIds: new Set([1]),
    pieceOf: (id: number) =>
      id === 2
        ? '\u2581a'
        : `<0x${(bytes[id - 10] ?? 0xff).toString(16).toUpperCase().padStart(2, '0')}>`,
  };

  it('holds a character back until its last byte is there', () => {
    const detokenizer = createDetokenizer(sentencePiece);
    const pieces = [2, 10, 11, 12, 13, 14, 15, 2].map((id) => detokenizer.push([id]));
    expect(pieces).toEqual(['a', '', 'é', '', '', '', '🍎', ' a']);
    expect(detokenizer.flush()).toBe('');
  });

  it('shows broken bytes as a replacement character, and starts afresh', () => {
    const detokenizer = createDetokenizer(sentencePiece);
    expect(detokenizer.push([10])).toBe('');
    expect(detokenizer.flush()).toBe('\ufffd');
    expect(detokenizer.push([2])).toBe('a');
  });

  it('says nothing for special tokens', () => {
    expect(createDetokenizer(sentencePiece).push([1, 2, 1])).toBe('a');
  });
});

describe('openLanguageTokenizer', () => {
  async function opened(definition: object): Promise<unknown> {
    const folder = await mkdtemp(join(tmpdir(), 'textbind-tokenizer-'));
    try {
      await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(definition));
      await writeFile(
        join(folder, 'tokenizer_config.json'),
        JSON.stringify({ bos_token: '<s>', eos_token: '</s>' }),
      );
      return await openLanguageTokenizer(folder).catch((error: unknown) => error);
    } finally {
      await rm(folder, { recursive: true });
    }
  }
  const model = { type: 'BPE', vocab: { a: 0, '<s>': 1, '</s>': 2 }, merges: [], unk_token: 'a' };
  const added = ['<s>', '</s>'].map((content, index) => ({
    id: index + 1,
    content,
    special: true,
  }));
  const pre_tokenizer = { type: 'ByteLevel', add_prefix_space: false };

  it('gives a base model the tokens of TextBind behind its own', async () => {
    const rules = { normalizer: null, post_processor: null, decoder: null };
    const tokenizer = await opened({ added_tokens: added, pre_tokenizer, model, ...rules });
    expect(tokenizer).toMatchObject({ imageId: 3, startId: 4, endId: 5, size: 6 });
  });

  it('names the file and the token that is missing', async () => {
    const error = await opened({
      added_tokens: added.slice(1),
      pre_tokenizer,
      model,
      normalizer: null,
      post_processor: null,
      decoder: null,
    });
    expect(error).toMatchObject({ kind: 'model-invalid' });
    expect(String(error)).toMatch(/tokenizer\.json: "<s>" is not among its special tokens/);
  });

  it('names the file whose rules are broken', async () => {
    const error = await opened({ added_tokens: added, pre_tokenizer, model });
    expect(String(error)).toMatch(/tokenizer\.json: the tokenizer is broken/);
  });

  it('refuses a vocabulary of another family', async () => {
    const unigram = { added_tokens: added, pre_tokenizer, model: { type: 'Unigram' } };
    expect(String(await opened(unigram))).toMatch(/model\.type is "Unigram"/);
  });

  it('names a file that is missing', async () => {
    await expect(openLanguageTokenizer('/nowhere')).rejects.toThrow(
      /nowhere.tokenizer\.json: cannot be read/,
    );
  });
});
