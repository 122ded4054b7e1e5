// Every view, light and dark, looked at by axe: no finding. And what a keyboard and a screen reader need of the chat.
import { testIds } from '../../src/renderer/test-ids.ts';
import { click, expectNoFinding } from './harness/axe.ts';
import {
  answered,
  ask,
  byId,
  engineReady,
  selector,
  settled,
  turns,
  type,
} from './harness/window.ts';

const focused = (): Promise<string> =>
  browser.execute(() => {
    const element = document.activeElement as HTMLElement | null;
    return element?.dataset['testid'] ?? element?.getAttribute('aria-label') ?? '';
  });

describe('axe finds nothing', () => {
  before(engineReady);

  it('in a new conversation', expectNoFinding);

  it('in a conversation with pictures, its inspector and its find bar', async () => {
    expect((await ask('Draw a penguin.')).status).toMatch(answered);
    await expectNoFinding();
    await click(testIds.conversationSettings);
    await byId(testIds.ownSettings).waitForDisplayed();
    await expectNoFinding();
    await click(testIds.inspectorClose);
    await click(testIds.filterOpen);
    await byId(testIds.filters).waitForDisplayed();
    await browser.keys(['Control', 'f']);
    await byId(testIds.findBar).waitForDisplayed();
    await expectNoFinding();
    await browser.keys(['Escape']);
    await click(testIds.filterOpen);
  });

  it('while a message is too long, or edited, and in menus', async () => {
    await click(testIds.editMessage);
    await byId(testIds.messageEditor).waitForDisplayed();
    await expectNoFinding();
    await click(testIds.messageCancel);
    await byId(testIds.exportMenu).click();
    await byId(testIds.exportMore).waitForDisplayed();
    try {
      await expectNoFinding();
    } finally {
      // One finding is enough: what follows is looked at without the menu.
      await browser.keys(['Escape']);
    }
    await byId(testIds.exportMore).waitForExist({ reverse: true });
  });

  it('in the lightbox and at the bench', async () => {
    if ((await $$(selector(testIds.openPicture)).length) === 0) {
      expect((await ask('Draw a cat.')).pictures).toBeGreaterThan(0);
    }
    await click(testIds.openPicture);
    await byId(testIds.lightbox).waitForDisplayed();
    await expectNoFinding();
    await click(testIds.lightboxClose);
    await byId(testIds.lightbox).waitForExist({ reverse: true });
    await click(testIds.openBench);
    await byId(testIds.bench).waitForDisplayed();
    await expectNoFinding();
    await click(testIds.benchClose);
    await byId(testIds.bench).waitForExist({ reverse: true });
  });

  for (const [place, rail, view] of [
    ['the gallery', testIds.railGallery, testIds.galleryView],
    ['training', testIds.railTraining, testIds.trainingView],
    ['models', testIds.railModels, testIds.modelsView],
    ['settings', testIds.railSettings, testIds.settingsView],
  ] as const) {
    it(`in ${place}`, async () => {
      await click(rail);
      await byId(view).waitForDisplayed();
      await expectNoFinding();
    });
  }

  it('in the trash, the export dialog and the list of keys', async () => {
    await click(testIds.railChat);
    await click(testIds.openTrash);
    await byId(testIds.trashView).waitForDisplayed();
    await expectNoFinding();
    await click(testIds.railSettings);
    await click(testIds.exportAll);
    await byId(testIds.exchange).waitForDisplayed();
    await expectNoFinding();
    await click(testIds.exchangeClose);
    await byId(testIds.exchange).waitForExist({ reverse: true });
    await browser.keys(['Control', '/']);
    await byId(testIds.shortcuts).waitForDisplayed();
    await expectNoFinding();
    await browser.keys(['Escape']);
    await click(testIds.railChat);
  });
});

describe('a conversation by keyboard and ear', () => {
  it('has a skip link first, and a key that leads to the message', async () => {
    await browser.execute(() => {
      (document.activeElement as HTMLElement | null)?.blur();
      document.body.tabIndex = -1;
      document.body.focus();
    });
    await browser.keys(['Tab']);
    expect(await focused()).toBe(testIds.skipLink);
    await browser.keys(['Enter']);
    await browser.waitUntil(async () => (await focused()) === testIds.composerInput);
    await browser.execute((list: string) => {
      document.querySelector<HTMLElement>(list)!.focus();
    }, selector(testIds.conversation));
    await browser.keys(['Control', 'l']);
    await browser.waitUntil(async () => (await focused()) === testIds.composerInput);
  });

  it('says that the model answers, and then what it said, once', async () => {
    await browser.execute((list: string) => {
      const said: string[] = [];
      Object.assign(window, { said });
      const region = document.querySelector(`${list} ~ [aria-live="polite"]`)!;
      new MutationObserver(() => said.push(region.textContent)).observe(region, {
        childList: true,
        characterData: true,
        subtree: true,
      });
    }, selector(testIds.conversation));
    const before = (await turns()).length;
    await type('Hello there');
    await browser.keys(['Enter']);
    const reply = await settled(before + 2);
    const said = await browser.waitUntil(async () => {
      const all = await browser.execute(() => (window as unknown as { said: string[] }).said);
      return all.length >= 2 ? all : false;
    });
    expect(said[0]).toBe('The model is answering.');
    const words = reply.text.split(/\s+/).slice(0, 2).join(' ');
    expect((said as string[]).at(-1)).toContain(words);
    expect(said).toHaveLength(2);
  });

  it('is reached and left by Tab: one stop for the list, however long it is', async () => {
    const stops = await browser.execute((list: string) => {
      const all = [...document.querySelectorAll<HTMLElement>(`${list} li *`)];
      return all.filter((element) => element.tabIndex === 0).length;
    }, selector(testIds.conversationList));
    expect(stops).toBe(1);
  });
});
