import { describe, expect, test } from 'vitest';
import type { WorkerRequestBody } from '../../../src/shared/contracts/worker-protocol.ts';
import { openVersionChat, says } from '../support/version-chat.ts';

/** What the model was last asked with, a line a turn. */
function lastPrompt({ engine }: ReturnType<typeof openVersionChat>): string[] {
  const { turns } = engine.asked.at(-1)!.body as WorkerRequestBody<'chat.reply'>;
  return turns.map(({ parts }) =>
    parts.map((part) => (part.kind === 'text' ? part.text : `[${part.caption}]`)).join(''),
  );
}

async function twoExchanges() {
  const made = openVersionChat();
  const first = await made.talk('one', 'first');
  const second = await made.talk('two', 'second', first.conversationId);
  const { conversationId } = first;
  return { ...made, conversationId, ids: [...first.ids, ...second.ids] as string[] };
}

describe('regenerate', () => {
  test('adds a version; either can be made current, and the model reads the one that is', async () => {
    const made = await twoExchanges();
    const { chat, versions, conversationId, ids, shown, regenerate, talk } = made;
    const anew = await regenerate(ids[3]!, 'second anew');
    expect(shown(conversationId)).toEqual(['one', 'first', 'two', 'second anew']);
    expect(chat.open(conversationId).versions.turns).toEqual([[ids[3], anew]]);
    await talk('three', 'third', conversationId);
    expect(lastPrompt(made)).toEqual(['one', 'first', 'two', 'second anew', 'three']);
    versions.choose(ids[3]!);
    expect(shown(conversationId)).toEqual(['one', 'first', 'two', 'second']);
    await talk('instead', 'of three', conversationId);
    expect(lastPrompt(made)).toEqual(['one', 'first', 'two', 'second', 'instead']);
    versions.choose(anew);
    expect(shown(conversationId).slice(3)).toEqual(['second anew', 'three', 'third']);
  });

  test('of an earlier reply begins a branch; what followed stays under its own version', async () => {
    const { versions, conversationId, ids, shown, regenerate } = await twoExchanges();
    await regenerate(ids[1]!, 'first anew');
    expect(shown(conversationId)).toEqual(['one', 'first anew']);
    versions.choose(ids[1]!);
    expect(shown(conversationId)).toEqual(['one', 'first', 'two', 'second']);
  });

  test('stopped, refused or crashed before a word: the old version is current, and the only one', async () => {
    const made = await twoExchanges();
    const { chat, engine, events, conversationId, ids, shown, regenerate, store } = made;
    for (const ends of ['fail', 'die'] as const) {
      await regenerate(ids[3]!, '', ends);
      expect(events.findLast(({ name }) => name === 'app.problem')).toBeDefined();
      expect({ ...events.findLast(({ name }) => name === 'chat.path')?.body, live: null }).toEqual(
        chat.open(conversationId),
      );
    }
    await regenerate(ids[3]!, '', 'hang');
    while (engine.plans.length > 0) await new Promise((resolve) => setImmediate(resolve));
    // While it is waited for, the window shows the version to come; on the disk the old one is current.
    expect(shown(conversationId)).toEqual(['one', 'first', 'two', '']);
    expect(store.turns.list(conversationId).at(-1)?.id).toBe(ids[3]);
    chat.stop(conversationId);
    await chat.idle();
    expect(shown(conversationId)).toEqual(['one', 'first', 'two', 'second']);
    expect(chat.open(conversationId).versions.turns).toEqual([]);
  });

  test('stopped after its first words: both are there, the new one current', async () => {
    const { chat, conversationId, ids, shown, regenerate, versions } = await twoExchanges();
    await regenerate(ids[3]!, 'sec', 'die');
    expect(shown(conversationId).at(-1)).toBe('sec');
    expect(chat.open(conversationId).turns.at(-1)?.status).toBe('interrupted');
    versions.choose(ids[3]!);
    expect(shown(conversationId).at(-1)).toBe('second');
  });

  test('of a reply that says nothing leaves nothing of it', async () => {
    const { plan, chat, conversationId, shown, regenerate } = await twoExchanges();
    plan('', 'fail');
    const { turnId } = chat.send({ conversationId, parts: [says('three')] });
    await chat.idle();
    await regenerate(turnId, 'third');
    expect(shown(conversationId).slice(4)).toEqual(['three', 'third']);
    expect(chat.open(conversationId).versions.turns).toEqual([]);
  });
});

