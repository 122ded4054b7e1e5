import { StudioError } from '../../shared/errors.ts';
import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about versions, and about what was deleted. */
export function versionHandlers({
  versions,
  store,
  chat,
}: AppServices): DomainHandlers<'versions'> {
  return {
    'versions.drawings'({ turnId, partIndex }) {
      chat.find(turnId);
      return store.versions.drawingsAt(turnId, partIndex);
    },
    'versions.choose': ({ turnId }) => versions.choose(turnId),
    'versions.chooseDrawing': (request) => versions.chooseDrawing(request),
    'versions.delete': ({ turnId }) => versions.delete(turnId),
    'versions.deleteDrawing': (request) => versions.deleteDrawing(request),
    'versions.restore': ({ deletionId }) => versions.restore(deletionId),
  };
}

/** Requests about deleted conversations. */
export function trashHandlers({ store, erasure }: AppServices): DomainHandlers<'trash'> {
  const { conversations } = store;
  return {
    'trash.list'({ limit, offset }) {
      const list = conversations.deleted(limit, offset);
      return { conversations: [...list.conversations], total: list.total };
    },
    'trash.delete'({ conversationId }) {
      if (
        !conversations.isKnown(conversationId) ||
        conversations.summary(conversationId) !== null
      ) {
        throw new StudioError(
          'not-found',
          `There is no conversation ${conversationId} in the trash.`,
        );
      }
      return erasure.erase([conversationId]).then(() => null);
    },
    async 'trash.empty'() {
      const { total } = conversations.deleted(1, 0);
      const list = conversations.deleted(total, 0).conversations;
      await erasure.erase(list.map(({ id }) => id));
      return { deleted: list.length };
    },
  };
}
