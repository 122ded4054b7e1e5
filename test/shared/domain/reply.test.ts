import { describe, expect, it } from 'vitest';
import {
  applyReplyEvent,
  drawingOver,
  replySchema,
  storedTurn,
  type DrawingProgress,
  type Reply,
  type ReplyEvent,
} from '../../../src/shared/domain/reply.ts';
import { emptyTurn, turnSchema, type MessagePart } from '../../../src/shared/domain/turn.ts';
import { id, samplePicture, sampleTurn, streamingTurn } from '../../support/samples.ts';
import { randomSource, type RandomSource } from '../../support/random-source.ts';

const text = (words: string): ReplyEvent => ({ kind: 'text', text: words });
const started: ReplyEvent = { kind: 'caption-started' };
const captionText = (words: string): ReplyEvent => ({ kind: 'caption-text', text: words });
const finished = (caption: string): ReplyEvent => ({ kind: 'caption-finished', caption });
const picture: ReplyEvent = { kind: 'picture', picture: samplePicture(5) };
const error = { kind: 'out-of-memory', message: 'No memory.', detail: null } as const;
const failed = (caption: string): ReplyEvent => ({ kind: 'drawing-failed', caption, error });
const ended: ReplyEvent = { kind: 'ended', status: 'complete', error: null, usage: null };
const stopped: ReplyEvent = { ...ended, status: 'stopped' };

function step(change: Partial<DrawingProgress>): ReplyEvent {
  return {
    kind: 'drawing-step',
    step: 0,
    steps: 40,
    secondsLeft: null,
    preview: null,
    width: 128,
    height: 96,
    ...change,
  };
}

const play = (reply: Reply, ...events: readonly ReplyEvent[]): Reply =>
  events.reduce(applyReplyEvent, reply);
const kinds = ({ parts }: Reply): string[] => parts.map(({ kind }) => kind);

describe('a reply', () => {
  it('appends text to a part that may be new', () => {
    expect(play(streamingTurn(2), text('Here '), text('it is.')).parts).toEqual([
      { kind: 'text', text: 'Here it is.' },
    ]);
  });

  it('goes from caption to drawing to picture at one place', () => {
    const captioned = play(streamingTurn(2), text('See:'), started, captionText('a red'));
    expect(captioned.parts[1]).toMatchObject({ caption: 'a red', captionFinished: false });
    const preview = new Uint8Array([1, 2]);
    const drawn = play(
      captioned,
      finished('a red apple'),
      step({ step: 4, secondsLeft: 3, preview }),
      step({ step: 5, secondsLeft: 2 }),
    );
    expect(drawn.parts[1]).toMatchObject({
      kind: 'drawing',
      caption: 'a red apple',
      captionFinished: true,
      step: 5,
      steps: 40,
      secondsLeft: 2,
      preview,
      width: 128,
      height: 96,
    });
    expect(kinds(play(drawn, picture, text('There.')))).toEqual(['text', 'picture', 'text']);
  });

  it('opens a place for whatever of a drawing comes first', () => {
    for (const first of [captionText('a'), finished('a'), step({})]) {
      expect(kinds(play(streamingTurn(2), first))).toEqual(['drawing']);
    }
    expect(kinds(play(streamingTurn(2), picture))).toEqual(['picture']);
    expect(kinds(play(streamingTurn(2), failed('a pear')))).toEqual(['undrawn']);
  });

  it('leaves no part for a caption without a word, and goes on in the text before it', () => {
    const before = play(streamingTurn(2), text('Well'), started);
    for (const close of [finished(' '), ended])
      expect(kinds(play(before, close))).toEqual(['text']);
    expect(play(before, text(', no.')).parts).toEqual([{ kind: 'text', text: 'Well, no.' }]);
  });

  it('keeps a caption whose picture was not drawn, with the reason', () => {
    const reply = play(streamingTurn(2), started, captionText('a p'), stopped);
    expect(reply.parts).toMatchObject([
      { kind: 'undrawn', caption: 'a p', error: { kind: 'cancelled' } },
    ]);
    expect(play(streamingTurn(2), finished('a pear'), failed('a pear')).parts).toEqual([
      { kind: 'undrawn', caption: 'a pear', error },
    ]);
  });

  it('collects notices, the model and the end', () => {
    const notice = { code: 'context-trimmed', message: 'The first 2 turns went.' } as const;
    const reply = play(
      streamingTurn(2),
      { kind: 'asked', model: 'Large' },
      { kind: 'notice', notice },
      { ...ended, status: 'failed', error },
    );
    expect(reply).toMatchObject({ notices: [notice], model: 'Large', status: 'failed', error });
  });

  it('takes nothing more after its end, except another begin', () => {
    const whole = sampleTurn(2, 'assistant', [{ kind: 'text', text: 'Done.' }]);
    expect(play(whole, text(' More.'), picture)).toBe(whole);
    const reply = { ...whole, status: 'streaming' as const };
    const begun: ReplyEvent = {
      kind: 'begun',
      conversationId: id(1),
      turns: [],
      reply,
      replaces: null,
    };
    expect(play(whole, begun)).toBe(reply);
  });
});

