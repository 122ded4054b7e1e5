import { StudioError } from '../../shared/errors.ts';
import type { ConversationSummary } from '../../shared/domain/conversation.ts';
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
  return {
    'conversations.list'({ query, limit, offset }) {
      const typed = query?.trim() ?? '';
      const list =
        typed === ''
          ? store.conversations.list(limit, offset)
          : store.conversations.search(typed, limit, offset);
      return { conversations: [...list.conversations], total: list.total };
    },
    'conversations.findPlace': ({ conversationId, query }) =>
      store.conversations.findPlace(conversationId, query),
    'conversations.known': ({ conversationIds }) => ({
      conversationIds: conversationIds.filter((id) => store.conversations.isKnown(id)),
    }),
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
