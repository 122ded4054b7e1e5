import { setImmediate } from 'node:timers/promises';
import { StudioError } from '../../shared/errors.ts';
import type { ConversationSummary } from '../../shared/domain/conversation.ts';
import type { ConversationList, SearchRequest } from '../database/conversation-lists.ts';
import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about conversations. */
export function conversationHandlers(services: AppServices): DomainHandlers<'conversations'> {
  const { store, chat, clock, emit } = services;
  const told = (summary: ConversationSummary, removed: boolean): ConversationSummary => {
    emit('conversations.changed', { conversation: summary, removed });
    return summary;
  };
  const summaryOf = (id: string): ConversationSummary => {
    const summary = store.conversations.summary(id);
    if (summary === null) throw new StudioError('not-found', `There is no conversation ${id}.`);
    return summary;
  };
  let asked = 0;
  /** Piece by piece: whatever else main is asked comes in between, and a newer search ends it. */
  const search = async (request: SearchRequest, number: number): Promise<ConversationList> => {
    const underWay = store.conversations.beginSearch(request);
    for (;;) {
      const list = store.conversations.searchOn(underWay);
      if (list !== null) return list;
      await setImmediate();
      if (number !== asked) return { conversations: [], total: 0, isMore: false };
    }
  };
  return {
    async 'conversations.list'({ query, filter = {}, limit, offset }) {
      const typed = query?.trim() ?? '';
      asked += 1;
      const list =
        typed === ''
          ? store.conversations.list(limit, offset, filter)
          : await search({ typed, filter, limit, offset }, asked);
      return { ...list, conversations: [...list.conversations] };
    },
    'conversations.filters': () => store.conversations.filterWords(),
    'conversations.mark'({ conversationId, marks }) {
      summaryOf(conversationId);
      store.conversations.mark(conversationId, marks);
      return told(summaryOf(conversationId), false);
    },
    'conversations.settings'({ conversationId }) {
      summaryOf(conversationId);
      return store.conversations.settings(conversationId);
    },
    'conversations.setSettings'({ conversationId, settings }) {
      summaryOf(conversationId);
      store.conversations.keepSettings(conversationId, settings);
      return store.conversations.settings(conversationId);
    },
    'conversations.findPlace': ({ conversationId, query }) =>
      store.conversations.findPlace(conversationId, query),
    'conversations.open': ({ conversationId }) => chat.open(conversationId),
    'conversations.rename'({ conversationId, title }) {
      summaryOf(conversationId);
      store.conversations.rename(conversationId, title);
      return told(summaryOf(conversationId), false);
    },
    'conversations.delete'({ conversationId }) {
      const summary = summaryOf(conversationId);
      chat.stop(conversationId);
      store.conversations.remove(conversationId, clock.now());
      told(summary, true);
      return null;
    },
    'conversations.restore'({ conversationId }) {
      store.conversations.restore(conversationId);
      return told(summaryOf(conversationId), false);
    },
  };
}
