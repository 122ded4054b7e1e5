import { describe, expect, it } from 'vitest';
import { createApi } from '../../../src/renderer/api.ts';
import { ChatStore } from '../../../src/renderer/state/chat.svelte.ts';
import type { AppReplyBody } from '../../../src/shared/contracts/app-ipc.ts';
import {
  applyReplyEvent,
  type ReplyEvent,
  type ReplyMessage,
  type ReplySnapshot,
} from '../../../src/shared/domain/reply.ts';
import type { Turn } from '../../../src/shared/domain/turn.ts';
import { noVersions } from '../../../src/shared/domain/versions.ts';
import { StudioError } from '../../../src/shared/errors.ts';
import { randomSource } from '../../support/random-source.ts';
import { id, sampleSummary, sampleTurn } from '../../support/samples.ts';
import { deferred, stubBridge, type StubBridge } from '../helpers/stub-bridge.ts';

const parts = [{ kind: 'text', text: 'Hello' }] as const;
const conversationId = id(1);
const user = sampleTurn(10, 'user', [{ kind: 'text', text: 'Hello' }]);
const blank = sampleTurn(11, 'assistant', [], { status: 'streaming' });
const started = { conversation: sampleSummary(1), turnId: blank.id };
const nothing = { summary: sampleSummary(2), turns: [], versions: noVersions, live: null };
const ended: ReplyEvent = { kind: 'ended', status: 'complete', error: null, usage: null };
const text = (words: string): ReplyEvent => ({ kind: 'text', text: words });

/** A conversation as main opens it, with nothing under way. */
const openedWith = (...turns: Turn[]): AppReplyBody<'conversations.open'> => ({
  summary: sampleSummary(1),
  turns,
  versions: noVersions,
  live: null,
});

function begun(
  reply: Turn,
  change: Partial<Extract<ReplyEvent, { kind: 'begun' }>> = {},
): ReplyEvent {
  return { kind: 'begun', conversationId, turns: [], reply, replaces: null, ...change };
}

/** What main holds of one turn, and the messages that it sends about it. */
class MainSide {
  readonly messages: ReplyMessage[] = [];
  snapshot: ReplySnapshot = { conversationId, sequence: -1, reply: blank };

  happen(...events: readonly ReplyEvent[]): this {
    for (const event of events) {
      const reply = applyReplyEvent(this.snapshot.reply, event);
      const sequence = this.snapshot.sequence + 1;
      this.snapshot = { conversationId, sequence, reply: { ...reply, parts: [...reply.parts] } };
      this.messages.push({ turnId: blank.id, sequence, event });
    }
    return this;
  }

  opened(): AppReplyBody<'conversations.open'> {
    const { reply } = this.snapshot;
    const streams = reply.status === 'streaming';
    const turn = streams ? blank : (reply as Turn);
    const known = this.snapshot.sequence >= 0;
    return {
      summary: sampleSummary(1),
      turns: known ? [user, turn] : [],
      versions: noVersions,
      live: known && streams ? this.snapshot : null,
    };
  }
}

function tell(bridge: StubBridge, ...messages: readonly ReplyMessage[]): void {
  for (const message of messages) bridge.emit('chat.reply', message);
}

function words(store: ChatStore, turnId: string): string | undefined {
  const part = store.turns.find((turn) => turn.id === turnId)?.parts[0];
  return part?.kind === 'text' ? part.text : undefined;
}

