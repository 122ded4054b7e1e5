/**
 * Whole replies, pictures in and out, equal a direct loop in PyTorch token for token (`test/golden/replies.py`): two
 * systems of random networks, one with a vocabulary of bytes and one with SentencePiece's.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkerReplyEvent } from '../../../src/shared/contracts/reply-event.ts';
import type { PromptTurn } from '../../../src/shared/contracts/worker-protocol.ts';
import {
  openLanguageTokenizer,
  type LanguageTokenizer,
} from '../../../src/worker/inputs/tokenizer.ts';
import { replyTo } from '../../../src/worker/pipelines/chat/reply.ts';
import { LanguageModel } from '../../../src/worker/pipelines/language/language-model.ts';
import { Sequence } from '../../../src/worker/pipelines/language/sequence.ts';
import { Vision } from '../../../src/worker/pipelines/vision/vision.ts';
import { noPython, runPython } from '../../golden/run-python.ts';
import { sampleManifest, sampleQformer } from '../../support/samples.ts';

interface Replies {
  readonly queries: number;
  readonly cases: readonly {
    readonly turns: readonly PromptTurn[];
    readonly expected: {
      readonly text: string;
      readonly captions: readonly string[];
      readonly tokens: number;
    };
  }[];
}

const root = join(import.meta.dirname, '..', '..', '..');
const maxPositions = 1024;
const side = 28;
const greedy = { temperature: 0, topK: 0, topP: 1, maxNewTokens: 256, seed: 1 } as const;

/** A picture of one colour, which follows from the caption; the reference draws the same. */
async function draw(caption: string) {
  const [r = 0, g = 0, b = 0] = createHash('sha256').update(caption).digest();
  const shape = { width: side, height: side };
  const png = await sharp({ create: { ...shape, channels: 3, background: { r, g, b } } })
    .png()
    .toBuffer();
  const recipe = { seed: 1, steps: 1, guidance: 1, model: 'colours' };
  return {
    kind: 'picture',
    png: Uint8Array.from(png),
    ...shape,
    caption,
    recipe,
    seconds: 0,
  } as const;
}

/** Without white space: where it stands at the edges of a text is the window's matter, not the loop's. */
const letters = (text: string): string => text.replaceAll(/\s/g, '');

describe.skipIf(noPython !== undefined).each([
  ['byte-level', '3'],
  ['sentencepiece', '5'],
])(`replies of a %s system ${noPython ?? ''}`, (kind, seed) => {
  let folder = '';
  let replies: Replies;
  let tokenizer: LanguageTokenizer;
  let language: LanguageModel;
  let vision: Vision;

  beforeAll(async () => {
    const trainer = join(root, 'resources', 'trainer');
    const pieces = join(root, 'test', 'fixtures', 'llama-tokens');
    folder = runPython('replies.py', [kind, seed, '25', trainer, pieces]);
    replies = JSON.parse(readFileSync(join(folder, 'replies.json'), 'utf8')) as Replies;
    const parts = (name: string) => join(folder, name);
    tokenizer = await openLanguageTokenizer(parts('language'));
    language = await LanguageModel.open(parts('language'), { providers: ['cpu'], maxPositions });
    const manifest = {
      ...sampleManifest,
      qformerConfig: { ...sampleQformer, numQueryTokens: replies.queries },
      maxPicturesPerReply: 4,
      maxSequenceLength: maxPositions,
    };
    const model = {
      folder,
      manifest,
      visionModel: parts('vision'),
      qformer: [parts('qformer.safetensors')],
      checkpoint: null,
      languageModel: parts('language'),
      processor: parts('vision'),
      imageDecoder: null,
    };
    vision = await Vision.open(model, language.config.hiddenSize, { provider: 'cpu' });
  }, 600_000);

  afterAll(async () => {
    await language.release();
    await vision.release();
  });

  it('equal the direct loop for 25 random conversations', async () => {
    expect(replies.cases).toHaveLength(25);
    const drawn = replies.cases.flatMap(({ expected }) => expected.captions);
    expect(drawn.length).toBeGreaterThan(20);
    for (const { turns, expected } of replies.cases) {
      const events: WorkerReplyEvent[] = [];
      const placed = turns.map(({ role, parts }) => ({
        role,
        parts: parts.map((part) =>
          part.kind === 'picture' ? { ...part, path: join(folder, part.path) } : part,
        ),
      }));
      const { finish, usage } = await replyTo(
        {
          turns: placed,
          sampling: greedy,
          drawing: { steps: 1, guidance: 1, negative: '', seed: 1, enabled: true },
        },
        {
          language,
          tokenizer,
          vision,
          sequence: new Sequence(language),
          maxPositions,
          queryTokens: replies.queries,
          maxPictures: 4,
          draw,
          emit: (event) => events.push(event),
          signal: new AbortController().signal,
        },
      );
      const text = events.map((event) =>
        event.kind === 'text' ? event.text : event.kind === 'picture' ? '<image>' : '',
      );
      const captions = events.flatMap((event) => (event.kind === 'picture' ? [event.caption] : []));
      const name = JSON.stringify(turns);
      expect({ finish, tokens: usage.replyTokens, text: letters(text.join('')) }, name).toEqual({
        finish: 'end',
        tokens: expected.tokens,
        text: letters(expected.text),
      });
      expect(captions, name).toEqual(expected.captions);
    }
  }, 120_000);
});
