import { draftsMoved } from '../old-drafts.ts';
import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about drafts. */
export function draftHandlers({ store }: AppServices): DomainHandlers<'drafts'> {
  return {
    'drafts.list': () => ({ drafts: store.drafts.list().map((each) => ({ ...each })) }),
    'drafts.keep'({ key, draft }) {
      store.drafts.keep(key, draft);
      return null;
    },
    'drafts.moved'() {
      store.settings.keepState(draftsMoved, true);
      return null;
    },
  };
}