/** Lets answers arrive. */
const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe('ChatStore', () => {
  it('shows the turns of a message and lets the reply stream into its own', async () => {
    const main = new MainSide().happen(begun(blank, { turns: [user] }));
    const bridge = stubBridge({
      'chat.send': () => started,
      'conversations.open': () => main.opened(),
    });
    const store = new ChatStore(createApi(bridge));
    tell(bridge, ...main.messages);
    expect(await store.send(parts)).toBe(true);
    expect(store.conversationId).toBe(conversationId);
    main.happen(text('Hi '), text('you.'));
    tell(bridge, ...main.messages.slice(1));
    expect(words(store, blank.id)).toBe('Hi you.');
    expect(store.streamingTurn?.id).toBe(blank.id);
    tell(bridge, ...main.happen(ended).messages.slice(-1));
    expect(store.streamingTurn).toBeNull();
    expect(store.isStreaming(conversationId)).toBe(false);
    expect(store.turns.map(({ status }) => status)).toEqual(['complete', 'complete']);
  });

  it('shows a reply that ended before its request was answered', async () => {
    const error = { kind: 'model-invalid', message: 'No model.', detail: null } as const;
    const main = new MainSide().happen(begun(blank, { turns: [user] }), {
      ...ended,
      status: 'failed',
      error,
    } as ReplyEvent);
    const answer = deferred<typeof started>();
    const bridge = stubBridge({
      'chat.send': () => answer.promise,
      'conversations.open': () => main.opened(),
    });
    const store = new ChatStore(createApi(bridge));
    const sent = store.send(parts);
    tell(bridge, ...main.messages);
    answer.resolve(started);
    await sent;
    expect(store.turns.map(({ status }) => status)).toEqual(['complete', 'failed']);
    expect(store.streamingTurn).toBeNull();
  });

  it('follows a reply in a conversation that was left, and shows it whole on return', async () => {
    const main = new MainSide().happen(begun(blank, { turns: [user] }));
    // What main answers to the return is behind what was streamed.
    const stale = main.opened();
    const bridge = stubBridge({
      'chat.send': () => started,
      'conversations.open': ({ conversationId: wanted }) =>
        wanted === conversationId ? stale : nothing,
    });
    const store = new ChatStore(createApi(bridge));
    tell(bridge, ...main.messages);
    await store.send(parts);
    await store.open(id(2));
    tell(bridge, ...main.happen(text('Unseen.')).messages.slice(-1));
    expect(store.turns).toEqual([]);
    expect(store.busyElsewhere).toBe(conversationId);
    await store.open(conversationId);
    expect(words(store, blank.id)).toBe('Unseen.');
    expect(store.busyElsewhere).toBeNull();
  });

  it('ignores the answer for a conversation that was left meanwhile', async () => {
    const slow = deferred<AppReplyBody<'conversations.open'>>();
    const bridge = stubBridge({
      'conversations.open': ({ conversationId: wanted }) =>
        wanted === conversationId ? slow.promise : nothing,
    });
    const store = new ChatStore(createApi(bridge));
    const first = store.open(conversationId);
    await store.open(id(2));
    slow.resolve(openedWith(user));
    await first;
    expect(store.conversationId).toBe(id(2));
  });

  it('puts a new reply in the place of the one it replaces', async () => {
    const old = sampleTurn(12, 'assistant', [{ kind: 'text', text: 'Old.' }]);
    const bridge = stubBridge({
      'conversations.open': () => openedWith(user, old),
      'chat.regenerate': () => started,
    });
    const store = new ChatStore(createApi(bridge));
    await store.open(conversationId);
    tell(bridge, ...new MainSide().happen(begun(blank, { replaces: old.id })).messages);
    await store.regenerate(old.id);
    expect(store.turns.map((turn) => turn.id)).toEqual([user.id, blank.id]);
  });

  it('goes on with a known turn, answer first or events first', async () => {
    const cut: Turn = { ...blank, status: 'cut', parts: [{ kind: 'text', text: 'Once' }] };
    const main = new MainSide().happen(begun({ ...cut, status: 'streaming' }), text(' upon'));
    for (const answerFirst of [true, false]) {
      const answer = deferred<typeof started>();
      const bridge = stubBridge({
        'conversations.open': () => openedWith(user, cut),
        'chat.continue': () => answer.promise,
      });
      const store = new ChatStore(createApi(bridge));
      await store.open(conversationId);
      const going = store.continueReply(cut.id);
      if (answerFirst) answer.resolve(started);
      await rest();
      tell(bridge, ...main.messages);
      answer.resolve(started);
      await going;
      expect(words(store, cut.id)).toBe('Once upon');
    }
  });

  it('says why a message was refused and keeps what is shown', async () => {
    const bridge = stubBridge({
      'chat.send': () => {
        throw new StudioError('busy', 'A reply is being written in this conversation.');
      },
    });
    const store = new ChatStore(createApi(bridge));
    expect(await store.send(parts)).toBe(false);
    expect(store.actionError).toBe('A reply is being written in this conversation.');
    expect(store.starting).toBe(false);
    expect(store.turns).toEqual([]);
  });

  it('shows a conversation that cannot be opened as an error in its place', async () => {
    const store = new ChatStore(createApi(stubBridge({})));
    await store.open(conversationId);
    expect(store.openError).toBe('No answer to conversations.open.');
    expect(store.opening).toBe(false);
  });

  it('reports an answer that breaks the contract', async () => {
    const store = new ChatStore(createApi(stubBridge({ 'chat.send': () => ({}) as never })));
    expect(await store.send(parts)).toBe(false);
    expect(store.actionError).toContain('could not be read');
  });
});

