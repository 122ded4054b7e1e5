import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about what goes out of the app and comes back. */
export function exchangeHandlers({ exchange }: AppServices): DomainHandlers<'exchange'> {
  return {
    'exchange.export': ({ conversationIds, format }) => exchange.export(conversationIds, format),
    'exchange.choose': () => exchange.choose(),
    'exchange.copies': () => ({ copies: exchange.copies() }),
    'exchange.openCopy': ({ file }) => exchange.offerCopy(file),
    'exchange.import': ({ offerId }) => exchange.import(offerId),
    'exchange.forget'() {
      exchange.forget();
      return null;
    },
    'exchange.stop'() {
      exchange.stop();
      return null;
    },
    'exchange.show'() {
      exchange.show();
      return null;
    },
  };
}
