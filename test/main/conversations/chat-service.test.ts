import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AppEventName } from '../../../src/shared/contracts/app-ipc.ts';
import type { WorkerRequestBody } from '../../../src/shared/contracts/worker-protocol.ts';
import {
  applyReplyEvent,
  type Reply,
  type ReplyMessage,
} from '../../../src/shared/domain/reply.ts';
import { emptyTurn } from '../../../src/shared/domain/turn.ts';
import { StudioError } from '../../../src/shared/errors.ts';
import { ChatService } from '../../../src/main/conversations/chat-service.ts';
import { flushIntervalMs } from '../../../src/main/conversations/live-reply.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { createPictureStore } from '../../../src/main/pictures/store.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { until } from '../support/node-spawn.ts';
import { encodePng } from '../../support/png.ts';
import { drawnEvent, ScriptedEngine, settled } from '../support/scripted-engine.ts';
import { openTestStorage } from '../support/storage.ts';
import { text } from '../support/turns.ts';

const firstDrawingStep = {
  kind: 'drawing-step',
  step: 1,
  steps: 3,
  secondsLeft: 2,
  preview: null,
  width: 16,
  height: 16,
} as const;

function makeChat() {
  const { store, folder, database } = openTestStorage();
  const pictures = createPictureStore(path.join(folder, 'pictures'), store.pictures);
  const engine = new ScriptedEngine();
  const clock = new FakeClock();
  const events: { name: AppEventName; body: Record<string, unknown> }[] = [];
  const messages: ReplyMessage[] = [];
  const chat = new ChatService({
    store,
    pictures,
    engine,
    clock,
    log: silentLogger,
    emit(name, body) {
      events.push({ name, body });
      if (name === 'chat.reply') messages.push(body as ReplyMessage);
    },
  });
  const send = (words: string, conversationId: string | null = null) =>
    chat.send({ conversationId, parts: [{ kind: 'text', text: words }] });
  const stored = (conversationId: string) => store.turns.list(conversationId);
  /** What happened to replies, in order. */
  const told = () => messages.map(({ event }) => event.kind);
  return { store, database, pictures, engine, clock, events, messages, told, chat, send, stored };
}

async function cutChat() {
  const made = makeChat();
  const { conversation, turnId } = made.send('Tell me');
  const asked = await made.engine.next(1);
  await asked.emit(textEvent('Once '));
  await asked.end('length');
  return { ...made, conversation, turnId };
}

/** What a window that hears of a turn for the first time has of it. */
const blank: Reply = emptyTurn({ id: 'x', role: 'assistant', createdAt: 0 });
const died = new StudioError('worker-crashed', 'The engine was ended by SIGKILL.');
const textEvent = (words: string) => ({ kind: 'text', text: words }) as const;

describe('sending', () => {
  test('stores the turn and an empty reply before the model is asked', async () => {
    const { send, stored, engine, messages } = makeChat();
    const { conversation, turnId } = send('  What is\n a pear?  ');
    expect(engine.asked).toEqual([]);
    expect(conversation).toMatchObject({ title: 'What is a pear?', turnCount: 2 });
    const turns = stored(conversation.id);
    expect(turns.map(({ role, status }) => [role, status])).toEqual([
      ['user', 'complete'],
      ['assistant', 'streaming'],
    ]);
    // The window knows the turns before the request is answered.
    const [user, reply] = turns;
    const conversationId = conversation.id;
    expect(messages).toEqual([
      {
        turnId,
        sequence: 0,
        event: { kind: 'begun', conversationId, turns: [user], reply, replaces: null },
      },
    ]);
    const asked = await engine.next(1);
    expect((asked.body as WorkerRequestBody<'chat.reply'>).turns).toEqual([
      { role: 'user', parts: [text('  What is\n a pear?  ')] },
    ]);
    await asked.end();
  });

  test('gives the model the pictures as files, with the captions of drawn ones', async () => {
    const { chat, pictures, engine } = makeChat();
    const picture = await pictures.add(encodePng(4, 4), {
      name: 'x',
      origin: 'user',
      caption: null,
      recipe: null,
    });
    const parts = [
      { kind: 'picture', pictureId: picture.id },
      { kind: 'text', text: 'and ' },
      { kind: 'text', text: 'this' },
    ] as const;
    const { conversation } = chat.send({ conversationId: null, parts: [...parts] });
    expect(conversation.title).toBe('and this');
    const asked = await engine.next(1);
    const body = asked.body as WorkerRequestBody<'chat.reply'>;
    expect(body.turns[0]?.parts).toEqual([
      { kind: 'picture', path: pictures.fileOf(picture.hash), caption: null },
      text(' and this'),
    ]);
    expect(existsSync(pictures.fileOf(picture.hash))).toBe(true);
  });

  test('refuses nothing, unknown pictures, unknown conversations, and a second turn under a reply', () => {
    const { chat, send, store } = makeChat();
    const unknown = '00000000-0000-4000-8000-000000000000';
    expect(() => send(' \n ')).toThrow(expect.objectContaining({ kind: 'bad-input' }));
    expect(() => send('x', unknown)).toThrow(expect.objectContaining({ kind: 'not-found' }));
    const parts = [{ kind: 'picture' as const, pictureId: unknown }];
    expect(() => chat.send({ conversationId: null, parts })).toThrow(
      expect.objectContaining({ kind: 'not-found' }),
    );
    expect(store.conversations.list(10, 0).total).toBe(0);
    const { conversation } = send('x');
    expect(() => send('y', conversation.id)).toThrow(expect.objectContaining({ kind: 'busy' }));
    expect(store.conversations.summary(conversation.id)?.turnCount).toBe(2);
  });
});

