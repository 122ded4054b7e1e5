// The list of conversations as it is laid out: titles end in an ellipsis, nothing is pushed out, a hit is led to, and
// what is new is in sight.
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { openDatabase } from '../../src/main/database/open.ts';
import { createStore } from '../../src/main/database/store.ts';
import { testIds } from '../../src/renderer/test-ids.ts';
import { emptyTurn, type Turn } from '../../src/shared/domain/turn.ts';
import { app } from './harness/app.ts';
import { boxOf } from './harness/look.ts';
import { showFilled } from './harness/stored.ts';
import { ask, byId, screenshot, selector } from './harness/window.ts';

const said = (text: string, index: number): Turn => ({
  ...emptyTurn({ id: randomUUID(), role: index % 2 === 0 ? 'user' : 'assistant', createdAt: 1 }),
  parts: [{ kind: 'text', text }],
  status: 'complete',
});

/** Beside the app, as another program may write into its database. */
function fill(): void {
  const data = path.join(app().userData, 'data');
  const database = openDatabase({
    file: path.join(data, 'textbind.db'),
    backupFolder: path.join(data, 'backups'),
  });
  const { conversations, turns, transaction } = createStore(database);
  transaction(() => {
    for (let number = 1; number <= 60; number += 1) {
      const id = randomUUID();
      const title = `Conversation ${number} whose title goes on and on beyond the panel's edge`;
      conversations.create(id, title, Date.now() - number * 1000);
      const count = number === 40 ? 120 : 2;
      for (let turn = 0; turn < count; turn += 1) {
        const words = number === 40 && turn === 7 ? 'There stood a heron.' : 'Some words.';
        turns.append(id, said(words, turn));
      }
    }
  });
  database.close();
}

async function search(words: string): Promise<void> {
  await byId(testIds.search).click();
  await byId(testIds.search).setValue(words);
}

describe('the list', () => {
  before(() => showFilled(fill));

  it('ends a long title in an ellipsis, clear of its menu', async () => {
    const titles = await browser.execute(
      (item: string, menu: string) =>
        [...document.querySelectorAll(item)].slice(0, 5).map((button) => {
          const name = button.querySelector<HTMLElement>('.name')!;
          const more = button.parentElement!.querySelector(menu)!;
          return {
            isCut: name.scrollWidth > name.clientWidth,
            overflow: getComputedStyle(name).textOverflow,
            room: more.getBoundingClientRect().left - name.getBoundingClientRect().right,
          };
        }),
      selector(testIds.conversationItem),
      selector(testIds.conversationMenu),
    );
    expect(titles).toHaveLength(5);
    for (const title of titles) {
      expect(title).toMatchObject({ isCut: true, overflow: 'ellipsis' });
      expect(title.room).toBeGreaterThanOrEqual(0);
    }
  });

  it('keeps the button for a new conversation beside a search', async () => {
    await search('heron');
    await browser.waitUntil(
      async () => (await $$(selector(testIds.conversationItem)).length) === 1,
    );
    const list = await boxOf(selector(testIds.conversationList));
    const button = await boxOf(selector(testIds.newConversation));
    expect(button.right).toBeLessThanOrEqual(list.right);
    await screenshot('list-search');
  });

  it('leads to what was found, and marks it', async () => {
    await byId(testIds.conversationItem).click();
    await byId(testIds.turn, '[data-revealed="true"]').waitForExist();
    const mark = await browser.execute(() => {
      const [range] = [...(CSS.highlights.get('found') ?? [])] as Range[];
      const box = range?.getBoundingClientRect();
      return { words: range?.toString(), top: box?.top ?? -1, bottom: box?.bottom ?? -1 };
    });
    const conversation = await boxOf(selector(testIds.conversation));
    expect(mark.words).toBe('heron');
    expect(mark.top).toBeGreaterThanOrEqual(conversation.top);
    expect(mark.bottom).toBeLessThanOrEqual(conversation.bottom);
    await screenshot('list-found');
  });

  it('has no heading over nothing', async () => {
    await search('submarine');
    await browser.waitUntil(
      async () => (await $$(selector(testIds.conversationItem)).length) === 0,
    );
    const headings = await $$(`${selector(testIds.conversationList)} h2`).length;
    expect(headings).toBe(0);
    await browser.keys(['Escape']);
    await byId(testIds.conversationItem).waitForDisplayed();
  });

  it('shows a new conversation, however far down it was scrolled', async () => {
    await browser.execute((item: string) => {
      [...document.querySelectorAll(item)].at(-1)?.scrollIntoView({ block: 'end' });
    }, selector(testIds.conversationItem));
    await byId(testIds.newConversation).click();
    await ask('Hello there');
    const current = `${selector(testIds.conversationItem)}[aria-current="page"]`;
    const item = await boxOf(current);
    const list = await boxOf(selector(testIds.conversationList));
    expect(item.top).toBeGreaterThanOrEqual(list.top);
    expect(item.bottom).toBeLessThanOrEqual(list.bottom);
  });
});
