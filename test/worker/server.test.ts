import { describe, expect, it } from 'vitest';
import { createPortPair } from '../../src/base/port.ts';
import {
  fromWorkerSchema,
  type FromWorker,
  type ToWorker,
} from '../../src/shared/contracts/worker-protocol.ts';
import { StudioError, toWireError } from '../../src/shared/errors.ts';
import type { Draw } from '../../src/worker/pipelines/drawing/drawer.ts';
import { serveWorker, type ServedModel } from '../../src/worker/server.ts';

const sampling = { temperature: 0, topK: 0, topP: 1, maxNewTokens: 8, seed: null };
const drawing = { steps: 2, guidance: 5, negative: '', seed: null, enabled: true };
const chat = {
  turns: [{ role: 'user', parts: [{ kind: 'text', text: 'secret' }] }],
  sampling,
  drawing,
};
const usage = {
  promptTokens: 1,
  replyTokens: 1,
  prefillSeconds: 0,
  decodeSeconds: 0,
  firstTokenSeconds: 0,
  pictures: 0,
  drawSeconds: 0,
};
const report = {
  name: 'fake',
  folder: '/m',
  canDraw: true,
  maxSequenceLength: 128,
  providers: { provider: 'cpu' as const, fallbacks: [] },
  seconds: 0,
};

const drawn = (caption: string) => ({
  kind: 'picture' as const,
  png: Uint8Array.of(1),
  width: 8,
  height: 8,
  caption,
  recipe: { seed: 1, steps: 2, guidance: 5, model: 'fake' },
  seconds: 0,
});

const fakeModel = (changes: Partial<ServedModel> = {}): ServedModel => ({
  report,
  sessionCount: 3,
  reply: async (_request, emit) => {
    emit({ kind: 'text', text: 'Hi' });
    return { finish: 'end', usage };
  },
  shorten: ({ parts }) => ({ parts: parts.slice(0, 1) }),
  measure: ({ turns }) => ({ tokens: 5, messageTokens: 2, room: 96, firstTurn: turns.length }),
  draw: async () => {
    throw new StudioError('unsupported', 'cannot draw');
  },
  release: async () => {},
  ...changes,
});

/** Waits until Stop, and says so as the real loop does. */
const patientReply: ServedModel['reply'] = (_request, emit, signal) =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve({ finish: 'cancelled', usage }));
    emit({ kind: 'text', text: 'begun' });
  });

function start(open: (drawApart: Draw) => Promise<ServedModel> = async () => fakeModel()) {
  const [ours, theirs] = createPortPair();
  const received: FromWorker[] = [];
  const logged: string[] = [];
  const exits: number[] = [];
  const note = (message: string, details?: object) =>
    void logged.push(`${message} ${JSON.stringify(details ?? {})}`);
  const sleepers: (() => void)[] = [];
  ours.onMessage((message) => {
    received.push(fromWorkerSchema.parse(message));
    for (const wake of sleepers.splice(0)) wake();
  });
  serveWorker({
    port: theirs,
    log: { info: note, warn: note, error: note },
    openModel: (_request, onProgress, drawApart) => {
      onProgress({ kind: 'opening', part: 'vision', done: 0, total: 1 });
      return open(drawApart);
    },
    openDrawer: async () => ({
      draw: async ({ caption }) => drawn(caption),
      release: async () => undefined,
      sparing: false,
      sessionCount: 4,
    }),
    exit: (code) => void exits.push(code),
  });
  const until = async (found: (message: FromWorker) => boolean): Promise<FromWorker> => {
    for (;;) {
      const message = received.find(found);
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => sleepers.push(resolve));
    }
  };
  let counter = 0;
  const ask = (name: string, body: unknown, id = `r${(counter += 1)}`) => {
    ours.postMessage({ type: 'request', id, name, body });
    const answer = until(
      (message) =>
        message.type !== 'event' &&
        message.type !== 'ready' &&
        'id' in message &&
        message.id === id,
    );
    return { id, answer };
  };
  const say = (message: ToWorker): void => ours.postMessage(message);
  const begun = (id: string) => until((message) => message.type === 'event' && message.id === id);
  const openModel = () => ask('model.open', { folder: '/m', provider: 'auto' }).answer;
  return { ours, received, logged, exits, ask, begun, until, say, openModel };
}