describe('a window that missed something', () => {
  it('asks for a turn that it never saw begin, and follows it', async () => {
    const main = new MainSide().happen(begun(blank, { turns: [user] }), text('Half'));
    const bridge = stubBridge({ 'chat.turn': () => main.snapshot });
    const store = new ChatStore(createApi(bridge));
    tell(bridge, ...main.messages.slice(-1));
    await rest();
    expect(store.isStreaming(conversationId)).toBe(true);
    tell(bridge, ...main.happen(ended).messages.slice(-1));
    expect(store.isStreaming(conversationId)).toBe(false);
    expect(bridge.asked.map(({ name }) => name)).toEqual(['chat.turn']);
  });

  it('follows a turn no more that is gone', async () => {
    const main = new MainSide().happen(begun(blank), text('a'), text('b'));
    const bridge = stubBridge({});
    const store = new ChatStore(createApi(bridge));
    tell(bridge, main.messages[0]!, main.messages[2]!);
    await rest();
    expect(store.isStreaming(conversationId)).toBe(false);
  });

  it('asks again where main could not answer, with the next event', async () => {
    const main = new MainSide().happen(begun(blank), text('a'), text('b'));
    let fails = true;
    const bridge = stubBridge({
      'chat.turn': () => {
        if (fails) throw new StudioError('internal', 'Not now.');
        return main.snapshot;
      },
    });
    const store = new ChatStore(createApi(bridge));
    tell(bridge, main.messages[2]!);
    await rest();
    fails = false;
    tell(bridge, ...main.happen(text('c')).messages.slice(-1));
    await rest();
    expect(store.isStreaming(conversationId)).toBe(true);
    expect(bridge.asked).toHaveLength(2);
  });

  it('shows a turn whose begin it missed in the conversation that is open', async () => {
    const main = new MainSide();
    const bridge = stubBridge({
      'conversations.open': () => main.opened(),
      'chat.turn': () => main.snapshot,
    });
    const store = new ChatStore(createApi(bridge));
    await store.open(conversationId);
    expect(store.turns).toEqual([]);
    main.happen(begun(blank, { turns: [user] }), text('Half'));
    tell(bridge, main.messages[1]!);
    await rest();
    expect(store.turns.map((turn) => turn.id)).toEqual([user.id, blank.id]);
    expect(words(store, blank.id)).toBe('Half');
  });

  it('ends with what main has, whatever was lost and however late the answers were', async () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const random = randomSource(seed);
      const main = new MainSide();
      const late: (() => void)[] = [];
      // What main says is as it was when it was asked.
      const answerLate = <Value>(value: Value): Promise<Value> => {
        const answer = deferred<Value>();
        late.push(() => answer.resolve(structuredClone(value)));
        return answer.promise;
      };
      const answerOne = async (): Promise<void> => {
        late.splice(random.below(late.length), 1)[0]?.();
        await rest();
      };
      const bridge = stubBridge({
        'conversations.open': () => answerLate(main.opened()),
        'chat.turn': () => answerLate(main.snapshot),
      });
      const store = new ChatStore(createApi(bridge));
      const happen = async (event: ReplyEvent): Promise<void> => {
        main.happen(event);
        if (random.below(3) > 0) tell(bridge, ...main.messages.slice(-1));
        if (random.below(3) === 0) await answerOne();
      };
      void store.open(conversationId);
      await happen(begun(blank, { turns: [user] }));
      for (let count = random.below(20); count > 0; count -= 1) {
        await happen(text(`${count} `));
        if (random.below(6) > 0) continue;
        await happen(ended);
        await happen(begun({ ...(main.snapshot.reply as Turn), status: 'streaming' }));
      }
      // The last event comes: after it there is nothing to notice a loss by.
      tell(bridge, ...main.happen(ended).messages.slice(-1));
      while (late.length > 0) await answerOne();
      expect(store.turns, `seed ${seed}`).toEqual([user, main.snapshot.reply]);
      expect(store.isStreaming(conversationId)).toBe(false);
    }
  });
});
