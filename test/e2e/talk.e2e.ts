// The conversation as a person steers it, in the real window: meter, mark, trimming, settings, list, finding, zoom.
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { openDatabase } from '../../src/main/database/open.ts';
import { createStore } from '../../src/main/database/store.ts';
import { testIds, type TestId } from '../../src/renderer/test-ids.ts';
import { emptyTurn, type Turn } from '../../src/shared/domain/turn.ts';
import { app, restartApp } from './harness/app.ts';
import { openTitled } from './harness/stored.ts';
import {
  answered,
  ask,
  byId,
  engineReady,
  screenshot,
  selector,
  settled,
  turns,
} from './harness/window.ts';

const said = (text: string, index: number): Turn => ({
  ...emptyTurn({ id: randomUUID(), role: index % 2 === 0 ? 'user' : 'assistant', createdAt: 1 }),
  parts: [{ kind: 'text', text }],
  status: 'complete',
  model: index % 2 === 0 ? null : 'Another model',
});

/** Beside the app, as another program may write into its database. */
function fill(): void {
  const data = path.join(app().userData, 'data');
  const database = openDatabase({
    file: path.join(data, 'textbind.db'),
    backupFolder: path.join(data, 'backups'),
  });
  const { conversations, turns: table, transaction } = createStore(database);
  transaction(() => {
    for (const [title, count] of [
      ['Two thousand turns', 2000],
      ['中文对话', 2],
      ['Old plans', 2],
    ] as const) {
      const id = randomUUID();
      conversations.create(id, title, Date.now() - 40 * 86_400_000);
      for (let turn = 0; turn < count; turn += 1) {
        const words = title === '中文对话' ? '昨天我看见一只苹果色的猫' : `Words of turn ${turn}.`;
        table.append(id, said(turn === 7 ? 'There stood a heron in Quxwick.' : words, turn));
      }
    }
  });
  database.close();
}

async function paste(words: string): Promise<void> {
  await byId(testIds.composerInput).click();
  await browser.execute((text: string) => {
    const data = new DataTransfer();
    data.setData('text/plain', text);
    document.activeElement?.dispatchEvent(
      new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }),
    );
  }, words);
}

const meter = async (): Promise<{ tokens: number; room: number }> => ({
  tokens: Number(await byId(testIds.meter).getAttribute('data-tokens')),
  room: Number(await byId(testIds.meter).getAttribute('data-room')),
});

const items = (): Promise<string[]> =>
  browser.execute(
    (item: string) =>
      [...document.querySelectorAll(item)].map((each) => each.querySelector('.name')!.textContent),
    selector(testIds.conversationItem),
  );

async function theme(name: 'light' | 'dark'): Promise<void> {
  await browser.execute((value: string) => {
    document.documentElement.dataset['theme'] = value;
  }, name);
}

/** The same screen in both. */
async function look(name: string): Promise<void> {
  for (const each of ['light', 'dark'] as const) {
    await theme(each);
    await screenshot(`${name}-${each}`);
  }
}

const inMenu = async (id: TestId): Promise<void> => {
  await byId(id).waitForDisplayed();
  await byId(id).click();
};

describe('the meter', () => {
  before(engineReady);

  it('counts by the engine while one writes, and the reply was read with as many', async () => {
    await byId(testIds.meter).waitForDisplayed();
    const { tokens: before, room } = await meter();
    await byId(testIds.composerInput).click();
    await byId(testIds.composerInput).addValue('What is a red apple?');
    await browser.waitUntil(async () => (await meter()).tokens > before);
    const { tokens } = await meter();
    await browser.keys(['Enter']);
    expect((await settled(2)).status).toMatch(answered);
    expect(room).toBeGreaterThan(tokens);
    await byId(testIds.turn).moveTo();
    await browser.execute((id: string) => {
      document.querySelector<HTMLElement>(id)?.scrollIntoView();
    }, selector(testIds.turnUsage));
    const figures = await browser.execute(
      async () => document.querySelectorAll('[data-turn-id]').length,
    );
    expect(figures).toBe(2);
    await look('meter');
  });

  it('stops a message that is too long before it is sent, and cuts it to fit', async () => {
    await paste('The tide comes in and the tide goes out again. '.repeat(143));
    await byId(testIds.tooMuch).waitForDisplayed();
    await browser.keys(['Enter']);
    await look('too-much');
    expect(await turns()).toHaveLength(2);
    await byId(testIds.trimMessage).click();
    await byId(testIds.tooMuch).waitForExist({ reverse: true });
    const { tokens, room } = await meter();
    expect(tokens).toBeLessThanOrEqual(room);
    expect(await byId(testIds.composerInput).getText()).toContain(' … ');
    // The message leaves no room for what stands before it, and the line says so.
    await byId(testIds.readsFrom).waitForDisplayed();
    await look('reads-from');
    await browser.keys(['Enter']);
    expect((await settled(4)).status).toMatch(answered);
  });
});

