import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createApi } from '../../../src/renderer/api.ts';
import { ConversationsStore } from '../../../src/renderer/state/conversations.svelte.ts';
import { StudioError } from '../../../src/shared/errors.ts';
import { id, sampleSummary } from '../../support/samples.ts';
import { stubBridge } from '../helpers/stub-bridge.ts';

const all = [3, 2, 1].map((number) => sampleSummary(number));
const list = ({ query }: { query: string | null }) => {
  const found = query === null ? all : all.filter(({ title }) => title.includes(query));
  return { conversations: found, total: found.length, isMore: false };
};

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('ConversationsStore', () => {
  it('puts what changed on top and counts what is new', async () => {
    const bridge = stubBridge({ 'conversations.list': list });
    const store = new ConversationsStore(createApi(bridge));
    await store.load();
    const changed = { ...sampleSummary(1), updatedAt: 99 };
    bridge.emit('conversations.changed', { conversation: changed, removed: false });
    expect(store.items.map((item) => item.id)).toEqual([id(1), id(3), id(2)]);
    bridge.emit('conversations.changed', {
      conversation: sampleSummary(4, { updatedAt: 100 }),
      removed: false,
    });
    expect(store.items[0]?.id).toBe(id(4));
    expect(store.total).toBe(4);
  });

  it('searches once typing pauses, with the last words only', async () => {
    const bridge = stubBridge({ 'conversations.list': list });
    const store = new ConversationsStore(createApi(bridge));
    store.search('Conv');
    store.search('Conversation 2');
    await vi.advanceTimersByTimeAsync(200);
    expect(bridge.asked.map(({ body }) => body)).toEqual([
      { query: 'Conversation 2', limit: 100, offset: 0 },
    ]);
    expect(store.items.map((item) => item.id)).toEqual([id(2)]);
  });

  it('keeps a search as it was found when something else changes', async () => {
    const bridge = stubBridge({ 'conversations.list': list });
    const store = new ConversationsStore(createApi(bridge));
    store.search('Conversation 2');
    await vi.advanceTimersByTimeAsync(200);
    bridge.emit('conversations.changed', {
      conversation: sampleSummary(9, { updatedAt: 999 }),
      removed: false,
    });
    expect(store.items.map((item) => item.id)).toEqual([id(2)]);
  });

  it('deletes with a way back, which passes after a while', async () => {
    const bridge = stubBridge({
      'conversations.list': list,
      'conversations.delete': () => null,
      'conversations.restore': ({ conversationId }) =>
        all.find((item) => item.id === conversationId)!,
    });
    const store = new ConversationsStore(createApi(bridge));
    await store.load();
    await store.remove(all[1]!);
    expect(store.items.map((item) => item.id)).toEqual([id(3), id(1)]);
    expect(store.undo?.id).toBe(id(2));
    await store.restore();
    expect(store.items.map((item) => item.id)).toEqual([id(3), id(2), id(1)]);
    expect(store.total).toBe(3);
    await store.remove(all[1]!);
    await vi.advanceTimersByTimeAsync(10_001);
    expect(store.undo).toBeNull();
    expect(await store.restore()).toBeNull();
  });

  it('keeps a conversation that could not be deleted, and says why', async () => {
    const bridge = stubBridge({
      'conversations.list': list,
      'conversations.delete': () => {
        throw new StudioError('storage', 'The disk is full.');
      },
    });
    const store = new ConversationsStore(createApi(bridge));
    await store.load();
    expect(await store.remove(all[0]!)).toBe(false);
    expect(store.items).toHaveLength(3);
    expect(store.error).toBe('The disk is full.');
  });

  it('returns what was wrong with a new title', async () => {
    const bridge = stubBridge({
      'conversations.rename': () => {
        throw new StudioError('bad-input', 'A title needs words.');
      },
    });
    const store = new ConversationsStore(createApi(bridge));
    expect(await store.rename(id(1), '?')).toBe('A title needs words.');
  });
});
