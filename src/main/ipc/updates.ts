import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about newer versions of the app. */
export function updateHandlers({
  updates,
}: Pick<AppServices, 'updates'>): DomainHandlers<'updates'> {
  return {
    'updates.status': () => updates.status(),
    'updates.look': () => updates.look(),
    'updates.download': () => updates.download(),
    'updates.stop'() {
      updates.stop();
      return null;
    },
    'updates.install': () => updates.install(),
  };
}
