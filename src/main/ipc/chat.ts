import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about replies. */
export function chatHandlers({ chat }: AppServices): DomainHandlers<'chat'> {
  return {
    'chat.send': (request) => chat.send(request),
    'chat.edit': (request) => chat.edit(request),
    'chat.shorten': ({ turnId }) => chat.shorten(turnId),
    'chat.stop'({ conversationId }) {
      chat.stop(conversationId);
      return null;
    },
    'chat.measure': (request) => chat.measure(request),
    'chat.trim': (request) => chat.trim(request),
    'chat.regenerate': ({ turnId, sampling }) => chat.regenerate(turnId, sampling),
    'chat.continue': ({ turnId }) => chat.continue(turnId),
    'chat.redraw': (request) => chat.redraw(request),
    'chat.rate'({ turnId, rating }) {
      chat.rate(turnId, rating);
      return null;
    },
    'chat.turn': ({ turnId }) => chat.snapshot(turnId),
  };
}