describe('the worker', () => {
  it('says ready first, and answers pings', async () => {
    const { ask, received } = start();
    expect(await ask('ping', null).answer).toMatchObject({ type: 'reply', body: null });
    expect(received[0]).toEqual({ type: 'ready', pid: process.pid });
  });

  it('opens a model with progress, and replies with events in order', async () => {
    const { openModel, ask, received } = start();
    expect(await openModel()).toMatchObject({ type: 'reply', body: { name: 'fake' } });
    const { id, answer } = ask('chat.reply', chat);
    expect(await answer).toMatchObject({ body: { finish: 'end' } });
    expect(received.map(({ type }) => type)).toEqual(['ready', 'event', 'reply', 'event', 'reply']);
    expect(received[3]).toEqual({ type: 'event', id, body: { kind: 'text', text: 'Hi' } });
    expect(await ask('memory', null).answer).toMatchObject({ body: { sessions: 3 } });
  });

  it('refuses before a model is open, unknown names, and bodies that do not fit', async () => {
    const { ask } = start();
    const kinds = [
      ask('chat.reply', chat),
      ask('launch', null),
      ask('toString', null),
      ask('chat.reply', { ...chat, turns: [] }),
      ask('draw', { caption: '', drawing }),
    ].map(async ({ answer }) => {
      const message = await answer;
      return message.type === 'error' ? message.error.kind : message.type;
    });
    expect(await Promise.all(kinds)).toEqual([
      'not-found',
      'unsupported',
      'unsupported',
      'bad-input',
      'bad-input',
    ]);
  });

  it('survives malformed messages', async () => {
    const { ours, ask, logged } = start();
    for (const message of [null, 7, {}, { type: 'request' }, { type: 'boom', id: 'x' }]) {
      ours.postMessage(message);
    }
    expect(await ask('ping', null).answer).toMatchObject({ type: 'reply' });
    expect(logged.filter((line) => line.startsWith('malformed'))).toHaveLength(5);
  });

  it('answers a ping while a reply is under way, and cancels the reply', async () => {
    const { ours, openModel, ask, begun } = start(async () => fakeModel({ reply: patientReply }));
    await openModel();
    const { id, answer } = ask('chat.reply', chat);
    await begun(id);
    expect(await ask('ping', null).answer).toMatchObject({ type: 'reply' });
    ours.postMessage({ type: 'cancel', id });
    expect(await answer).toMatchObject({ body: { finish: 'cancelled' } });
  });

  it('runs one at a time; a waiting request that is cancelled never runs', async () => {
    let running = 0;
    let most = 0;
    let replies = 0;
    const { ours, openModel, ask, begun } = start(async () =>
      fakeModel({
        reply: async (request, emit, signal) => {
          replies += 1;
          most = Math.max(most, (running += 1));
          const reply = await patientReply(request, emit, signal);
          running -= 1;
          return reply;
        },
      }),
    );
    await openModel();
    const [first, second, third] = [1, 2, 3].map(() => ask('chat.reply', chat));
    await begun(first!.id);
    ours.postMessage({ type: 'cancel', id: second!.id });
    ours.postMessage({ type: 'cancel', id: first!.id });
    expect(await second!.answer).toMatchObject({ type: 'error', error: { kind: 'cancelled' } });
    await begun(third!.id);
    ours.postMessage({ type: 'cancel', id: third!.id });
    await third!.answer;
    expect({ most, replies }).toEqual({ most: 1, replies: 2 });
  });

  it('closes the model before when another is opened', async () => {
    const order: string[] = [];
    let count = 0;
    const { openModel } = start(async () => {
      const name = String((count += 1));
      order.push(`open ${name}`);
      return fakeModel({ release: async () => void order.push(`release ${name}`) });
    });
    await openModel();
    await openModel();
    expect(order).toEqual(['open 1', 'release 1', 'open 2']);
  });

  it('tells kinds of failure apart and goes on', async () => {
    const failures = [
      new Error('std::bad_alloc'),
      Object.assign(new Error('tensor "x"'), { name: 'WeightError' }),
      new StudioError('bad-input', 'no picture'),
      'odd' as unknown as Error,
    ];
    const { openModel, ask } = start(async () =>
      fakeModel({
        reply: async () => {
          throw failures.shift()!;
        },
      }),
    );
    await openModel();
    const kinds = [];
    while (failures.length > 0) {
      const message = await ask('chat.reply', chat).answer;
      kinds.push(message.type === 'error' && message.error.kind);
    }
    expect(kinds).toEqual(['out-of-memory', 'model-invalid', 'bad-input', 'internal']);
  });

  it('on stop, cancels what runs, releases the model, and exits with 0', async () => {
    let released = 0;
    const { ours, openModel, ask, begun, exits } = start(async () =>
      fakeModel({ reply: patientReply, release: async () => void (released += 1) }),
    );
    await openModel();
    const { id, answer } = ask('chat.reply', chat);
    await begun(id);
    ours.postMessage({ type: 'stop' });
    expect(await answer).toMatchObject({ body: { finish: 'cancelled' } });
    await new Promise((resolve) => setImmediate(resolve));
    expect({ released, exits }).toEqual({ released: 1, exits: [0] });
  });

  describe('a drawing that another process makes', () => {
    /** A reply that is one drawing, told as the loop tells it. */
    const drawsApart = (drawApart: Draw): Partial<ServedModel> => ({
      reply: async (request, emit, signal) => {
        const asked = { caption: 'a cat', drawing: request.drawing };
        try {
          emit(await drawApart(asked, emit, signal));
        } catch (error) {
          emit({ kind: 'drawing-failed', caption: 'a cat', error: toWireError(error) });
        }
        return { finish: 'end', usage };
      },
    });
    const step = { kind: 'drawing-step', step: 1, steps: 2, secondsLeft: null, preview: null };

    it('is asked for, and its progress and picture go into the reply', async () => {
      const { openModel, ask, until, say, received } = start(async (apart) =>
        fakeModel(drawsApart(apart)),
      );
      await openModel();
      const { id, answer } = ask('chat.reply', chat);
      const asked = await until(({ type }) => type === 'ask');
      if (asked.type !== 'ask') throw new Error('nothing was asked');
      expect(asked.body).toEqual({ caption: 'a cat', drawing });
      say({ type: 'ask-event', id: asked.id, body: { ...step, width: 8, height: 8 } });
      say({ type: 'ask-reply', id: asked.id, body: drawn('a cat') });
      expect(await answer).toMatchObject({ type: 'reply' });
      const events = received.flatMap((message) =>
        message.type === 'event' && message.id === id ? [message.body] : [],
      );
      expect(events).toMatchObject([{ kind: 'drawing-step', step: 1 }, { kind: 'picture' }]);
    });

    it('fails alone', async () => {
      const { openModel, ask, until, say, received } = start(async (apart) =>
        fakeModel(drawsApart(apart)),
      );
      await openModel();
      const { answer } = ask('chat.reply', chat);
      const asked = await until(({ type }) => type === 'ask');
      if (asked.type !== 'ask') throw new Error('nothing was asked');
      const error = { kind: 'worker-crashed' as const, message: 'gone', detail: null };
      say({ type: 'ask-error', id: asked.id, error });
      expect(await answer).toMatchObject({ type: 'reply', body: { finish: 'end' } });
      expect(received.at(-2)).toMatchObject({ body: { kind: 'drawing-failed', error } });
    });

    it('is let go at once by Stop, and what comes of it later is not heard', async () => {
      const { openModel, ask, until, say } = start(async (apart) => fakeModel(drawsApart(apart)));
      await openModel();
      const { id, answer } = ask('chat.reply', chat);
      const asked = await until(({ type }) => type === 'ask');
      if (asked.type !== 'ask') throw new Error('nothing was asked');
      say({ type: 'cancel', id });
      expect(await until(({ type }) => type === 'ask-cancel')).toMatchObject({ id: asked.id });
      await answer;
      say({ type: 'ask-reply', id: asked.id, body: drawn('a cat') });
      expect(await ask('ping', null).answer).toMatchObject({ type: 'reply' });
    });

    it('is drawn by the process that has the drawing part alone', async () => {
      const { ask } = start();
      const asked = { folder: '/m', provider: 'auto', sparing: false };
      expect(await ask('drawing.open', asked).answer).toMatchObject({ body: { sparing: false } });
      const answer = await ask('draw', { caption: 'a cat', drawing }).answer;
      expect(answer).toMatchObject({ body: { kind: 'picture', caption: 'a cat' } });
      expect(await ask('chat.reply', chat).answer).toMatchObject({ error: { kind: 'not-found' } });
    });
  });

  it('logs request ids and never what was said', async () => {
    const { openModel, ask, logged } = start();
    await openModel();
    const { id, answer } = ask('chat.reply', chat);
    await answer;
    expect(logged.some((line) => line.includes(`"request":"${id}"`))).toBe(true);
    expect(logged.join('\n')).not.toMatch(/secret|Hi/);
  });
});