describe('a reply', () => {
  test('streams text, a drawing and text into the stored turn and to the window', async () => {
    const { send, stored, engine, messages, told, pictures } = makeChat();
    const { conversation, turnId } = send('Draw an apple');
    const asked = await engine.next(1);
    await asked.emit(
      textEvent('Here '),
      textEvent('it is: '),
      { kind: 'caption-started' },
      { kind: 'caption-text', text: 'a red ' },
      { kind: 'caption-finished', caption: 'a red apple' },
      firstDrawingStep,
      drawnEvent(),
      { kind: 'notice', notice: { code: 'caption-cut', message: 'Cut.' } },
      textEvent(' Done.'),
    );
    await asked.end();
    await until(() => told().includes('ended'), 'the end');
    const [, reply] = stored(conversation.id);
    expect(reply).toMatchObject({
      id: turnId,
      status: 'complete',
      model: 'Scripted model',
      notices: [{ code: 'caption-cut' }],
      parts: [
        { kind: 'text', text: 'Here it is: ' },
        {
          kind: 'picture',
          picture: {
            origin: 'drawn',
            caption: 'a red apple',
            recipe: { seed: 7, steps: 3 },
            width: 16,
          },
        },
        { kind: 'text', text: ' Done.' },
      ],
    });
    expect(reply?.usage).toMatchObject({ replyTokens: 5 });
    expect(told()).toEqual([
      'begun',
      'asked',
      'text',
      'text',
      'caption-started',
      'caption-text',
      'caption-finished',
      'drawing-step',
      'picture',
      'notice',
      'text',
      'ended',
    ]);
    expect(messages.map(({ sequence }) => sequence)).toEqual([...told().keys()]);
    // Whoever hears all of it has what is stored.
    const heard = messages.reduce((turn, { event }) => applyReplyEvent(turn, event), blank);
    expect(heard).toEqual(reply);
    const part = reply?.parts[1];
    expect(part?.kind === 'picture' && existsSync(pictures.fileOf(part.picture.hash))).toBe(true);
  });

  test('text reaches the disk within the flush interval, captions and pictures at once', async () => {
    const { send, stored, engine, clock } = makeChat();
    const { conversation } = send('x');
    const parts = () => stored(conversation.id)[1]?.parts;
    const asked = await engine.next(1);
    await asked.emit(textEvent('one '));
    expect(parts()).toEqual([]);
    clock.advance(flushIntervalMs);
    expect(parts()).toEqual([text('one ')]);
    await asked.emit(textEvent('two '));
    await asked.emit({ kind: 'caption-started' });
    expect(parts()).toMatchObject([text('one two '), { kind: 'undrawn', caption: '' }]);
    await asked.emit({ kind: 'caption-finished', caption: 'a pear' });
    expect(parts()?.[1]).toMatchObject({
      kind: 'undrawn',
      caption: 'a pear',
      error: { kind: 'cancelled' },
    });
    await asked.end();
    expect(flushIntervalMs).toBeLessThanOrEqual(500);
  });

  test('a drawing that failed stays as its caption and its reason', async () => {
    const { send, stored, engine } = makeChat();
    const { conversation } = send('x');
    const asked = await engine.next(1);
    const error = { kind: 'out-of-memory', message: 'No memory.', detail: null } as const;
    await asked.emit(
      { kind: 'caption-started' },
      { kind: 'drawing-failed', caption: 'a pear', error },
    );
    await asked.emit(textEvent('Sorry.'));
    await asked.end();
    expect(stored(conversation.id)[1]).toMatchObject({
      status: 'complete',
      parts: [{ kind: 'undrawn', caption: 'a pear', error }, text('Sorry.')],
    });
  });

  test('an empty caption leaves no part', async () => {
    const { send, stored, engine } = makeChat();
    const { conversation } = send('x');
    const asked = await engine.next(1);
    await asked.emit({ kind: 'caption-started' }, { kind: 'caption-finished', caption: '' });
    expect(stored(conversation.id)[1]?.parts).toEqual([]);
    await asked.emit(textEvent('Well.'));
    await asked.end('length');
    expect(stored(conversation.id)[1]).toMatchObject({ status: 'cut', parts: [text('Well.')] });
  });

  test('Stop keeps what was said; a caption that was being written stays undrawn', async () => {
    const { chat, send, stored, engine } = makeChat();
    const { conversation } = send('x');
    const asked = await engine.next(1);
    await asked.emit(
      textEvent('I '),
      { kind: 'caption-started' },
      { kind: 'caption-text', text: 'a p' },
    );
    chat.stop(conversation.id);
    expect(asked.signal?.aborted).toBe(true);
    await asked.end('cancelled');
    expect(stored(conversation.id)[1]).toMatchObject({
      status: 'stopped',
      error: null,
      parts: [text('I '), { kind: 'undrawn', caption: 'a p' }],
    });
  });

  test('a worker that dies under it: interrupted, with the reason, and everything kept', async () => {
    const { send, stored, engine, messages } = makeChat();
    const { conversation } = send('x');
    const asked = await engine.next(1);
    await asked.emit(textEvent('half a sen'));
    await asked.fail(died);
    const [, reply] = stored(conversation.id);
    expect(reply).toMatchObject({
      status: 'interrupted',
      error: { kind: 'worker-crashed' },
      parts: [text('half a sen')],
    });
    expect(messages.at(-1)?.event).toMatchObject({ kind: 'ended', error: reply?.error });
  });

  test('an engine that cannot begin: failed, with its reason', async () => {
    const { send, stored, engine } = makeChat();
    engine.notReady = new StudioError('model-invalid', 'No model.');
    const { conversation } = send('x');
    await settled();
    expect(stored(conversation.id)[1]).toMatchObject({
      status: 'failed',
      error: { kind: 'model-invalid', message: 'No model.' },
    });
  });

  test('events that come after its end change nothing', async () => {
    const { chat, send, stored, engine } = makeChat();
    const { conversation } = send('x');
    const asked = await engine.next(1);
    await asked.emit(textEvent('a'));
    chat.stop(conversation.id);
    await asked.fail(new StudioError('cancelled', 'Given up on.'));
    await asked.emit(textEvent('late'));
    expect(stored(conversation.id)[1]).toMatchObject({ status: 'stopped', parts: [text('a')] });
  });

  test('a disk that refuses ends it, and the window hears why', async () => {
    const { send, engine, database, clock, events, messages } = makeChat();
    send('x');
    const asked = await engine.next(1);
    database.exec(
      `CREATE TRIGGER full BEFORE INSERT ON parts BEGIN SELECT raise(ABORT, 'disk is full'); END`,
    );
    await asked.emit(textEvent('a'));
    clock.advance(flushIntervalMs);
    expect(asked.signal?.aborted).toBe(true);
    await asked.end('cancelled');
    expect(messages.at(-1)?.event).toMatchObject({
      kind: 'ended',
      status: 'failed',
      error: { message: 'disk is full' },
    });
    expect(events.some(({ name }) => name === 'app.problem')).toBe(true);
  });

  test('what the disk refused has not happened, to the window neither', async () => {
    const { chat, send, engine, database, told, stored } = makeChat();
    const { conversation, turnId } = send('x');
    const asked = await engine.next(1);
    await asked.emit(textEvent('a'), { kind: 'caption-started' });
    const seen = chat.snapshot(turnId);
    database.exec(
      `CREATE TRIGGER full BEFORE UPDATE ON parts BEGIN SELECT raise(ABORT, 'disk is full'); END`,
    );
    await asked.emit({ kind: 'caption-finished', caption: 'a pear' });
    expect(told().at(-1)).toBe('caption-started');
    expect(chat.snapshot(turnId)).toEqual(seen);
    // There is room again: what was told until then is kept, with the reason why it ended.
    database.exec('DROP TRIGGER full');
    await asked.end('cancelled');
    expect(stored(conversation.id)[1]).toMatchObject({
      status: 'failed',
      error: { message: 'disk is full' },
      parts: [text('a')],
    });
  });

  test('a turn can be asked for at any moment, and its numbers go on over all its begins', async () => {
    const { chat, send, engine, messages, conversation, turnId } = await cutChat();
    const numbers = () => messages.map(({ sequence }) => sequence);
    expect(chat.snapshot(turnId)).toMatchObject({
      conversationId: conversation.id,
      sequence: numbers().at(-1),
      reply: { status: 'cut', parts: [text('Once ')] },
    });
    chat.continue(turnId);
    const asked = await engine.next(2);
    await asked.emit(textEvent('upon'));
    expect(chat.snapshot(turnId)).toMatchObject({
      sequence: numbers().at(-1),
      reply: { status: 'streaming', parts: [text('Once upon')] },
    });
    expect(chat.open(conversation.id).live).toEqual(chat.snapshot(turnId));
    await asked.end();
    expect(numbers()).toEqual([...numbers().keys()]);
    expect(chat.open(conversation.id).live).toBeNull();
    const unknown = '00000000-0000-4000-8000-000000000000';
    expect(() => chat.snapshot(unknown)).toThrow(expect.objectContaining({ kind: 'not-found' }));
    send('more', conversation.id);
    expect(messages.at(-1)?.sequence).toBe(0);
  });

  test('opened in the middle, the conversation shows what is not stored yet', async () => {
    const { chat, send, engine } = makeChat();
    const { conversation } = send('x');
    const asked = await engine.next(1);
    await asked.emit(textEvent('fresh'));
    expect(chat.open(conversation.id).turns[1]).toMatchObject({
      status: 'streaming',
      parts: [text('fresh')],
    });
    await asked.end();
    expect(chat.open(conversation.id).turns[1]).toMatchObject({ status: 'complete' });
  });
});

