import { randomUUID } from 'node:crypto';
import type { AppReplyBody, AppRequestBody } from '../../shared/contracts/app-ipc.ts';
import type { Conversation } from '../../shared/domain/conversation.ts';
import { StudioError } from '../../shared/errors.ts';
import type { Deletion } from '../database/versions.ts';
import type { ChatService } from './chat-service.ts';
import type { ChatDependencies } from './live-task.ts';

type Deleted = AppReplyBody<'versions.delete'>;

/** Chooses, takes away and brings back versions. None of it happens under a reply that is being written there. */
export class VersionService {
  readonly #deps: Pick<ChatDependencies, 'store' | 'clock' | 'emit'>;
  readonly #chat: Pick<ChatService, 'find' | 'mustBeIdle' | 'open'>;

  constructor(
    deps: Pick<ChatDependencies, 'store' | 'clock' | 'emit'>,
    chat: Pick<ChatService, 'find' | 'mustBeIdle' | 'open'>,
  ) {
    this.#deps = deps;
    this.#chat = chat;
  }

  choose(turnId: string): Conversation {
    const conversationId = this.#idleConversationOf(turnId);
    this.#deps.store.versions.choose(turnId);
    return this.#open(conversationId);
  }

  chooseDrawing(request: AppRequestBody<'versions.chooseDrawing'>): Conversation {
    const { turnId, partIndex, index } = request;
    const conversationId = this.#idleConversationOf(turnId);
    if (!this.#deps.store.versions.chooseDrawing(turnId, partIndex, index)) {
      throw new StudioError('not-found', `There is no drawing ${index} at part ${partIndex}.`);
    }
    return this.#open(conversationId);
  }

  /** Takes one of several versions away, or a whole exchange. */
  delete(turnId: string): Deleted {
    const { conversationId, turn } = this.#chat.find(turnId);
    this.#chat.mustBeIdle(conversationId);
    const { versions } = this.#deps.store;
    if (versions.count(turnId) > 1) {
      return this.#remove(conversationId, (made) => versions.removeVersion(turnId, made));
    }
    if (turn.role === 'assistant') {
      throw new StudioError(
        'bad-input',
        'This is the only version of the reply. Delete the message that it answers, or write it anew first.',
      );
    }
    return this.#remove(conversationId, (made) => versions.removeExchange(turnId, made));
  }

  deleteDrawing({ turnId, partIndex }: AppRequestBody<'versions.deleteDrawing'>): Deleted {
    const conversationId = this.#idleConversationOf(turnId);
    const { versions } = this.#deps.store;
    if (versions.countDrawings(turnId, partIndex) < 2) {
      throw new StudioError('bad-input', 'This is the only drawing at its place.');
    }
    return this.#remove(conversationId, (made) => versions.removeDrawing(turnId, partIndex, made));
  }

  /** Brings back what one deletion took away. */
  restore(deletionId: string): Conversation {
    const { store } = this.#deps;
    const conversationId = store.transaction(() => {
      const found = store.versions.restore(deletionId);
      if (found !== null) this.#chat.mustBeIdle(found);
      return found;
    });
    if (conversationId === null) {
      throw new StudioError('not-found', 'What was deleted is no longer there.');
    }
    return this.#tell(this.#open(conversationId));
  }

  #remove(conversationId: string, take: (deletion: Deletion) => void): Deleted {
    const deletion = { id: randomUUID(), at: this.#deps.clock.now() };
    this.#deps.store.transaction(() => take(deletion));
    return { deletionId: deletion.id, conversation: this.#tell(this.#open(conversationId)) };
  }

  /** Nothing is being written in it. */
  #open(conversationId: string): Conversation {
    const { summary, turns, versions } = this.#chat.open(conversationId);
    return { summary, turns, versions };
  }

  #tell(conversation: Conversation): Conversation {
    const { emit } = this.#deps;
    emit('conversations.changed', { conversation: conversation.summary, removed: false });
    return conversation;
  }

  #idleConversationOf(turnId: string): string {
    const { conversationId } = this.#chat.find(turnId);
    this.#chat.mustBeIdle(conversationId);
    return conversationId;
  }
}
