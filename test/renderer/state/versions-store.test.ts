import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AppReplyBody } from '../../../src/shared/contracts/app-ipc.ts';
import type { Turn } from '../../../src/shared/domain/turn.ts';
import { noVersions } from '../../../src/shared/domain/versions.ts';
import { StudioError } from '../../../src/shared/errors.ts';
import { createApi } from '../../../src/renderer/api.ts';
import { ChatStore } from '../../../src/renderer/state/chat.svelte.ts';
import { VersionsStore } from '../../../src/renderer/state/versions.svelte.ts';
import { id, sampleSummary, sampleTurn } from '../../support/samples.ts';
import { stubBridge, type StubBridge } from '../helpers/stub-bridge.ts';

type Conversation = AppReplyBody<'versions.choose'>;

const conversationId = id(1);
const user = sampleTurn(10, 'user', [{ kind: 'text', text: 'Hello' }]);
const [old, anew] = [11, 12].map((number) =>
  sampleTurn(number, 'assistant', [{ kind: 'text', text: `Reply ${number}` }]),
) as [typeof user, typeof user];
const versions = {
  turns: [[old.id, anew.id]],
  drawings: [{ turnId: anew.id, partIndex: 1, count: 3, current: 2 }],
};
const shownAs = (...turns: (typeof user)[]): Conversation => ({
  summary: sampleSummary(1),
  turns,
  versions,
});

function begin(
  bridge: StubBridge,
  reply: Turn,
  { turns = [], replaces }: { turns?: Turn[]; replaces: string },
): void {
  const event = { kind: 'begun', conversationId, turns, reply, replaces } as const;
  bridge.emit('chat.reply', { turnId: reply.id, sequence: 0, event });
}

async function opened(answers: Parameters<typeof stubBridge>[0]) {
  const bridge = stubBridge({
    'conversations.open': () => ({ ...shownAs(user, anew), live: null }),
    ...answers,
  });
  const api = createApi(bridge);
  const chat = new ChatStore(api);
  const store = new VersionsStore(api, chat);
  await chat.open(conversationId);
  return { bridge, chat, store };
}

describe('VersionsStore', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('knows where a turn and a drawing stand among their versions', async () => {
    const { store } = await opened({});
    expect(store.ofTurn(anew.id)).toEqual({ index: 1, count: 2 });
    expect(store.ofTurn(user.id)).toBeNull();
    expect(store.ofDrawing(anew.id, 1)).toEqual({ index: 2, count: 3 });
    expect(store.ofDrawing(anew.id, 0)).toBeNull();
    expect(store.placeKey(anew.id)).toBe(store.placeKey(old.id));
    expect(store.placeKey(user.id)).toBe(user.id);
  });

  it('shows the version that was chosen, and says why where it could not be', async () => {
    let refuses = false;
    const { bridge, chat, store } = await opened({
      'versions.choose': () => {
        if (refuses) throw new StudioError('busy', 'A reply is being written here.');
        return shownAs(user, old);
      },
    });
    await store.choose(anew.id, 0);
    expect(bridge.asked.at(-1)).toEqual({ name: 'versions.choose', body: { turnId: old.id } });
    expect(chat.turns).toEqual([user, old]);
    refuses = true;
    await store.choose(old.id, 1);
    expect(chat.turns).toEqual([user, old]);
    expect(chat.actionError).toBe('A reply is being written here.');
    await store.choose(old.id, 2);
    expect(bridge.asked).toHaveLength(3);
  });

  it('offers to undo a deletion for a while', async () => {
    const deletionId = id(99);
    const { bridge, chat, store } = await opened({
      'versions.delete': () => ({ deletionId, conversation: shownAs(user, old) }),
      'versions.restore': () => shownAs(user, anew),
    });
    await store.remove(anew.id, 'This version of the reply');
    expect(chat.turns).toEqual([user, old]);
    expect(store.undo).toMatchObject({ deletionId, what: 'This version of the reply' });
    expect(await store.restore()).toBe(conversationId);
    expect(bridge.asked.at(-1)).toEqual({ name: 'versions.restore', body: { deletionId } });
    expect(chat.turns).toEqual([user, anew]);
    expect([store.undo, await store.restore()]).toEqual([null, null]);
    await store.remove(anew.id, 'It');
    vi.advanceTimersByTime(12_000);
    expect(store.undo).toBeNull();
  });

  it('closes the editor when the message was sent, and keeps it open when it was refused', async () => {
    let refuses = true;
    const edited = sampleTurn(13, 'user', [{ kind: 'text', text: 'Hi' }]);
    const reply = sampleTurn(14, 'assistant', [], { status: 'streaming' });
    const { bridge, chat, store } = await opened({
      'chat.edit': () => {
        if (refuses) throw new StudioError('busy', 'Busy.');
        return { conversation: sampleSummary(1), turnId: reply.id };
      },
    });
    store.editing = user.id;
    expect(await store.edit(user.id, [{ kind: 'text', text: 'Hi' }])).toBe(false);
    expect(store.editing).toBe(user.id);
    refuses = false;
    begin(bridge, reply, { turns: [edited], replaces: user.id });
    expect(await store.edit(user.id, [{ kind: 'text', text: 'Hi' }])).toBe(true);
    expect(store.editing).toBeNull();
    expect(chat.turns).toEqual([edited, reply]);
  });
});

describe('a version that says nothing', () => {
  it('stands in the place of the one before it and all that follows, leaves, and they are shown again', async () => {
    const streaming = { ...old, id: id(15), parts: [], status: 'streaming' as const };
    const later = sampleTurn(16, 'user', [{ kind: 'text', text: 'More' }]);
    const { bridge, chat } = await opened({
      'conversations.open': () => ({ ...shownAs(user, old, later), live: null }),
      'chat.regenerate': () => ({ conversation: sampleSummary(1), turnId: streaming.id }),
    });
    begin(bridge, streaming, { replaces: old.id });
    await chat.regenerate(old.id);
    expect(chat.turns).toEqual([user, streaming]);
    expect(chat.isStreaming(conversationId)).toBe(true);
    bridge.emit('chat.path', shownAs(user, old, later));
    expect(chat.turns).toEqual([user, old, later]);
    expect(chat.isStreaming(conversationId)).toBe(false);
    bridge.emit('chat.versions', { conversationId, versions: noVersions });
    expect(chat.versions).toEqual(noVersions);
    bridge.emit('chat.versions', { conversationId: id(2), versions });
    expect(chat.versions).toEqual(noVersions);
  });
});
