import { randomUUID } from 'node:crypto';
import type { Picture } from '../../../src/shared/domain/picture.ts';
import type { MessagePart, Turn, Usage } from '../../../src/shared/domain/turn.ts';

export const text = (words: string): MessagePart => ({ kind: 'text', text: words });

export const someUsage: Usage = {
  promptTokens: 1,
  replyTokens: 2,
  prefillSeconds: 0.5,
  decodeSeconds: 1,
  firstTokenSeconds: null,
  pictures: 0,
  drawSeconds: 0,
};

export function makeTurn(
  role: Turn['role'],
  parts: readonly MessagePart[],
  over: Partial<Turn> = {},
): Turn {
  return {
    id: randomUUID(),
    role,
    parts: [...parts],
    status: 'complete',
    error: null,
    notices: [],
    usage: null,
    model: role === 'assistant' ? 'Fake model' : null,
    createdAt: 1000,
    ...over,
  };
}

export function makePicture(over: Partial<Picture> = {}): Picture {
  return {
    id: randomUUID(),
    hash: 'a'.repeat(64),
    mediaType: 'image/png',
    width: 4,
    height: 4,
    bytes: 100,
    origin: 'drawn',
    caption: 'a red apple',
    recipe: { seed: 1, steps: 3, guidance: 5, model: 'Fake model' },
    ...over,
  };
}
