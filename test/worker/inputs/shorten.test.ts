import { describe, expect, it } from 'vitest';
import type { PromptPart } from '../../../src/shared/contracts/worker-protocol.ts';
import { buildPrompt } from '../../../src/worker/inputs/prompt.ts';
import { shortenMessage } from '../../../src/worker/inputs/shorten.ts';
import { createWordTokenizer } from './word-tokenizer.ts';

const tokenizer = createWordTokenizer();
const text = (words: string): PromptPart => ({ kind: 'text', text: words });
const picture: PromptPart = { kind: 'picture', path: 'a.png', caption: null };
const counted = (count: number): string =>
  Array.from({ length: count }, (_, index) => `w${index}`).join(' ');
const size = (parts: readonly PromptPart[]): number =>
  buildPrompt(tokenizer, [{ role: 'user', parts: [...parts] }], {
    queryTokens: 3,
    maxPositions: 10_000,
  }).ids.length;
const spelled = (parts: readonly PromptPart[]): string =>
  parts.map((part) => (part.kind === 'text' ? part.text : '<p>')).join('');

describe('shortenMessage', () => {
  it('leaves a message that fits as it is', () => {
    const parts = [text('short '), picture];
    expect(shortenMessage(tokenizer, parts, { queryTokens: 3, maxPositions: 50 })).toEqual(parts);
  });

  it.each([20, 33, 64, 100])(
    'cuts the middle so that it fits into %i, and not much less',
    (room) => {
      const options = { queryTokens: 3, maxPositions: room };
      const short = shortenMessage(tokenizer, [text(counted(300))], options);
      const words = spelled(short);
      expect(size(short)).toBeLessThanOrEqual(room);
      expect(size(short)).toBeGreaterThan(room - 6);
      expect(words).toMatch(/^w0 .*w\d+ … w\d+.* w299$/);
      // Whole words only: both sides of the cut are words of the message.
      for (const word of words.replace(' … ', ' ').split(' ')) expect(word).toMatch(/^w\d+$/);
    },
  );

  it('keeps every picture at its place, and marks the cut once', () => {
    const parts = [text(counted(80)), picture, text(counted(80)), picture, text(counted(80))];
    const short = shortenMessage(tokenizer, parts, { queryTokens: 3, maxPositions: 60 });
    expect(size(short)).toBeLessThanOrEqual(60);
    expect(short.filter((part) => part.kind === 'picture')).toHaveLength(2);
    expect(spelled(short).split('…')).toHaveLength(2);
    expect(spelled(short)).toMatch(/^w0 .* w79$/s);
  });

  it('cuts a text without spaces between letters, never within one', () => {
    const parts = [text('🍐'.repeat(400))];
    const byPear = {
      ...tokenizer,
      encode: (t: string) => tokenizer.encode(t.replaceAll('🍐', '🍐 ')),
    };
    const short = shortenMessage(byPear, parts, { queryTokens: 3, maxPositions: 40 });
    expect(spelled(short)).toMatch(/^(🍐)+ … (🍐)+$/u);
  });

  it('says so where the pictures alone are too many', () => {
    const parts = [text('look'), ...Array.from({ length: 20 }, () => picture)];
    expect(() => shortenMessage(tokenizer, parts, { queryTokens: 3, maxPositions: 30 })).toThrow(
      expect.objectContaining({
        kind: 'too-long',
        message: expect.stringContaining('pictures') as string,
      }),
    );
  });
});