describe('editing a message', () => {
  test('makes a branch; the old one keeps what followed it', async () => {
    const made = await twoExchanges();
    const { chat, versions, conversationId, ids, shown, edit } = made;
    const [message] = await edit(ids[0]!, 'uno', 'primo');
    expect(shown(conversationId)).toEqual(['uno', 'primo']);
    expect(lastPrompt(made)).toEqual(['uno']);
    expect(chat.open(conversationId).versions.turns).toEqual([[ids[0], message]]);
    versions.choose(ids[0]!);
    expect(shown(conversationId)).toEqual(['one', 'first', 'two', 'second']);
    expect(() => chat.edit({ turnId: ids[1]!, parts: [says('x')] })).toThrow('cannot be edited');
  });

  test('shortened by the engine, pictures kept', async () => {
    const { chat, engine, exchange, conversationId, ids, shown, store } = await twoExchanges();
    const request = engine.request.bind(engine);
    engine.request = (name, body, options) =>
      name === 'prompt.shorten'
        ? Promise.resolve({ parts: [says('o … e')] } as never)
        : request(name, body, options);
    engine.plans.push({ says: 'short' });
    const { turnId } = await chat.shorten(ids[2]!);
    await chat.idle();
    expect(shown(conversationId)).toEqual(['one', 'first', 'o … e', 'short']);
    const [message] = exchange(turnId);
    expect(store.turns.find(message)?.parentId).toBe(ids[1]);
  });
});

describe('drawing again', () => {
  test('adds a version of the drawing; the model sees the one that is current', async () => {
    const made = openVersionChat();
    const { chat, versions, redraw, shown, talk, store } = made;
    const { conversationId, ids } = await talk('Draw', 'See: [a pear] There.');
    await redraw(ids[1]!, 1, 'a ripe pear');
    await redraw(ids[1]!, 1, 'a ripe pear');
    expect(shown(conversationId)[1]).toBe('See: [a ripe pear] There.');
    const place = { turnId: ids[1], partIndex: 1, count: 3, current: 2 };
    expect(chat.open(conversationId).versions.drawings).toEqual([place]);
    const { turns } = versions.chooseDrawing({ turnId: ids[1]!, partIndex: 1, index: 0 });
    expect(turns[1]?.parts[1]).toMatchObject({ picture: { caption: 'a pear' } });
    await talk('Again', 'Yes.', conversationId);
    expect(lastPrompt(made)[1]).toBe('See: [a pear] There.');
    expect(() => versions.chooseDrawing({ turnId: ids[1]!, partIndex: 1, index: 3 })).toThrow(
      expect.objectContaining({ kind: 'not-found' }),
    );
    // None of the three is collected while nothing shows it.
    expect(store.pictures.dropUnused(Number.MAX_SAFE_INTEGER)).toBe(0);
  });

  test('a picture cannot be replaced in its row, whoever asks', async () => {
    const { database, talk, redraw } = openVersionChat();
    const { ids } = await talk('Draw', '[a pear]');
    await redraw(ids[1]!, 0, 'another');
    expect(() => database.exec('UPDATE parts SET picture_key = 1 WHERE picture_key = 2')).toThrow(
      'never replaced in its row',
    );
  });

  test('with other words than the model wrote keeps its words as a version', async () => {
    const { plan, chat, redraw, shown, engine } = openVersionChat();
    plan('See: ');
    const original = engine.request.bind(engine);
    engine.request = async (name, body, options) => {
      if (name === 'chat.reply') {
        const error = { kind: 'out-of-memory', message: 'No memory.', detail: null };
        const event = { kind: 'drawing-failed', caption: 'a pear', error };
        (options?.onEvent as ((event: unknown) => void) | undefined)?.(event);
      }
      return original(name, body, options);
    };
    const { conversation, turnId: id } = chat.send({
      conversationId: null,
      parts: [says('Draw')],
    });
    await chat.idle();
    await redraw(id, 0, 'a plum', 'fail');
    await redraw(id, 0, 'a plum');
    expect(shown(conversation.id)[1]).toBe('[a plum]See: ');
    expect(chat.open(conversation.id).versions.drawings).toMatchObject([{ count: 2, current: 1 }]);
  });
});

