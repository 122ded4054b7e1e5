import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PromptPart, PromptTurn } from '../../../src/shared/contracts/worker-protocol.ts';
import { openClipTokenizer } from '../../../src/worker/inputs/clip-tokenizer.ts';
import { createDetokenizer } from '../../../src/worker/inputs/detokenizer.ts';
import { buildPrompt } from '../../../src/worker/inputs/prompt.ts';
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

  const vocabularies = ['llama', 'llama-metaspace', 'llama-new', 'llama-model'];
  it.each(vocabularies)('%s: token for token as the slow tokenizer', async (name) => {
    const tokenizer = await openLanguageTokenizer(join(folder, name));
    expect(tokenizer.kind).toBe('sentencepiece');
    for (const { text, ids } of readCases(join(folder, name))) {
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
    }
  });

  it('llama: a stream of single tokens gives the text back', async () => {
    const tokenizer = await openLanguageTokenizer(join(folder, 'llama'));
    for (const { text } of readCases(join(folder, 'llama'))) {
      // A literal marker is the one thing SentencePiece cannot tell from a space; special tokens say nothing.
      if (/<(image|start|end|s|\/s)>|<0x|\u2581/.test(text)) continue;
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

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures', 'llama-tokens');
const shared = JSON.parse(readFileSync(join(fixtures, 'cases.json'), 'utf8')) as {
  readonly numQueryTokens: number;
  readonly of: {
    readonly legacy: boolean;
    readonly prompts: { system: string | null; texts: string[]; ids: number[] }[];
    readonly captions: { caption: string; ids: number[] }[];
    readonly texts: Case[];
  }[];
};

/** Ids that transformers 4.31's own slow tokenizer gave; the trainer is held to the same file. */
describe.each(shared.of)('as the slow tokenizer of transformers 4.31, legacy $legacy', (cases) => {
  const files = ['tokenizer.json', 'tokenizer.model'] as const;
  it.each(files)('from %s', async (file) => {
    const folder = await mkdtemp(join(tmpdir(), 'textbind-tokenizer-'));
    try {
      await cp(join(fixtures, file), join(folder, file));
      const config = JSON.stringify({ legacy: cases.legacy });
      await writeFile(join(folder, 'tokenizer_config.json'), config);
      const tokenizer = await openLanguageTokenizer(folder);
      for (const { text, ids } of cases.texts) expect(tokenizer.encode(text), text).toEqual(ids);
      for (const { caption, ids } of cases.captions) {
        expect(tokenizer.encode(`<start>${caption}<end>`), caption).toEqual(ids);
      }
      for (const { system, texts, ids } of cases.prompts) {
        const { ids: built } = buildPrompt(tokenizer, turnsOf(texts), {
          queryTokens: shared.numQueryTokens,
          maxPositions: 4096,
          ...(system === null ? {} : { system }),
        });
        expect(built, texts.join(' / ')).toEqual(ids);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

function turnsOf(texts: readonly string[]): PromptTurn[] {
  return texts.map((words, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    parts: words
      .split('<image>')
      .flatMap((text, place): PromptPart[] => [
        ...(place === 0 ? [] : [{ kind: 'picture', path: 'p', caption: null } as const]),
        { kind: 'text', text },
      ]),
  }));
}

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

  it('reads no model of another kind than byte pairs, and no broken one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'textbind-tokenizer-'));
    try {
      const bytes = await readFile(join(fixtures, 'tokenizer.model'));
      for (const cut of [bytes.subarray(0, 100), Buffer.from('junk'), Buffer.alloc(0)]) {
        await writeFile(join(folder, 'tokenizer.model'), cut);
        await expect(openLanguageTokenizer(folder)).rejects.toThrow(/is not a SentencePiece model/);
      }
      // trainer_spec.model_type is field 3 (tag 0x18) with the value 2 for byte pairs.
      const at = bytes.indexOf(Buffer.from([0x18, 0x02, 0x20]));
      expect(at).toBeGreaterThan(0);
      bytes[at + 1] = 1;
      await writeFile(join(folder, 'tokenizer.model'), bytes);
      await expect(openLanguageTokenizer(folder)).rejects.toThrow(/only byte-pair models/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('names a file that is missing', async () => {
    await expect(openLanguageTokenizer('/nowhere')).rejects.toThrow(
      /nowhere.tokenizer\.json: cannot be read/,
    );
  });
});
