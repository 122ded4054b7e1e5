import { describe, expect, it } from 'vitest';
import { createApi } from '../../../src/renderer/api.ts';
import { ChatStore } from '../../../src/renderer/state/chat.svelte.ts';
import type { AppReplyBody } from '../../../src/shared/contracts/app-ipc.ts';
import type { Turn } from '../../../src/shared/domain/turn.ts';
import { StudioError } from '../../../src/shared/errors.ts';
import { id, samplePicture, sampleSummary, sampleTurn } from '../helpers/samples.ts';
import { deferred, stubBridge } from '../helpers/stub-bridge.ts';

type Started = AppReplyBody<'chat.send'>;
const parts = [{ kind: 'text', text: 'Hello' }] as const;
const conversationId = id(1);
const user = sampleTurn(10, 'user', [{ kind: 'text', text: 'Hello' }]);
const blank = sampleTurn(11, 'assistant', [], { status: 'streaming' });
const started: Started = { conversation: sampleSummary(1), turns: [user, blank] };

function words(store: ChatStore, turnId: string): string | undefined {
  const part = store.turns.find((turn) => turn.id === turnId)?.parts[0];
  return part?.kind === 'text' ? part.text : undefined;
}

describe('ChatStore', () => {
  it('shows the turns of a message and lets the reply stream into its own', async () => {
    const bridge = stubBridge({ 'chat.send': () => started });
    const store = new ChatStore(createApi(bridge));
    expect(await store.send(parts)).toBe(true);
    expect(store.conversationId).toBe(conversationId);
    bridge.emit('chat.text', { conversationId, turnId: blank.id, partIndex: 0, text: 'Hi ' });
    bridge.emit('chat.text', { conversationId, turnId: blank.id, partIndex: 0, text: 'you.' });
    expect(words(store, blank.id)).toBe('Hi you.');
    expect(store.streamingTurn?.id).toBe(blank.id);
    const done: Turn = { ...blank, status: 'complete', parts: [{ kind: 'text', text: 'Hi you.' }] };
    bridge.emit('chat.turn', { conversationId, turn: done });
    expect(store.streamingTurn).toBeNull();
    expect(store.isStreaming(conversationId)).toBe(false);
    expect(store.turns.map(({ status }) => status)).toEqual(['complete', 'complete']);
  });

  it('keeps events of a turn it does not know yet, and plays them once it does', async () => {
    const answer = deferred<Started>();
    const bridge = stubBridge({ 'chat.send': () => answer.promise });
    const store = new ChatStore(createApi(bridge));
    const sent = store.send(parts);
    bridge.emit('chat.text', { conversationId, turnId: blank.id, partIndex: 0, text: 'Early ' });
    bridge.emit('chat.text', { conversationId, turnId: blank.id, partIndex: 0, text: 'words.' });
    expect(store.turns).toEqual([]);
    answer.resolve(started);
    await sent;
    expect(words(store, blank.id)).toBe('Early words.');
  });

  it('does not go back to streaming when a reply ended before its request was answered', async () => {
    const answer = deferred<Started>();
    const bridge = stubBridge({ 'chat.send': () => answer.promise });
    const store = new ChatStore(createApi(bridge));
    const sent = store.send(parts);
    const error = { kind: 'model-invalid', message: 'No model.', detail: null } as const;
    bridge.emit('chat.turn', { conversationId, turn: { ...blank, status: 'failed', error } });
    answer.resolve(started);
    await sent;
    expect(store.turns.at(-1)?.status).toBe('failed');
    expect(store.streamingTurn).toBeNull();
  });

  it('drops events of turns that nothing ever claims, without growing for ever', () => {
    const bridge = stubBridge({});
    const store = new ChatStore(createApi(bridge));
    for (let turn = 0; turn < 100; turn += 1) {
      bridge.emit('chat.text', { conversationId, turnId: id(500 + turn), partIndex: 0, text: 'x' });
    }
    expect(store.turns).toEqual([]);
  });

  it('follows a reply in a conversation that was left, and shows it whole on return', async () => {
    const bridge = stubBridge({
      'chat.send': () => started,
      'conversations.open': ({ conversationId: wanted }) => ({
        summary: sampleSummary(wanted === conversationId ? 1 : 2),
        // What the disk has is behind what was streamed.
        turns: wanted === conversationId ? [user, blank] : [],
      }),
    });
    const store = new ChatStore(createApi(bridge));
    await store.send(parts);
    await store.open(id(2));
    bridge.emit('chat.text', { conversationId, turnId: blank.id, partIndex: 0, text: 'Unseen.' });
    expect(store.turns).toEqual([]);
    expect(store.busyElsewhere).toBe(conversationId);
    await store.open(conversationId);
    expect(words(store, blank.id)).toBe('Unseen.');
    expect(store.busyElsewhere).toBeNull();
  });

  it('ignores the answer for a conversation that was left meanwhile', async () => {
    const slow = deferred<AppReplyBody<'conversations.open'>>();
    const bridge = stubBridge({
      'conversations.open': ({ conversationId: wanted }) =>
        wanted === conversationId ? slow.promise : { summary: sampleSummary(2), turns: [] },
    });
    const store = new ChatStore(createApi(bridge));
    const first = store.open(conversationId);
    await store.open(id(2));
    slow.resolve({ summary: sampleSummary(1), turns: [user] });
    await first;
    expect(store.conversationId).toBe(id(2));
  });

  it('puts a new reply in the place of the one it replaces', async () => {
    const old = sampleTurn(11, 'assistant', [{ kind: 'text', text: 'Old.' }]);
    const fresh = sampleTurn(12, 'assistant', [], { status: 'streaming' });
    const bridge = stubBridge({
      'conversations.open': () => ({ summary: sampleSummary(1), turns: [user, old] }),
      'chat.regenerate': () => ({ conversation: sampleSummary(1), turns: [fresh] }),
    });
    const store = new ChatStore(createApi(bridge));
    await store.open(conversationId);
    await store.regenerate(old.id);
    expect(store.turns.map((turn) => turn.id)).toEqual([user.id, fresh.id]);
  });

  it('goes on with a known turn, events first or answer first', async () => {
    const cut = sampleTurn(11, 'assistant', [{ kind: 'text', text: 'Once' }], { status: 'cut' });
    const answer = deferred<Started>();
    const bridge = stubBridge({
      'conversations.open': () => ({ summary: sampleSummary(1), turns: [user, cut] }),
      'chat.continue': () => answer.promise,
    });
    const store = new ChatStore(createApi(bridge));
    await store.open(conversationId);
    const going = store.continueReply(cut.id);
    bridge.emit('chat.text', { conversationId, turnId: cut.id, partIndex: 0, text: ' upon' });
    answer.resolve({ conversation: sampleSummary(1), turns: [{ ...cut, status: 'streaming' }] });
    await going;
    bridge.emit('chat.text', { conversationId, turnId: cut.id, partIndex: 0, text: ' a time' });
    expect(words(store, cut.id)).toBe('Once upon a time');
  });

  it('shows the new caption at once when a picture is drawn again', async () => {
    const drawn = sampleTurn(11, 'assistant', [{ kind: 'picture', picture: samplePicture(5) }]);
    const bridge = stubBridge({
      'conversations.open': () => ({ summary: sampleSummary(1), turns: [user, drawn] }),
      'chat.redraw': () => ({
        conversation: sampleSummary(1),
        turns: [{ ...drawn, status: 'streaming' }],
      }),
    });
    const store = new ChatStore(createApi(bridge));
    await store.open(conversationId);
    await store.redraw(drawn.id, 0, 'a blue apple');
    expect(store.turns.at(-1)?.parts[0]).toMatchObject({
      kind: 'drawing',
      caption: 'a blue apple',
    });
    expect(bridge.asked.at(-1)?.body).toMatchObject({ caption: 'a blue apple', seed: null });
  });

  it('says why a message was refused and keeps what is shown', async () => {
    const bridge = stubBridge({
      'chat.send': () => {
        throw new StudioError('busy', 'A reply is being written in this conversation.');
      },
    });
    const store = new ChatStore(createApi(bridge));
    expect(await store.send(parts)).toBe(false);
    expect(store.actionError).toBe('A reply is being written in this conversation.');
    expect(store.starting).toBe(false);
    expect(store.turns).toEqual([]);
  });

  it('shows a conversation that cannot be opened as an error in its place', async () => {
    const store = new ChatStore(createApi(stubBridge({})));
    await store.open(conversationId);
    expect(store.openError).toBe('No answer to conversations.open.');
    expect(store.opening).toBe(false);
  });

  it('reports an answer that breaks the contract', async () => {
    const store = new ChatStore(createApi(stubBridge({ 'chat.send': () => ({}) as never })));
    expect(await store.send(parts)).toBe(false);
    expect(store.actionError).toContain('could not be read');
  });
});
