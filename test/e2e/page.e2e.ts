// A window whose page dies or hangs: it is loaded again, and where that does not help the app says so itself.
import { appLog, pagePids } from './harness/app.ts';
import { engineReady } from './harness/window.ts';

const noticeSelector = '[data-testid="page-notice"]';
const times = (words: string): number => appLog().split(words).length - 1;

async function killPage(): Promise<void> {
  const before = times('page process gone');
  for (const pid of pagePids()) process.kill(pid, 'SIGKILL');
  await browser.waitUntil(async () => times('page process gone') > before, { timeout: 20_000 });
}

/** Goes to the notice, a page beside the window's own. */
async function toNotice(): Promise<void> {
  await browser.waitUntil(
    async () => {
      for (const handle of await browser.getWindowHandles()) {
        await browser.switchToWindow(handle);
        if ((await browser.getUrl()).startsWith('textbind-app://notice/')) return true;
      }
      return false;
    },
    { timeout: 20_000, timeoutMsg: 'no notice among the windows' },
  );
}

async function toPage(): Promise<void> {
  await browser.waitUntil(async () => {
    for (const handle of await browser.getWindowHandles()) {
      await browser.switchToWindow(handle);
      if ((await browser.getUrl()).startsWith('textbind-app://page/')) return true;
    }
    return false;
  });
}

describe('a page', () => {
  before(engineReady);

  it('that dies is loaded again; the fourth time within a minute a notice offers to', async () => {
    for (let death = 0; death < 3; death += 1) {
      await killPage();
      // It is back: there is a page's process again.
      await browser.waitUntil(async () => pagePids().length > 0, { timeout: 20_000 });
      await browser.pause(1000);
    }
    expect(times('page notice fault=gone')).toBe(0);
    await killPage();
    await browser.waitUntil(async () => times('page notice fault=gone') === 1);
    await toNotice();
    await expect($(noticeSelector)).toHaveText(expect.stringContaining('stopped working'));
    await $('[data-testid="notice-reload"]').click();
    await browser.waitUntil(async () => times('page notice answered action=reload') === 1);
    await toPage();
    await engineReady();
  });

  it('that hangs is told of, and opened again when asked', async () => {
    // From outside of the driver, which would wait for the page; the key press is what goes unanswered.
    await browser.execute(() => {
      setTimeout(() => {
        const end = Date.now() + 600_000;
        while (Date.now() < end);
      }, 500);
    });
    await browser.pause(1000);
    const pressed = browser.keys(['a']).catch(() => undefined);
    await browser.waitUntil(async () => times('page notice fault=hung') === 1, { timeout: 90_000 });
    await toNotice();
    await $('[data-testid="notice-reload"]').click();
    await browser.waitUntil(async () => times('page notice answered action=reload') === 2);
    await pressed;
    await toPage();
    await engineReady();
  });
});