describe('several at once', () => {
  test('the second waits for the first; one that waits can be stopped at once', async () => {
    const { chat, send, stored, engine } = makeChat();
    const [first, second, third] = [send('one'), send('two'), send('three')];
    const asked = await engine.next(1);
    await settled();
    expect(engine.asked).toHaveLength(1);
    chat.stop(second.conversation.id);
    expect(stored(second.conversation.id)[1]?.status).toBe('stopped');
    expect(() => send('again', second.conversation.id)).not.toThrow();
    await asked.end();
    const next = await engine.next(2);
    expect((next.body as WorkerRequestBody<'chat.reply'>).turns[0]?.parts).toEqual([text('three')]);
    expect(stored(first.conversation.id)[1]?.status).toBe('complete');
    await next.end();
    await (await engine.next(3)).end();
    expect(stored(third.conversation.id)[1]?.status).toBe('complete');
  });

  test('the app closes: what streams and what waits is stored as interrupted', async () => {
    const { chat, send, stored, engine } = makeChat();
    const [first, second] = [send('one'), send('two')];
    const asked = await engine.next(1);
    await asked.emit(textEvent('half'));
    chat.close();
    expect(stored(first.conversation.id)[1]).toMatchObject({
      status: 'interrupted',
      parts: [text('half')],
    });
    expect(stored(second.conversation.id)[1]).toMatchObject({ status: 'interrupted', parts: [] });
    expect(() => send('three')).toThrow(expect.objectContaining({ kind: 'cancelled' }));
    await asked.fail(died);
    expect(stored(first.conversation.id)[1]?.error).toBeNull();
  });
});