describe('deleting', () => {
  test('one of several versions shows its neighbour; undone, it is back and current', async () => {
    const { chat, versions, conversationId, ids, shown, regenerate } = await twoExchanges();
    await regenerate(ids[1]!, 'first anew');
    const { deletionId, conversation } = versions.delete(chat.open(conversationId).turns[1]!.id);
    expect({ ...conversation, live: null }).toEqual(chat.open(conversationId));
    expect(shown(conversationId)).toEqual(['one', 'first', 'two', 'second']);
    expect(conversation.versions.turns).toEqual([]);
    versions.restore(deletionId);
    expect(shown(conversationId)).toEqual(['one', 'first anew']);
    expect(() => versions.restore(deletionId)).toThrow(
      expect.objectContaining({ kind: 'not-found' }),
    );
  });

  test('a message takes its reply along; what follows stays, and the model no longer reads it', async () => {
    const made = await twoExchanges();
    const { chat, store, versions, conversationId, ids, shown, talk } = made;
    const { deletionId, conversation } = versions.delete(ids[0]!);
    expect(shown(conversationId)).toEqual(['two', 'second']);
    expect(conversation.summary.turnCount).toBe(2);
    await talk('three', 'third', conversationId);
    expect(lastPrompt(made)).toEqual(['two', 'second', 'three']);
    expect(store.conversations.search('first', 10, 0).total).toBe(0);
    versions.restore(deletionId);
    expect(shown(conversationId)).toEqual(['one', 'first', 'two', 'second', 'three', 'third']);
    expect(store.conversations.search('first', 10, 0).total).toBe(1);
    expect(() => versions.delete(ids[1]!)).toThrow('only version');
    expect(() => chat.find(ids[0]!)).not.toThrow();
  });

  test('the last exchange, then going on: the new message follows what is shown', async () => {
    const made = await twoExchanges();
    const { versions, conversationId, ids, shown, talk } = made;
    const { deletionId } = versions.delete(ids[2]!);
    await talk('instead', 'of two', conversationId);
    expect(lastPrompt(made)).toEqual(['one', 'first', 'instead']);
    versions.restore(deletionId);
    expect(shown(conversationId)).toEqual(['one', 'first', 'two', 'second', 'instead', 'of two']);
  });

  test('one of several drawings', async () => {
    const { chat, versions, redraw, shown, talk } = openVersionChat();
    const { conversationId, ids } = await talk('Draw', '[a pear]');
    const place = { turnId: ids[1]!, partIndex: 0 };
    expect(() => versions.deleteDrawing(place)).toThrow('only drawing');
    await redraw(ids[1]!, 0, 'a plum');
    const { deletionId } = versions.deleteDrawing(place);
    expect(shown(conversationId)[1]).toBe('[a pear]');
    expect(chat.open(conversationId).versions.drawings).toEqual([]);
    versions.restore(deletionId);
    expect(shown(conversationId)[1]).toBe('[a plum]');
  });

  test('is refused under a reply that is being written there, as choosing is', async () => {
    const { chat, versions, conversationId, ids, regenerate } = await twoExchanges();
    const { deletionId } = versions.delete(ids[0]!);
    await regenerate(ids[3]!, '', 'hang');
    for (const act of [
      () => versions.delete(ids[2]!),
      () => versions.choose(ids[3]!),
      () => versions.restore(deletionId),
    ]) {
      expect(act).toThrow(expect.objectContaining({ kind: 'busy' }));
    }
    chat.stop(conversationId);
    await chat.idle();
    expect(() => versions.restore(deletionId)).not.toThrow();
  });

  test('after 30 days is for good: words and pictures go, what followed stays', async () => {
    const { store, database, versions, conversationId, ids, shown } = await twoExchanges();
    const { deletionId } = versions.delete(ids[0]!);
    expect(store.versions.erase(1_000_000)).toBe(0);
    expect(store.versions.erase(1_000_001)).toBe(1);
    expect(() => versions.restore(deletionId)).toThrow();
    expect(shown(conversationId)).toEqual(['two', 'second']);
    const words = database.prepare("SELECT count(*) FROM parts WHERE body = 'first'").pluck();
    expect(words.get()).toBe(0);
  });
});

test('search finds words of every version that is not deleted', async () => {
  const { store, versions, conversationId, ids, regenerate } = await twoExchanges();
  const anew = await regenerate(ids[3]!, 'something else');
  const total = (words: string) => store.conversations.search(words, 10, 0).total;
  expect([total('second'), total('something')]).toEqual([1, 1]);
  versions.choose(ids[3]!);
  expect([total('second'), total('something')]).toEqual([1, 1]);
  versions.choose(anew);
  versions.delete(anew);
  expect([total('second'), total('something')]).toEqual([1, 0]);
  expect(store.conversations.summary(conversationId)?.turnCount).toBe(4);
});

test('a conversation of 3,000 turns opens, and goes for good', async () => {
  const { store, database, talk } = openVersionChat();
  const { conversationId } = await talk('0', 'zero');
  const [, reply] = store.turns.list(conversationId);
  let behind = reply!.id;
  store.transaction(() => {
    for (let index = 1; index < 1500; index += 1) {
      for (const role of ['user', 'assistant'] as const) {
        const turn = { ...reply!, id: crypto.randomUUID(), role, parts: [says(`${index}`)] };
        store.turns.append(conversationId, turn, { behind });
        behind = turn.id;
      }
    }
  });
  expect(store.turns.list(conversationId)).toHaveLength(3000);
  expect(store.conversations.summary(conversationId)?.turnCount).toBe(3000);
  store.conversations.remove(conversationId, 1);
  expect(store.conversations.erase(conversationId)).toBe(true);
  expect(database.prepare('SELECT count(*) FROM turns').pluck().get()).toBe(0);
});