describe('settings of one conversation', () => {
  it('are asked with, and stay after a restart, which opens it again', async () => {
    await byId(testIds.newConversation).click();
    await byId(testIds.conversationSettings).click();
    await byId(testIds.ownSettings).waitForDisplayed();
    const { tokens: before } = await meter();
    await byId(testIds.ownSystem).setValue('Answer in one short sentence, please.');
    await byId(testIds.ownSettings).$('p').click();
    await browser.waitUntil(async () => (await meter()).tokens > before);
    await byId(testIds.settingsTemperature).setValue('1,5');
    await browser.keys(['Tab']);
    expect(await byId(testIds.settingsTemperature).getValue()).toBe('1.5');
    await look('own-settings');
    expect((await ask('Hello!')).status).toMatch(answered);
    const title = await byId(testIds.conversationTitle).getText();
    await restartApp();
    await engineReady();
    await browser.waitUntil(
      async () => (await byId(testIds.conversationTitle).getText()) === title,
    );
    // After a clean end nothing says that the engine stopped.
    expect(await $$(selector(testIds.engineRestart)).length).toBe(0);
    await byId(testIds.conversationSettings).click();
    expect(await byId(testIds.ownSystem).getValue()).toBe('Answer in one short sentence, please.');
    expect(await byId(testIds.settingsTemperature).getValue()).toBe('1.5');
    await byId(testIds.ownReset).click();
    await browser.waitUntil(async () => (await byId(testIds.ownSystem).getValue()) === '');
  });

  it('and one reply is written anew with others', async () => {
    await byId(testIds.regenerateWith).waitForExist();
    await browser.execute((id: string) => {
      document.querySelector<HTMLElement>(id)!.click();
    }, selector(testIds.regenerateWith));
    await byId(testIds.regenerateFields).waitForDisplayed();
    await look('regenerate-with');
    await byId(testIds.regenerateStart).click();
    await byId(testIds.turnVersions).waitForExist();
    expect((await settled(2)).status).toMatch(answered);
  });
});

