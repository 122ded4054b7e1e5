// The window in Chinese: chosen in Settings, at once and for good; every place, looked at by axe; and back to English.
import { testIds, type TestId } from '../../src/renderer/test-ids.ts';
import { restartApp } from './harness/app.ts';
import { click, expectNoFinding, theme } from './harness/axe.ts';
import { answered, ask, byId, engineReady, screenshot, selector } from './harness/window.ts';

async function choose(language: 'system' | 'en' | 'zh'): Promise<void> {
  await click(testIds.railSettings);
  await byId(testIds.settingsLanguage).waitForExist();
  await browser.execute(
    (radio: string) => {
      document.querySelector<HTMLInputElement>(radio)!.click();
    },
    selector(testIds.settingsLanguage, ` input[value="${language}"]`),
  );
  await browser.waitUntil(
    async () => (await byId(testIds.settingsLanguage).getAttribute('data-value')) === language,
  );
}

const pageLanguage = (): Promise<string> => browser.execute(() => document.documentElement.lang);

/**
 * Words of the Latin alphabet on the page, seen and heard, without what is a person's, a model's, the catalogue's, a path or a licence:
 * names, units and keys remain.
 */
const latinWords = (): Promise<string[]> =>
  browser.execute(() => {
    const own =
      'code, kbd, a, dd, details, .path, [dir="auto"], [aria-live], [data-testid="turn"], [data-testid="starter"], [data-testid="model-item"], [data-testid="gallery-item"], .catalogue';
    const found = new Set<string>();
    const note = (text: string): void => {
      for (const [words] of text.matchAll(/[A-Za-z]{2,}(?: [A-Za-z]{2,})+/g)) found.add(words);
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const { parentElement } = node;
      if (parentElement?.closest(`${own}, style, script`) === null) note(node.textContent ?? '');
    }
    for (const element of document.querySelectorAll('[aria-label], [title], [placeholder]')) {
      if (element.closest(own) !== null) continue;
      for (const name of ['aria-label', 'title', 'placeholder'])
        note(element.getAttribute(name) ?? '');
    }
    return [...found];
  });

/** What Chinese says in Latin letters too. */
const names =
  /^(TextBind( (Studio|mini|JSON|tar))?|Hugging Face|Control [A-Z]|Answer in one sentence|WebDataset tar|Electron( and Chromium)?|npm start|git pull|Python|NVIDIA GPU|Slurm|BY NC|Apache)$/;

describe('the window in Chinese', () => {
  before(engineReady);

  it('is chosen in Settings, and shown at once', async () => {
    expect(await pageLanguage()).toBe('en');
    await choose('zh');
    expect(await pageLanguage()).toBe('zh-Hans');
    await expect(byId(testIds.settingsView).$('h1')).toHaveText('设置');
    await expect(byId(testIds.railChat)).toHaveAttribute('aria-label', '对话');
  });

  it('takes a message and gives a reply', async () => {
    await click(testIds.railChat);
    await expect(byId(testIds.emptyState).$('h1')).toHaveText('用文字和图片交谈');
    await expect(byId(testIds.composerInput)).toHaveAttribute('aria-label', '消息');
    const reply = await ask('Draw a penguin.');
    expect(reply.status).toMatch(answered);
    await expect(byId(testIds.turn, '[data-role="user"]')).toHaveAttribute('aria-label', '您');
    expect((await latinWords()).filter((words) => !names.test(words))).toEqual([]);
    await expectNoFinding();
  });

  it('has menus in Chinese', async () => {
    await byId(testIds.exportMenu).click();
    await byId(testIds.exportMore).waitForDisplayed();
    expect(await byId(testIds.exportMore).getText()).toContain('更多格式');
    await browser.keys(['Escape']);
    await byId(testIds.exportMore).waitForExist({ reverse: true });
    await click(testIds.conversationSettings);
    await byId(testIds.ownSettings).waitForDisplayed();
    expect((await latinWords()).filter((words) => !names.test(words))).toEqual([]);
    await screenshot('zh-chat-inspector');
    await click(testIds.inspectorClose);
    // The button that has the focus again, and the one that is under the pointer now, show tips, which stand in no landmark.
    await byId(testIds.conversation).moveTo();
    await browser.execute(() => {
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    });
    await $('.tip').waitForExist({ reverse: true });
  });

  for (const [place, rail, view] of [
    ['gallery', testIds.railGallery, testIds.galleryView],
    ['training', testIds.railTraining, testIds.trainingView],
    ['models', testIds.railModels, testIds.modelsView],
    ['settings', testIds.railSettings, testIds.settingsView],
    ['chat', testIds.railChat, testIds.conversation],
  ] as const satisfies readonly (readonly [string, TestId, TestId])[]) {
    it(`is Chinese in ${place}, and axe finds nothing`, async () => {
      await click(rail);
      await byId(view).waitForDisplayed();
      expect((await latinWords()).filter((words) => !names.test(words))).toEqual([]);
      await expectNoFinding();
      await theme('light');
      await screenshot(`zh-${place}`);
      await theme('dark');
      await screenshot(`zh-${place}-dark`);
    });
  }

  it('is Chinese still after a restart', async () => {
    await restartApp();
    await engineReady();
    expect(await pageLanguage()).toBe('zh-Hans');
    await expect(byId(testIds.railSettings)).toHaveAttribute('aria-label', '设置');
  });

  it('goes back to English at once', async () => {
    await choose('en');
    expect(await pageLanguage()).toBe('en');
    await expect(byId(testIds.settingsView).$('h1')).toHaveText('Settings');
    await expect(byId(testIds.railChat)).toHaveAttribute('aria-label', 'Chat');
  });
});

describe('a desktop in Chinese', () => {
  it('has the window in Chinese without a choice', async () => {
    await choose('system');
    await restartApp({ env: { LANG: 'zh_CN.UTF-8', LANGUAGE: 'zh_CN', LC_ALL: 'zh_CN.UTF-8' } });
    await engineReady();
    expect(await pageLanguage()).toBe('zh-Hans');
    await expect(byId(testIds.railChat)).toHaveAttribute('aria-label', '对话');
  });
});
