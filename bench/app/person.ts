// A scripted person: what somebody does in a conversation, each through the window's own bridge, and what is confirmed.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { AppReplyBody } from '../../src/shared/contracts/app-ipc.ts';
import { Refused, sleep, until, type RunningApp } from './app.ts';
import { pick } from './random.ts';

const scenes = path.resolve(import.meta.dirname, '../../test/fixtures/scenes');
const pictures = readdirSync(scenes).filter((name) => name.endsWith('.jpg'));
const questions = [
  'What can you tell me about the sea?',
  'Say something short about apples.',
  'Can you draw a cat?',
  'Draw a red car on a green background.',
  'Why is the sky blue?',
];

type Turn = AppReplyBody<'conversations.open'>['turns'][number];

const wordsOf = ({ parts }: Turn): string =>
  parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');

/** What the app said is stored: it must be there at the end. */
export interface Confirmed {
  /** Words of the person's turns and of replies that have ended, by their id. */
  readonly turns: Map<string, { conversationId: string; text: string }>;
  /** Conversations that were put into the trash. */
  readonly deleted: Set<string>;
}

export const actionNames = [
  'ask',
  'ask with a picture',
  'ask anew',
  'stop',
  'regenerate',
  'search',
  'export',
  'delete',
  'look around',
] as const;
export type ActionName = (typeof actionNames)[number];

export interface Person {
  readonly confirmed: Confirmed;
  /** One thing that a person does. @returns what it was, and how many turns it made */
  act(name: ActionName): Promise<number>;
  /** Any of them; asking is done most. */
  choose(): ActionName;
  /** Sends and returns once it is stored; the reply is being written then. */
  send(withPicture: boolean): Promise<string>;
  /** Puts every conversation into the trash and leaves the window with a new one: as it was at the start. */
  tidy(): Promise<void>;
  /** Waits until no reply is being written. */
  settle(): Promise<void>;
}

const weights: Readonly<Record<ActionName, number>> = {
  ask: 6,
  'ask with a picture': 3,
  'ask anew': 2,
  stop: 2,
  regenerate: 2,
  search: 2,
  export: 1,
  delete: 1,
  'look around': 2,
};
const urn = actionNames.flatMap((name) => Array.from({ length: weights[name] }, () => name));

/** Brings a picture in. @returns its id */
async function add(app: RunningApp, file: string): Promise<string> {
  const base64 = readFileSync(file).toString('base64');
  // Bytes cross the bridge as bytes: they are made in the page.
  const reply = (await app.evaluate(
    `window.api.request('pictures.add', { name: 'scene.jpg',
       bytes: Uint8Array.from(atob(${JSON.stringify(base64)}), (letter) => letter.charCodeAt(0)) })`,
  )) as { ok: boolean; value?: { id: string }; error?: { message: string } };
  if (reply.value === undefined) throw new Refused(reply.error?.message ?? 'no picture');
  return reply.value.id;
}

async function search(app: RunningApp, query: string): Promise<number> {
  await app.request('conversations.list', { query, limit: 50, offset: 0 });
  return 0;
}

async function lookAround(app: RunningApp): Promise<number> {
  const click = (id: string): string => `document.querySelector('[data-testid="${id}"]')?.click()`;
  for (const place of ['rail-settings', 'rail-models', 'rail-chat', 'conversation-item']) {
    await app.evaluate(click(place));
    await sleep(150);
  }
  return 0;
}

async function tidy(app: RunningApp, { turns, deleted }: Confirmed): Promise<void> {
  const all = { query: null, limit: 100, offset: 0 };
  for (;;) {
    const { conversations } = await app.request('conversations.list', all);
    if (conversations.length === 0) break;
    for (const { id } of conversations) {
      await app.request('conversations.delete', { conversationId: id });
      deleted.add(id);
    }
  }
  turns.clear();
  await app.evaluate(`document.querySelector('[data-testid="new-conversation"]')?.click()`);
  await sleep(1000);
}

/** @param app asked for each time: it may be another one after a kill */
export function createPerson(app: () => RunningApp, random: () => number): Person {
  const confirmed: Confirmed = { turns: new Map(), deleted: new Set() };
  const talk = createTalk(app, random, confirmed);
  const actions = createActions(app, random, confirmed, talk);
  const { settle, send } = talk;
  return {
    confirmed,
    tidy() {
      talk.conversation = null;
      return tidy(app(), confirmed);
    },
    settle,
    send,
    choose: () => pick(urn, random),
    act: (name) => actions[name](),
  };
}