describe('drawing again', () => {
  const old: MessagePart = { kind: 'picture', picture: samplePicture(4) };
  const undrawn: MessagePart = { kind: 'undrawn', caption: 'a boat', error };
  const redrawn = (previous: MessagePart): Reply => ({
    ...streamingTurn(2),
    parts: [drawingOver('a ship', previous), { kind: 'text', text: 'after' }],
  });

  it('happens in its place, at the size of what was there', () => {
    const reply = play(redrawn(old), step({ step: 1, width: 64, height: 64 }), picture);
    expect(reply.parts).toEqual([
      { kind: 'picture', picture: samplePicture(5) },
      expect.anything(),
    ]);
    expect(redrawn(old).parts[0]).toMatchObject({ captionFinished: true, width: 128 });
  });

  it.each([
    ['stopped, a picture', old, stopped, old],
    ['stopped, a caption', undrawn, stopped, undrawn],
    ['failed, a picture', old, failed('a ship'), old],
    ['failed, a caption', undrawn, failed('a ship'), { ...undrawn, caption: 'a ship' }],
  ])('%s: what stands there', (_name, previous, event, after) => {
    expect(play(redrawn(previous), event).parts[0]).toEqual(after);
    expect(storedTurn(redrawn(previous)).parts[0]).toBe(previous);
  });
});

/** A reply of anything that a worker might say, sensible or not, that ends. */
function anyEvents(random: RandomSource): ReplyEvent[] {
  const words = () => random.pick(['', ' ', 'a', 'pear ', 'red apple', '\n\n', '<image>', 'é']);
  const one = (): ReplyEvent =>
    random.pick<() => ReplyEvent>([
      () => text(words()),
      () => text(words()),
      () => started,
      () => captionText(words()),
      () => finished(words()),
      () => step({ step: random.below(40), preview: random.pick([null, new Uint8Array([7])]) }),
      () => ({ kind: 'picture', picture: samplePicture(random.below(9)) }),
      () => failed(words()),
      () => ({ kind: 'notice', notice: { code: 'caption-cut', message: words() } }),
    ])();
  return [...Array.from({ length: random.below(40) }, one), random.pick([ended, stopped])];
}

/** The same words in other pieces. */
function splitAnew(events: readonly ReplyEvent[], random: RandomSource): ReplyEvent[] {
  return events.flatMap((event): ReplyEvent[] => {
    if (event.kind !== 'text' && event.kind !== 'caption-text') return [event];
    const at = random.below(event.text.length + 1);
    return [
      { ...event, text: event.text.slice(0, at) },
      { ...event, text: event.text.slice(at) },
    ];
  });
}

interface Case {
  readonly random: RandomSource;
  readonly events: readonly ReplyEvent[];
  /** What all of the events make. */
  readonly whole: Reply;
}

const begin = emptyTurn({ id: id(2), role: 'assistant', createdAt: 1 });

/** Holds for many replies; the first for which it does not is named by its seed. */
function holdsFor(check: (one: Case) => void): void {
  for (let seed = 0; seed < 300; seed += 1) {
    const random = randomSource(seed);
    const events = anyEvents(random);
    try {
      check({ random, events, whole: play(begin, ...events) });
    } catch (error) {
      throw new Error(`seed ${seed}: ${JSON.stringify(events)}`, { cause: error });
    }
  }
}

describe('whatever is said', () => {
  it('is the same reply however its words are cut into pieces', () =>
    holdsFor(({ random, events, whole }) => {
      expect(play(begin, ...splitAnew(splitAnew(events, random), random))).toEqual(whole);
    }));

  it('is the same reply from any moment of it that crossed a process', () =>
    holdsFor(({ random, events, whole }) => {
      const at = random.below(events.length);
      const crossed = replySchema.parse(structuredClone(play(begin, ...events.slice(0, at))));
      expect(play(crossed, ...events.slice(at))).toEqual(whole);
    }));

  it('is a whole turn at any moment', () =>
    holdsFor(({ events, whole }) => {
      let reply: Reply = begin;
      for (const event of events) {
        reply = applyReplyEvent(reply, event);
        const turn = storedTurn(reply);
        expect(turnSchema.parse(turn)).toEqual(turn);
        expect(kinds(reply).filter((kind) => kind === 'drawing').length).toBeLessThanOrEqual(1);
        expect(kinds(reply).join()).not.toContain('text,text');
      }
      // At its end it is stored as it is shown.
      expect(storedTurn(whole)).toEqual(whole);
    }));

  it('leaves the parts that an event does not touch as they were', () =>
    holdsFor(({ events }) => {
      let reply: Reply = begin;
      for (const event of events) {
        const next = applyReplyEvent(reply, event);
        const kept = Math.min(reply.parts.length, next.parts.length) - 1;
        expect(next.parts.slice(0, kept)).toSatisfy((parts: unknown[]) =>
          parts.every((part, index) => part === reply.parts[index]),
        );
        reply = next;
      }
    }));
});