describe('regenerate and continue', () => {
  async function interruptedChat() {
    const made = makeChat();
    const { conversation, turnId } = made.send('Tell me');
    const asked = await made.engine.next(1);
    await asked.emit(textEvent('Once upon '));
    await asked.fail(died);
    return { ...made, conversation, turnId };
  }

  test('continue: the model goes on after the unfinished reply, in the same turn', async () => {
    const { chat, engine, stored, messages, conversation, turnId } = await interruptedChat();
    expect(chat.continue(turnId).turnId).toBe(turnId);
    expect(messages.at(-1)?.event).toMatchObject({
      kind: 'begun',
      turns: [],
      reply: { id: turnId, status: 'streaming', error: null, parts: [text('Once upon ')] },
    });
    const asked = await engine.next(2);
    expect((asked.body as WorkerRequestBody<'chat.reply'>).turns).toEqual([
      { role: 'user', parts: [text('Tell me')] },
      { role: 'assistant', parts: [text('Once upon ')] },
    ]);
    await asked.emit(textEvent('a time.'));
    await asked.end();
    const after = stored(conversation.id);
    expect(after).toHaveLength(2);
    expect(after[1]).toMatchObject({
      id: turnId,
      status: 'complete',
      parts: [text('Once upon a time.')],
    });
    expect(() => chat.continue(turnId)).toThrow(expect.objectContaining({ kind: 'bad-input' }));
  });

  test('continue sums the figures', async () => {
    const { chat, send, engine, stored } = makeChat();
    const { conversation, turnId } = send('x');
    await (await engine.next(1)).end('length');
    chat.continue(turnId);
    await (await engine.next(2)).end();
    expect(stored(conversation.id)[1]?.usage).toMatchObject({ promptTokens: 10, replyTokens: 10 });
  });

  test('regenerate: the model does not see the old reply, and is asked with another seed, not greedily', async () => {
    const { chat, engine, stored, messages, conversation, turnId } = await interruptedChat();
    const fresh = chat.regenerate(turnId).turnId;
    expect(fresh).not.toBe(turnId);
    expect(messages.at(-1)).toMatchObject({
      turnId: fresh,
      event: { kind: 'begun', turns: [], replaces: turnId },
    });
    const [first, second] = [engine.asked[0]!, await engine.next(2)].map(
      ({ body }) => body as WorkerRequestBody<'chat.reply'>,
    );
    expect(second?.turns).toEqual([{ role: 'user', parts: [text('Tell me')] }]);
    expect(first?.sampling.temperature).toBe(0);
    expect(second?.sampling.temperature).toBeGreaterThan(0);
    expect(second?.sampling.seed).not.toBe(first?.sampling.seed);
    await engine.asked[1]!.emit(textEvent('Once more'));
    await engine.asked[1]!.end();
    const { maxNewTokens, ...recipe } = second!.sampling;
    expect(maxNewTokens).toBe(256);
    expect(stored(conversation.id)[1]).toMatchObject({ id: fresh, recipe });
  });

  test('continue: only the last reply', async () => {
    const { chat, send, engine, conversation, turnId } = await interruptedChat();
    send('more', conversation.id);
    await (await engine.next(2)).end();
    expect(() => chat.continue(turnId)).toThrow(expect.objectContaining({ kind: 'bad-input' }));
  });

  test('continue: a drawing that was stopped is drawn first, at its place, and the model then sees it', async () => {
    const { chat, send, engine, stored, told } = makeChat();
    const { conversation, turnId } = send('Draw');
    const first = await engine.next(1);
    await first.emit(textEvent('Here: '), { kind: 'caption-finished', caption: 'a pear' });
    chat.stop(conversation.id);
    await first.end('cancelled');
    expect(stored(conversation.id)[1]?.parts).toMatchObject([text('Here: '), { kind: 'undrawn' }]);
    chat.continue(turnId);
    const drawing = await engine.next(2);
    expect(drawing).toMatchObject({ name: 'draw', body: { caption: 'a pear' } });
    expect(stored(conversation.id)[1]?.parts[1]).toMatchObject({ kind: 'undrawn' });
    await drawing.reply(drawnEvent('a pear', 9));
    await until(() => told().includes('picture'), 'the picture');
    const rest = await engine.next(3);
    expect((rest.body as WorkerRequestBody<'chat.reply'>).turns[1]?.parts).toMatchObject([
      text('Here: '),
      { kind: 'picture', caption: 'a pear' },
    ]);
    await rest.emit(textEvent(' There.'));
    await rest.end();
    expect(stored(conversation.id)[1]).toMatchObject({
      id: turnId,
      status: 'complete',
      parts: [text('Here: '), { kind: 'picture' }, text(' There.')],
    });
  });

  test('continue: a drawing that fails again keeps the new reason, and the words go on', async () => {
    const { chat, send, engine, stored } = makeChat();
    const { conversation, turnId } = send('Draw');
    const first = await engine.next(1);
    await first.emit({ kind: 'caption-finished', caption: 'a pear' });
    chat.stop(conversation.id);
    await first.end('cancelled');
    chat.continue(turnId);
    await (await engine.next(2)).fail(new StudioError('out-of-memory', 'No memory.'));
    const rest = await engine.next(3);
    await rest.emit(textEvent('Sorry.'));
    await rest.end();
    expect(stored(conversation.id)[1]?.parts).toMatchObject([
      { kind: 'undrawn', caption: 'a pear', error: { message: 'No memory.' } },
      text('Sorry.'),
    ]);
  });

  test('a reply that was stopped at once is left out of the next prompt, not the message', async () => {
    const { chat, send, engine } = makeChat();
    const { conversation } = send('one');
    await engine.next(1);
    chat.stop(conversation.id);
    await engine.asked[0]!.end('cancelled');
    send('two', conversation.id);
    const asked = await engine.next(2);
    expect((asked.body as WorkerRequestBody<'chat.reply'>).turns).toEqual([
      { role: 'user', parts: [text('one')] },
      { role: 'user', parts: [text('two')] },
    ]);
  });

  test('a message that was refused is not in the next prompt', async () => {
    const { send, engine } = makeChat();
    const { conversation } = send('much too long');
    await (await engine.next(1)).fail(new StudioError('too-long', 'Too long.'));
    send('short', conversation.id);
    const asked = await engine.next(2);
    expect((asked.body as WorkerRequestBody<'chat.reply'>).turns).toEqual([
      { role: 'user', parts: [text('short')] },
    ]);
  });
});

