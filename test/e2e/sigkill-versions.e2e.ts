// The whole app is killed at random moments while versions come and go: a reply written anew, a picture drawn again, a
// caption edited, a sent message edited, a deletion, its undoing. After each: the database is whole, the tree is whole, and
// nothing is missing that had been confirmed. TEXTBIND_E2E_KILLS sets how often, TEXTBIND_E2E_SEED the moments.
import { testIds } from '../../src/renderer/test-ids.ts';
import { mainPid, restartApp } from './harness/app.ts';
import { faultsOf, missingFrom, readTree, shownPath, type StoredTree } from './harness/tree.ts';
import { byId, engineReady } from './harness/window.ts';

const kills = Number(process.env['TEXTBIND_E2E_KILLS'] ?? 6);
const longestWaitMs = 2_500;
const patienceMs = 180_000;

/** Numbers from 0 to below 1, the same in each run: a linear congruential generator (Numerical Recipes). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const actions = [
  'regenerate',
  'draw again',
  'edit caption',
  'edit message',
  'delete',
  'undo',
] as const;
type Action = (typeof actions)[number];

/** Asks main as the window does. */
function request<Reply>(name: string, body: unknown): Promise<Reply> {
  return browser.execute(
    async (wanted: string, given: unknown) => {
      const { api } = window as unknown as {
        api: {
          request(
            name: string,
            body: unknown,
          ): Promise<{ ok: boolean; value: unknown; error?: { message: string } }>;
        };
      };
      const { ok, value, error } = await api.request(wanted, given);
      if (!ok) throw new Error(`${wanted}: ${error?.message}`);
      return value;
    },
    name,
    body,
  ) as Promise<Reply>;
}

/** Asks and does not wait; what is answered is kept in the page. */
function begin(name: string, body: unknown): Promise<void> {
  return browser.execute(
    (wanted: string, given: unknown) => {
      const page = window as unknown as {
        answered: unknown;
        api: { request(name: string, body: unknown): Promise<unknown> };
      };
      page.answered = null;
      void page.api.request(wanted, given).then((value) => (page.answered = value));
    },
    name,
    body,
  );
}

interface Answered {
  readonly ok: boolean;
  readonly value: { readonly deletionId?: string; readonly turns?: readonly { id: string }[] };
}
const answer = (): Promise<Answered | null> =>
  browser.execute(() => (window as unknown as { answered: unknown }).answered as Answered | null);

interface Opened {
  readonly turns: readonly {
    readonly id: string;
    readonly role: string;
    readonly status: string;
    readonly parts: readonly { readonly kind: string; readonly picture?: { caption: string } }[];
  }[];
}
const open = (conversationId: string): Promise<Opened> =>
  request<Opened>('conversations.open', { conversationId });

async function settle(conversationId: string): Promise<Opened> {
  let last: Opened | undefined;
  await browser.waitUntil(
    async () => {
      last = await open(conversationId);
      return last.turns.every(({ status }) => status !== 'streaming');
    },
    { timeout: patienceMs, timeoutMsg: 'a reply never ended' },
  );
  return last!;
}

const message = (words: string) => [{ kind: 'text', text: words }];

async function say(conversationId: string | null, words: string): Promise<string> {
  const started = await request<{ conversation: { id: string } }>('chat.send', {
    conversationId,
    parts: message(words),
  });
  await settle(started.conversation.id);
  return started.conversation.id;
}

/** The place of the last picture that is shown; one is drawn where there is none. */
async function pictureIn(conversationId: string) {
  for (;;) {
    const { turns } = await settle(conversationId);
    for (const { id, parts } of turns.toReversed()) {
      const partIndex = parts.findIndex(({ kind }) => kind === 'picture');
      if (partIndex >= 0)
        return { turnId: id, partIndex, caption: parts[partIndex]!.picture!.caption };
    }
    await say(conversationId, 'Can you draw a cat?');
  }
}