/** The conversation that is open, and what is said in it. */
interface Talk extends Pick<Person, 'settle' | 'send'> {
  /** Null: the next message begins one. */
  conversation: string | null;
  lastReply(): Promise<Turn | undefined>;
}

function createTalk(
  app: () => RunningApp,
  random: () => number,
  { turns: confirmed }: Confirmed,
): Talk {
  let asked = 0;
  const turns = async (): Promise<readonly Turn[]> => {
    const { conversation: conversationId } = talk;
    if (conversationId === null) return [];
    return (await app().request('conversations.open', { conversationId })).turns;
  };
  const talk: Talk = {
    conversation: null,
    async settle() {
      const ended = await until('the end of a reply', async () => {
        const found = await turns();
        return found.some(({ status }) => status === 'streaming') ? null : found;
      });
      const { conversation: conversationId } = talk;
      for (const turn of ended)
        if (conversationId !== null && turn.role === 'assistant')
          confirmed.set(turn.id, { conversationId, text: wordsOf(turn) });
    },
    async send(withPicture) {
      asked += 1;
      const text = `${pick(questions, random)} (${asked})`;
      const addPicture = (): Promise<string> =>
        add(app(), path.join(scenes, pick(pictures, random)));
      const picture = withPicture
        ? [{ kind: 'picture' as const, pictureId: await addPicture() }]
        : [];
      const parts = [...picture, { kind: 'text' as const, text }];
      const started = await app().request('chat.send', {
        conversationId: talk.conversation,
        parts,
      });
      const conversationId = started.conversation.id;
      talk.conversation = conversationId;
      const stored = (await turns()).filter(({ role }) => role === 'user').at(-1);
      if (stored === undefined) throw new Error('a turn was confirmed and is not there');
      confirmed.set(stored.id, { conversationId, text });
      return conversationId;
    },
    lastReply: async () => (await turns()).filter(({ role }) => role === 'assistant').at(-1),
  };
  return talk;
}

function createActions(
  app: () => RunningApp,
  random: () => number,
  confirmed: Confirmed,
  talk: Talk,
): Readonly<Record<ActionName, () => Promise<number>>> {
  const ask = async (withPicture: boolean): Promise<number> => {
    await talk.send(withPicture);
    await talk.settle();
    return 2;
  };
  return {
    ask: () => ask(false),
    'ask with a picture': () => ask(true),
    'ask anew'() {
      talk.conversation = null;
      return ask(false);
    },
    async stop() {
      const conversationId = await talk.send(false);
      await sleep(random() * 600);
      await app().request('chat.stop', { conversationId });
      await talk.settle();
      return 2;
    },
    async regenerate() {
      const reply = await talk.lastReply();
      if (reply === undefined) return 0;
      // It stands in another version then.
      confirmed.turns.delete(reply.id);
      await app().request('chat.regenerate', { turnId: reply.id });
      await talk.settle();
      return 1;
    },
    search: () => search(app(), pick(['sea', 'apples', 'cat', 'nothing has this'], random)),
    async export() {
      if (talk.conversation === null) return 0;
      const format = pick(['md', 'textbind'] as const, random);
      await app().request('exchange.export', { conversationIds: [talk.conversation], format });
      return 0;
    },
    async delete() {
      const { conversation: conversationId } = talk;
      if (conversationId === null || confirmed.turns.size < 6) return 0;
      await app().request('conversations.delete', { conversationId });
      confirmed.deleted.add(conversationId);
      for (const [id, turn] of confirmed.turns)
        if (turn.conversationId === conversationId) confirmed.turns.delete(id);
      talk.conversation = null;
      return 0;
    },
    'look around': () => lookAround(app()),
  };
}

/** What was confirmed and is not there, in sentences. */
export async function missing(app: RunningApp, { turns }: Confirmed): Promise<string[]> {
  const faults: string[] = [];
  const byConversation = new Map<string, string[]>();
  for (const [id, { conversationId }] of turns)
    byConversation.set(conversationId, [...(byConversation.get(conversationId) ?? []), id]);
  for (const [conversationId, ids] of byConversation) {
    const found = await app.request('conversations.open', { conversationId });
    for (const id of ids) {
      const turn = found.turns.find((each) => each.id === id);
      const text = turn && wordsOf(turn);
      const wanted = turns.get(id)?.text;
      if (text !== wanted) faults.push(`turn ${id}: "${wanted}" is ${JSON.stringify(text)}`);
    }
  }
  return faults;
}