describe('drawing again', () => {
  async function drawnChat() {
    const made = makeChat();
    const { conversation, turnId } = made.send('Draw');
    const asked = await made.engine.next(1);
    await asked.emit(
      textEvent('See: '),
      { kind: 'caption-started' },
      drawnEvent('a red apple', 1),
      textEvent(' There.'),
    );
    await until(() => made.told().includes('picture'), 'the picture');
    await asked.end();
    await until(() => made.told().includes('ended'), 'the end');
    made.events.length = 0;
    made.messages.length = 0;
    const request = { turnId, partIndex: 1, caption: 'a green apple', seed: 5 };
    return { ...made, conversation, turnId, request };
  }

  test('replaces the picture in its place; the old one stays until then', async () => {
    const { chat, engine, stored, conversation, messages, told, request } = await drawnChat();
    const before = stored(conversation.id)[1]!;
    chat.redraw(request);
    // The place shows at once what is to be drawn there.
    const place = { kind: 'drawing', caption: 'a green apple', previous: before.parts[1] };
    expect(messages[0]?.event).toMatchObject({
      kind: 'begun',
      reply: {
        id: before.id,
        status: 'streaming',
        parts: [before.parts[0], place, before.parts[2]],
      },
    });
    expect(chat.open(conversation.id).turns[1]).toEqual({ ...before, status: 'streaming' });
    const asked = await engine.next(2);
    expect(asked.body).toMatchObject({ caption: 'a green apple', drawing: { seed: 5 } });
    await asked.emit(firstDrawingStep);
    expect(stored(conversation.id)[1]).toEqual(before);
    await asked.reply(drawnEvent('a green apple', 2));
    await until(() => told().includes('ended'), 'the end');
    const after = stored(conversation.id)[1]!;
    expect(after.parts).toMatchObject([
      text('See: '),
      { kind: 'picture', picture: { caption: 'a green apple' } },
      text(' There.'),
    ]);
    expect(after.status).toBe('complete');
    expect(told()).toEqual(['begun', 'drawing-step', 'picture', 'ended']);
    const heard = messages.reduce((turn, { event }) => applyReplyEvent(turn, event), blank);
    expect(heard).toEqual(after);
  });

  test('a failure leaves the picture and tells the window', async () => {
    const { chat, engine, stored, conversation, events, told, request } = await drawnChat();
    const before = stored(conversation.id)[1]!;
    chat.redraw(request);
    await (await engine.next(2)).fail(new StudioError('out-of-memory', 'No memory.'));
    await until(() => told().includes('ended'), 'the end');
    expect(stored(conversation.id)[1]).toEqual(before);
    expect(events.find(({ name }) => name === 'app.problem')?.body).toMatchObject({
      error: { kind: 'out-of-memory' },
    });
  });

  test('Stop leaves the picture and says nothing', async () => {
    const { chat, engine, stored, conversation, events, told, request } = await drawnChat();
    const before = stored(conversation.id)[1]!;
    chat.redraw(request);
    const asked = await engine.next(2);
    chat.stop(conversation.id);
    await asked.fail(new StudioError('cancelled', 'Stopped.'));
    await until(() => told().includes('ended'), 'the end');
    expect(stored(conversation.id)[1]).toEqual(before);
    expect(events.map(({ name }) => name)).not.toContain('app.problem');
  });

  test('draws what was not drawn, and keeps a new reason where it fails again', async () => {
    const { chat, send, engine, stored, told, messages } = makeChat();
    const { conversation, turnId } = send('Draw');
    const error = { kind: 'internal', message: 'Old.', detail: null } as const;
    const asked = await engine.next(1);
    await asked.emit({ kind: 'drawing-failed', caption: 'a pear', error });
    await asked.end();
    const request = { turnId, partIndex: 0, caption: 'a ripe pear', seed: null };
    chat.redraw(request);
    await (await engine.next(2)).fail(new StudioError('out-of-memory', 'New.'));
    await settled();
    expect(stored(conversation.id)[1]?.parts).toMatchObject([
      { kind: 'undrawn', caption: 'a ripe pear', error: { message: 'New.' } },
    ]);
    chat.redraw(request);
    messages.length = 0;
    await (await engine.next(3)).reply(drawnEvent('a ripe pear', 3));
    await until(() => told().includes('picture'), 'the picture');
    expect(stored(conversation.id)[1]?.parts).toMatchObject([{ kind: 'picture' }]);
  });

  test('only drawings of replies', async () => {
    const { chat, request } = await drawnChat();
    expect(() => chat.redraw({ ...request, partIndex: 0 })).toThrow('not a drawing');
    expect(() => chat.redraw({ ...request, partIndex: 9 })).toThrow('not a drawing');
  });
});