/** What a person asks for, and what must be stored once it is answered. */
async function plan(
  action: Action,
  conversationId: string,
  before: StoredTree,
  number: number,
): Promise<{
  name: string;
  body: unknown;
  isStored?: (after: StoredTree, reply: Answered) => boolean;
}> {
  const { turns } = await open(conversationId);
  const last = (role: string) => turns.findLast((turn) => turn.role === role)!;
  switch (action) {
    case 'regenerate':
      return { name: 'chat.regenerate', body: { turnId: last('assistant').id } };
    case 'draw again': {
      const place = await pictureIn(conversationId);
      return { name: 'chat.redraw', body: { ...place, seed: null } };
    }
    case 'edit caption': {
      const place = await pictureIn(conversationId);
      return {
        name: 'chat.redraw',
        body: { ...place, caption: `a yellow bird, number ${number}`, seed: null },
      };
    }
    case 'edit message': {
      const words = `Can you draw a dog? (${number})`;
      return {
        name: 'chat.edit',
        body: { turnId: last('user').id, parts: message(words) },
        isStored: ({ parts }) => parts.some(({ body }) => body === words),
      };
    }
    case 'delete':
      return {
        name: 'versions.delete',
        body: { turnId: last('user').id },
        isStored: ({ turns: all }, { value }) =>
          all.some(({ deletion }) => deletion !== null && deletion === value.deletionId),
      };
    case 'undo': {
      const { deletion } = before.turns.findLast((turn) => turn.deletion !== null) ?? {};
      if (deletion === undefined) return plan('regenerate', conversationId, before, number);
      return {
        name: 'versions.restore',
        body: { deletionId: deletion },
        isStored: ({ turns: all }) => all.every((turn) => turn.deletion !== deletion),
      };
    }
    default:
      return action satisfies never;
  }
}

describe('SIGKILL of the whole app while versions change', function () {
  // Of the suite: what a test sets for itself comes too late for the runner, which has read its limit by then.
  this.timeout(kills * 120_000 + 300_000);

  it(`leaves the tree whole and all that was confirmed in ${kills} kills`, async () => {
    const random = seeded(Number(process.env['TEXTBIND_E2E_SEED'] ?? 20_261_129));
    await engineReady();
    await request('settings.set', {
      drawing: { steps: 12, guidance: null, negative: '', seed: null, enabled: true },
      sampling: { temperature: 0, topK: 0, topP: 1, maxNewTokens: 60, seed: null },
    });
    const conversation = await say(null, 'Can you draw a cat?');
    const counts = { streaming: 0, answered: 0 };
    for (let kill = 0; kill < kills; kill += 1) {
      const action = actions[kill % actions.length]!;
      // There is always something behind the first picture that can be edited and deleted.
      if ((await settle(conversation)).turns.length < 4)
        await say(conversation, 'Tell me about the sea.');
      if (action === 'draw again' || action === 'edit caption') await pictureIn(conversation);
      const before = readTree();
      const { name, body, isStored } = await plan(action, conversation, before, kill);
      await begin(name, body);
      // A change of rows alone is over in milliseconds: half of the kills come at once, whatever was answered.
      const atOnce = random() < 0.5;
      await browser.pause(random() * (atOnce ? 20 : longestWaitMs));
      const reply = atOnce ? null : await answer();
      process.kill(mainPid(), 'SIGKILL');
      const after = readTree();
      expect({ kill, action, faults: faultsOf(after) }).toEqual({ kill, action, faults: [] });
      expect({ kill, action, missing: missingFrom(before, after) }).toEqual({
        kill,
        action,
        missing: [],
      });
      if (reply !== null) {
        counts.answered += 1;
        expect({ kill, action, ok: reply.ok }).toEqual({ kill, action, ok: true });
        expect({ kill, action, stored: isStored?.(after, reply) ?? true }).toEqual({
          kill,
          action,
          stored: true,
        });
      }
      if (after.turns.some(({ status }) => status === 'streaming')) counts.streaming += 1;
      await restartApp();
      await engineReady();
      // What was being written when it died is still there, and the window shows the path that is stored.
      const started = readTree();
      expect({ kill, action, faults: faultsOf(started) }).toEqual({ kill, action, faults: [] });
      expect({ kill, action, missing: missingFrom(before, started) }).toEqual({
        kill,
        action,
        missing: [],
      });
      const { turns } = await open(conversation);
      expect(turns.map(({ id }) => id)).toEqual(shownPath(started, conversation));
      if ((kill + 1) % 10 === 0)
        console.log(`${kill + 1} kills of ${kills}, ${counts.streaming} in a reply`);
    }
    const { turns, parts } = readTree();
    console.log(
      `${kills} kills: ${counts.streaming} while a reply or drawing was being made, ${counts.answered} after the answer; ` +
        `${turns.length} turns, ${parts.length} parts at the end`,
    );
    expect(counts.streaming).toBeGreaterThan(0);
    expect(await byId(testIds.problem).isExisting()).toBe(false);
  });
});
