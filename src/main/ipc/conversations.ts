import { setImmediate } from 'node:timers/promises';
import { StudioError } from '../../shared/errors.ts';
import type { ConversationSummary } from '../../shared/domain/conversation.ts';
import type {
  ConversationList,
  ConversationLists,
  SearchRequest,
} from '../database/conversation-lists.ts';
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
  const list = createListing(store.conversations);
  return {
    async 'conversations.list'({ query, filter = {}, limit, offset }) {
      const found = await list({ typed: query?.trim() ?? '', filter, limit, offset });
      return { ...found, conversations: [...found.conversations] };
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

type Listing = Pick<ConversationLists, 'list' | 'beginSearch' | 'searchOn'>;

/**
 * The list, or what a search finds, piece by piece: whatever else main is asked comes in between, and a newer question
 * ends it.
 */
function createListing(lists: Listing): (request: SearchRequest) => Promise<ConversationList> {
  let asked = 0;
  return async (request) => {
    asked += 1;
    const number = asked;
    if (request.typed === '') return lists.list(request.limit, request.offset, request.filter);
    const underWay = lists.beginSearch(request);
    for (;;) {
      const list = lists.searchOn(underWay);
      if (list !== null) return list;
      await setImmediate();
      if (number !== asked) return { conversations: [], total: 0, isMore: false };
    }
  };
}