describe('what is wished of a reply', () => {
  const bodyOf = async (engine: ScriptedEngine, count: number) =>
    (await engine.next(count)).body as WorkerRequestBody<'chat.reply'>;

  test('is asked of the model, and only of that reply', async () => {
    const { chat, engine, send } = makeChat();
    const parts = [{ kind: 'text' as const, text: 'A cat' }];
    const { conversation } = chat.send({ conversationId: null, parts, wish: 'words' });
    const asked = await engine.next(1);
    expect((asked.body as WorkerRequestBody<'chat.reply'>).wish).toBe('words');
    await asked.emit(textEvent('A cat purrs.'));
    await asked.end();
    await chat.idle();
    send('And a dog', conversation.id);
    expect((await bodyOf(engine, 2)).wish).toBeUndefined();
  });

  test('stays wished when the reply is written anew, and when its message is edited', async () => {
    const { chat, engine, stored } = makeChat();
    const parts = [{ kind: 'text' as const, text: 'A cat' }];
    const { conversation, turnId } = chat.send({ conversationId: null, parts, wish: 'draw' });
    const first = await engine.next(1);
    await first.emit(textEvent('Here.'));
    await first.end();
    await chat.idle();
    chat.regenerate(turnId);
    const second = await engine.next(2);
    expect((second.body as WorkerRequestBody<'chat.reply'>).wish).toBe('draw');
    await second.emit(textEvent('There.'));
    await second.end();
    await chat.idle();
    const [message, reply] = stored(conversation.id);
    expect(reply?.recipe?.wish).toBe('draw');
    chat.edit({ turnId: message!.id, parts: [{ kind: 'text', text: 'A dog' }] });
    expect((await bodyOf(engine, 3)).wish).toBe('draw');
  });

  test('draws though drawing is switched off', async () => {
    const { chat, engine, store } = makeChat();
    const { drawing } = store.settings.get();
    store.settings.set({ drawing: { ...drawing, enabled: false } });
    const parts = [{ kind: 'text' as const, text: 'A cat' }];
    chat.send({ conversationId: null, parts, wish: 'draw' });
    expect((await bodyOf(engine, 1)).drawing.enabled).toBe(true);
    expect(store.settings.get().drawing.enabled).toBe(false);
  });
});