describe('the list', () => {
  before(async () => {
    fill();
    await browser.refresh();
    await engineReady();
    await browser.waitUntil(async () => (await items()).includes('Old plans'));
  });

  it('finds two letters of Chinese, and parts of words', async () => {
    await byId(testIds.search).setValue('苹果');
    await browser.waitUntil(async () => (await items()).join() === '中文对话');
    await look('search-chinese');
    await byId(testIds.search).setValue('uxwic');
    await browser.waitUntil(async () => (await items()).join() === 'Two thousand turns');
    await browser.keys(['Escape']);
    await browser.waitUntil(async () => (await items()).length > 2);
  });

  it('pins, tags, archives and filters, by the keyboard too', async () => {
    await browser.execute((item: string) => {
      const all = [...document.querySelectorAll<HTMLElement>(item)];
      all.find((each) => each.textContent.includes('Old plans'))!.focus();
    }, selector(testIds.conversationItem));
    await browser.keys(['ArrowRight']);
    await inMenu(testIds.conversationPin);
    await browser.waitUntil(async () => (await items())[0] === 'Old plans');
    await $(selector(testIds.conversationMenu)).click();
    await inMenu(testIds.conversationTags);
    await byId(testIds.tagEditor).setValue('garden, 计划');
    await browser.keys(['Enter']);
    await browser.waitUntil(async () =>
      (await $(selector(testIds.conversationItem)).getText()).includes('计划'),
    );
    await byId(testIds.filterOpen).click();
    await byId(testIds.filters).waitForDisplayed();
    await look('list');
    await $(selector(testIds.conversationMenu)).click();
    await inMenu(testIds.conversationArchive);
    await browser.waitUntil(async () => !(await items()).includes('Old plans'));
    await byId(testIds.filters).$('select[id$="archived"]').selectByAttribute('value', 'archive');
    await browser.waitUntil(async () => (await items()).join() === 'Old plans');
    await look('archive');
    await byId(testIds.filterClear).click();
    await browser.waitUntil(async () => (await items()).length > 2);
    await byId(testIds.filterOpen).click();
  });

  it('is as wide as it is dragged, after a reload too', async () => {
    const width = (): Promise<number> =>
      browser.execute(
        (list: string) => document.querySelector(list)!.getBoundingClientRect().width,
        selector(testIds.conversationList),
      );
    const handle = byId(testIds.listResize);
    await handle.dragAndDrop({ x: 90, y: 0 });
    await browser.waitUntil(async () => Math.abs((await width()) - 370) < 8);
    const wide = await width();
    await browser.refresh();
    await engineReady();
    await browser.waitUntil(async () => (await width()) === wide);
    await browser.execute((id: string) => {
      document.querySelector<HTMLElement>(id)!.focus();
    }, selector(testIds.listResize));
    await browser.keys(['ArrowLeft']);
    await browser.waitUntil(async () => (await width()) === wide - 16);
  });
});

describe('a conversation of 2,000 turns', () => {
  const top = (): Promise<number> =>
    browser.execute(
      (list: string) => document.querySelector(list)!.scrollTop,
      selector(testIds.conversation),
    );

  it('is gone to its first turn by Home, and to its last by End', async () => {
    await openTitled('Two thousand turns');
    await browser.execute((list: string) => {
      document.querySelector<HTMLElement>(list)!.focus();
    }, selector(testIds.conversation));
    await browser.keys(['Home']);
    await browser.waitUntil(async () => (await turns())[0]?.text === 'Words of turn 0.');
    await browser.waitUntil(async () => (await top()) === 0);
    await browser.keys(['End']);
    await browser.waitUntil(async () => (await turns()).at(-1)?.text === 'Words of turn 1999.');
  });

  it('is searched by Ctrl F', async () => {
    await browser.keys(['Control', 'f']);
    await byId(testIds.findInput).waitForDisplayed();
    await browser.keys([...'heron']);
    await byId(testIds.turn, '[data-revealed="true"]').waitForExist();
    expect(await byId(testIds.findCount).getText()).toBe('1 of 1');
    await look('find');
    await byId(testIds.findInput).setValue('turn 19');
    await browser.waitUntil(async () => (await byId(testIds.findCount).getText()).startsWith('11'));
    await browser.keys(['Enter']);
    await browser.waitUntil(async () => (await byId(testIds.findCount).getText()) === '1 of 111');
    await browser.keys(['Escape']);
    await byId(testIds.findBar).waitForExist({ reverse: true });
  });
});

describe('a small window at 200 %', () => {
  // What Chromium lays out then: half as many CSS pixels. A driver's keys do not pass where zoom is read from
  // (test/main/zoom-keys.test.ts has them).
  const screen = { width: 400, height: 300, deviceScaleFactor: 2, mobile: false };
  after(() => browser.sendCommand('Emulation.clearDeviceMetricsOverride', {}));

  it('has room for Settings', async () => {
    await browser.sendCommand('Emulation.setDeviceMetricsOverride', screen);
    await browser.waitUntil(() => browser.execute(() => innerWidth === 400));
    await browser.execute((id: string) => {
      document.querySelector<HTMLElement>(id)!.click();
    }, selector(testIds.railSettings));
    await byId(testIds.settingsView).waitForDisplayed();
    const wide = await browser.execute((view: string) => {
      const page = document.querySelector(view)!;
      return {
        page: page.scrollWidth - page.clientWidth,
        all: document.body.scrollWidth - innerWidth,
      };
    }, selector(testIds.settingsView));
    expect(wide).toEqual({ page: 0, all: 0 });
    await look('settings-200');
  });
});
