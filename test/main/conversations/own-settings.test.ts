// What one conversation is answered by, and how much of the model's context a message takes.
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/base/log.ts';
import { ChatService } from '../../../src/main/conversations/chat-service.ts';
import { createPictureStore } from '../../../src/main/pictures/store.ts';
import type { WorkerRequestBody } from '../../../src/shared/contracts/worker-protocol.ts';
import { drawingSchema, samplingSchema } from '../../../src/shared/domain/settings.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ScriptedEngine } from '../support/scripted-engine.ts';
import { openTestStorage } from '../support/storage.ts';

function makeChat() {
  const { store, folder } = openTestStorage();
  const pictures = createPictureStore(path.join(folder, 'pictures'), store.pictures);
  const engine = new ScriptedEngine();
  const emit = (): void => undefined;
  const chat = new ChatService({
    ...{ store, pictures, engine, emit },
    clock: new FakeClock(),
    log: silentLogger,
  });
  const says = (text: string) => [{ kind: 'text' as const, text }];
  /** Sends words and lets the model answer; the message's and the reply's ids. */
  const talk = async (words: string, conversationId: string | null = null) => {
    const started = chat.send({ conversationId, parts: says(words) });
    const asked = await engine.next(engine.asked.length + 1);
    await asked.emit({ kind: 'text', text: `Re: ${words}` });
    await asked.end();
    await chat.idle();
    return { id: started.conversation.id, replyId: started.turnId };
  };
  return { store, engine, chat, says, talk };
}

const warm = samplingSchema.parse({ temperature: 0.8, topP: 0.9, topK: 40, maxNewTokens: 64 });
const small = drawingSchema.parse({ steps: 7, size: { width: 64, height: 96 } });

describe('settings of one conversation', () => {
  test("are those that its replies are asked with, and no other conversation's", async () => {
    const { chat, engine, says, store } = makeChat();
    const settings = { system: '  Be brief. ', sampling: warm, drawing: small };
    const { conversation } = chat.send({ conversationId: null, parts: says('Hi'), settings });
    const first = await engine.next(1);
    expect(first.body).toMatchObject({
      system: 'Be brief.',
      sampling: { temperature: 0.8, topP: 0.9, topK: 40, maxNewTokens: 64 },
      drawing: { steps: 7, size: { width: 64, height: 96 } },
    });
    await first.end();
    expect(store.conversations.settings(conversation.id)).toEqual(settings);
    chat.send({ conversationId: null, parts: says('Hi') });
    const second: WorkerRequestBody<'chat.reply'> = (await engine.next(2)).body;
    expect(second.system).toBeUndefined();
    expect(second.sampling.temperature).toBe(0);
    expect(second.drawing.size).toBeUndefined();
  });

  test('that cannot be read are those of everywhere', () => {
    const { store } = makeChat();
    const id = randomUUID();
    store.conversations.create(id, 'x', 1);
    store.conversations.keepSettings(id, { system: 7 } as never);
    expect(store.conversations.settings(id)).toEqual({});
    store.conversations.keepSettings(id, {});
    expect(store.records.read(id)).not.toHaveProperty('settings');
  });

  test('a reply may be written anew with other ones, that time alone', async () => {
    const { chat, engine, talk, store } = makeChat();
    const { id, replyId } = await talk('Hi');
    const chosen = { temperature: 0, topK: 5, topP: 0.5, seed: 7 };
    const { turnId } = chat.regenerate(replyId, chosen);
    const asked = await engine.next(2);
    expect(asked.body).toMatchObject({ sampling: { ...chosen, maxNewTokens: 256 } });
    await asked.emit({ kind: 'text', text: 'Anew' });
    await asked.end();
    expect(store.turns.find(turnId)?.turn.recipe).toEqual(chosen);
    expect(store.conversations.settings(id)).toEqual({});
  });
});

describe('what a message takes', () => {
  test('is asked with the turns before it, and names the turn from which on they are read', async () => {
    const { chat, engine, says, talk } = makeChat();
    const { id } = await talk('One');
    await talk('Two', id);
    const turns = chat.open(id).turns;
    const request = { conversationId: id, turnId: null, parts: says('Three') };
    const measuring = chat.measure(request);
    const asked = await engine.next(3);
    expect(asked.body).toMatchObject({ maxNewTokens: 256, message: says('Three') });
    expect((asked.body as WorkerRequestBody<'prompt.measure'>).turns).toHaveLength(4);
    await asked.reply({ tokens: 40, messageTokens: 9, room: 44, firstTurn: 2 });
    const measured = { tokens: 40, messageTokens: 9, room: 44 };
    expect(await measuring).toEqual({ ...measured, readsFrom: turns[2]!.id });
    const edited = chat.measure({ ...request, turnId: turns[2]!.id, parts: [] });
    const second = await engine.next(4);
    expect((second.body as WorkerRequestBody<'prompt.measure'>).turns).toHaveLength(2);
    await second.reply({ tokens: 9, messageTokens: 9, room: 44, firstTurn: 2 });
    expect(await edited).toMatchObject({ readsFrom: 'message' });
  });

  test('a message that is not sent yet is shortened by the engine', async () => {
    const { chat, engine, says } = makeChat();
    const settings = { system: 'Be brief.' };
    const trimming = chat.trim({
      conversationId: null,
      turnId: null,
      parts: says('a b c'),
      settings,
    });
    const asked = await engine.next(1);
    expect(asked.body).toMatchObject({ system: 'Be brief.', parts: says('a b c') });
    await asked.reply({ parts: says('a … c') });
    expect(await trimming).toEqual({ parts: says('a … c') });
  });
});
