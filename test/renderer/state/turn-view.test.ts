import { describe, expect, it } from 'vitest';
import { captionOf, plainTextOf } from '../../../src/renderer/state/turn-view.ts';
import { drawingOver } from '../../../src/shared/domain/reply.ts';
import { samplePicture, streamingTurn } from '../../support/samples.ts';

const error = { kind: 'out-of-memory', message: 'Not enough.', detail: null } as const;

describe('plainTextOf', () => {
  it('gives words and captions in reading order', () => {
    const turn = streamingTurn(2, [
      { kind: 'text', text: ' first ' },
      { kind: 'picture', picture: samplePicture(5) },
      { kind: 'undrawn', caption: 'a boat', error },
      { kind: 'picture', picture: samplePicture(6, { origin: 'user', caption: null }) },
      { kind: 'text', text: '\n' },
    ]);
    expect(plainTextOf(turn)).toBe('first\n[picture: picture 5]\n[picture: a boat]\n[picture]');
  });
});

describe('captionOf', () => {
  it('gives the words of a drawing that is under way', () => {
    expect(captionOf(drawingOver('a ship', null))).toBe('a ship');
    expect(captionOf({ kind: 'text', text: 'no caption' })).toBe('');
  });
});
