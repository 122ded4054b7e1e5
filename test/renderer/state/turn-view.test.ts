import { describe, expect, it } from 'vitest';
import type { DrawingProgress } from '../../../src/shared/contracts/reply-event.ts';
import {
  applyTurnEvent,
  plainTextOf,
  type TurnEvent,
  type TurnView,
} from '../../../src/renderer/state/turn-view.ts';
import { id, samplePicture, sampleTurn, streamingTurn } from '../helpers/samples.ts';

const ids = { conversationId: id(1), turnId: id(2) };

function text(partIndex: number, words: string): TurnEvent {
  return { name: 'chat.text', body: { ...ids, partIndex, text: words } };
}

function caption(partIndex: number, words: string, finished = false): TurnEvent {
  return { name: 'chat.caption', body: { ...ids, partIndex, caption: words, finished } };
}

function drawing(partIndex: number, change: Partial<DrawingProgress>): TurnEvent {
  const progress: DrawingProgress = {
    kind: 'drawing-step',
    step: 0,
    steps: 40,
    secondsLeft: null,
    preview: null,
    width: 128,
    height: 96,
    ...change,
  };
  return { name: 'chat.drawing', body: { ...ids, partIndex, progress } };
}

function picture(partIndex: number): TurnEvent {
  const part = { kind: 'picture', picture: samplePicture(5) } as const;
  return { name: 'chat.part', body: { ...ids, partIndex, part } };
}

function play(turn: TurnView, ...events: readonly TurnEvent[]): TurnView {
  return events.reduce(applyTurnEvent, turn);
}

describe('applyTurnEvent', () => {
  it('appends text to a part that may be new', () => {
    const turn = play(streamingTurn(2), text(0, 'Here '), text(0, 'it is.'));
    expect(turn.parts).toEqual([{ kind: 'text', text: 'Here it is.' }]);
  });

  it('goes from caption to drawing to picture at one place', () => {
    const captioned = play(streamingTurn(2), text(0, 'See:'), caption(1, 'a red'));
    expect(captioned.parts[1]).toMatchObject({
      kind: 'drawing',
      caption: 'a red',
      captionFinished: false,
    });
    const preview = new Uint8Array([1, 2]);
    const drawn = play(
      captioned,
      caption(1, 'a red apple', true),
      drawing(1, { step: 0 }),
      drawing(1, { step: 4, secondsLeft: 3, preview }),
      drawing(1, { step: 5, secondsLeft: 2 }),
    );
    expect(drawn.parts[1]).toMatchObject({
      caption: 'a red apple',
      captionFinished: true,
      step: 5,
      steps: 40,
      secondsLeft: 2,
      preview,
      width: 128,
      height: 96,
    });
    const done = play(drawn, picture(1), text(2, 'There.'));
    expect(done.parts.map(({ kind }) => kind)).toEqual(['text', 'picture', 'text']);
  });

  it('keeps the newer progress when an older one comes late', () => {
    const turn = play(
      streamingTurn(2),
      drawing(0, { step: 9, secondsLeft: 1 }),
      drawing(0, { step: 3, secondsLeft: 8 }),
    );
    expect(turn.parts[0]).toMatchObject({ step: 9, secondsLeft: 1 });
  });

  it('holds places for parts whose events come out of order', () => {
    const late = play(streamingTurn(2), text(2, 'third'), picture(1));
    expect(late.parts.map(({ kind }) => kind)).toEqual(['gap', 'picture', 'text']);
    const filled = play(late, text(0, 'first'));
    expect(plainTextOf(filled)).toBe('first\n[picture: picture 5]\nthird');
  });

  it('keeps what stood there while it is drawn again', () => {
    const before = { kind: 'picture', picture: samplePicture(5) } as const;
    const turn = play(
      streamingTurn(2, [before]),
      caption(0, 'another', true),
      drawing(0, { step: 1 }),
    );
    expect(turn.parts[0]).toMatchObject({
      kind: 'drawing',
      caption: 'another',
      previous: before,
      step: 1,
    });
  });

  it('takes the caption of an undrawn part into its drawing', () => {
    const error = { kind: 'out-of-memory', message: 'Not enough.', detail: null } as const;
    const turn = play(
      streamingTurn(2, [{ kind: 'undrawn', caption: 'a boat', error }]),
      drawing(0, {}),
    );
    expect(turn.parts[0]).toMatchObject({ kind: 'drawing', caption: 'a boat', step: 0 });
  });

  it.each([
    ['text on a picture', picture(0), text(0, 'x')],
    ['a caption on text', text(0, 'x'), caption(0, 'y')],
    ['a drawing on text', text(0, 'x'), drawing(0, {})],
  ])('ignores %s', (_name, first, contradiction) => {
    const before = play(streamingTurn(2), first);
    expect(applyTurnEvent(before, contradiction)).toBe(before);
  });

  it('ignores an index that no reply has', () => {
    const turn = streamingTurn(2);
    expect(applyTurnEvent(turn, text(5_000_000, 'x'))).toBe(turn);
  });

  it('leaves a turn that has ended as it is stored', () => {
    const turn = sampleTurn(2, 'assistant', [{ kind: 'text', text: 'Done.' }]);
    expect(play(turn, text(0, ' More.'), picture(1))).toBe(turn);
  });

  it('collects notices', () => {
    const notice = {
      code: 'context-trimmed',
      message: 'The first 2 turns were left out.',
    } as const;
    const turn = applyTurnEvent(streamingTurn(2), {
      name: 'chat.notice',
      body: { ...ids, notice },
    });
    expect(turn.notices).toEqual([notice]);
  });
});
