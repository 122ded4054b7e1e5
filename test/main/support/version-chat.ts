import path from 'node:path';
import type { AppEventBody, AppEventName } from '../../../src/shared/contracts/app-ipc.ts';
import type { Turn } from '../../../src/shared/domain/turn.ts';
import { ChatService } from '../../../src/main/conversations/chat-service.ts';
import { VersionService } from '../../../src/main/conversations/version-service.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { createPictureStore } from '../../../src/main/pictures/store.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { PlannedEngine, type PlannedEnd } from './planned-engine.ts';
import { openTestStorage } from './storage.ts';

export const says = (words: string) => ({ kind: 'text', text: words }) as const;

/** The words of a turn, a picture as its caption in brackets, one that was not drawn in round ones. */
export function spell({ parts }: Pick<Turn, 'parts'>): string {
  return parts
    .map((part) => {
      if (part.kind === 'text') return part.text;
      return part.kind === 'picture' ? `[${part.picture.caption}]` : `(${part.caption})`;
    })
    .join('');
}

/** Conversations over a real database and real picture files, with an engine that does what it is told. */
export function openVersionChat(folder?: string) {
  const storage = openTestStorage(folder);
  const { store } = storage;
  store.turns.interruptStreaming();
  const pictures = createPictureStore(path.join(storage.folder, 'pictures'), store.pictures);
  const engine = new PlannedEngine();
  const clock = new FakeClock();
  const events: { name: AppEventName; body: AppEventBody<AppEventName> }[] = [];
  const emit = (name: AppEventName, body: AppEventBody<AppEventName>) =>
    void events.push({ name, body });
  const deps = { store, pictures, engine, clock, log: silentLogger, emit };
  const chat = new ChatService(deps);
  const versions = new VersionService(deps, chat);
  const plan = (answer: string, ends: PlannedEnd = 'end') =>
    engine.plans.push({ says: answer, ends });
  /** Ids of a message and of its reply. */
  const exchange = (replyId: string): [string, string] => [
    store.turns.find(replyId)!.parentId!,
    replyId,
  ];
  return {
    ...storage,
    exchange,
    pictures,
    engine,
    clock,
    events,
    chat,
    versions,
    plan,
    shown: (conversationId: string) => chat.open(conversationId).turns.map(spell),
    /** Sends, and lets the model answer. */
    async talk(words: string, answer: string, conversationId: string | null = null) {
      plan(answer);
      const sent = chat.send({ conversationId, parts: [says(words)] });
      await chat.idle();
      return { conversationId: sent.conversation.id, ids: exchange(sent.turnId) };
    },
    async regenerate(turnId: string, answer: string, ends: PlannedEnd = 'end') {
      plan(answer, ends);
      const started = chat.regenerate(turnId);
      if (ends !== 'hang') await chat.idle();
      return started.turnId;
    },
    async edit(turnId: string, words: string, answer: string) {
      plan(answer);
      const started = chat.edit({ turnId, parts: [says(words)] });
      await chat.idle();
      return exchange(started.turnId);
    },
    async redraw(turnId: string, partIndex: number, caption: string, ends: PlannedEnd = 'end') {
      plan('', ends);
      chat.redraw({ turnId, partIndex, caption, seed: null });
      await chat.idle();
    },
  };
}
