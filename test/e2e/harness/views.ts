// A screen as people have it: in a large window and the smallest, light and dark, in English and in Chinese.
import { theme } from './axe.ts';
import { screenshot } from './window.ts';

/** Asks main as the window does. */
export async function request(name: string, body: unknown): Promise<unknown> {
  return browser.execute(
    async (asked: string, given: unknown) => {
      const { api } = window as unknown as {
        api: { request(name: string, body: unknown): Promise<unknown> };
      };
      return api.request(asked, given);
    },
    name,
    body,
  );
}

/** What Chromium lays out in a window of this size. */
export async function size(width: number, height: number): Promise<void> {
  const screen = { width, height, deviceScaleFactor: 1, mobile: false };
  await browser.sendCommand('Emulation.setDeviceMetricsOverride', screen);
  await browser.waitUntil(() => browser.execute((wide: number) => innerWidth === wide, width));
}

export async function language(name: 'en' | 'zh'): Promise<void> {
  await request('settings.set', { language: name });
  const lang = name === 'zh' ? 'zh-Hans' : 'en';
  await browser.waitUntil(() =>
    browser.execute((wanted: string) => document.documentElement.lang === wanted, lang),
  );
}

/** English sentences in an element: three Latin words in a row, without what is a name or a path. */
const englishWords = (at: string, names: readonly string[]): Promise<string[]> =>
  browser.execute(
    (place: string, known: readonly string[]) => {
      const found = new Set<string>();
      const note = (text: string): void => {
        const own = known.reduce((less, name) => less.replaceAll(name, '·'), text);
        for (const [words] of own.matchAll(/[A-Za-z’']+(?: [A-Za-z’']+){2,}/g)) found.add(words);
      };
      const root = document.querySelector(place) ?? document.body;
      const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        const away = node.parentElement?.closest(
          'style, script, code, select, .path, [dir="auto"]',
        );
        if (away === null) note(node.textContent ?? '');
      }
      for (const element of root.querySelectorAll('[aria-label]')) {
        note(element.getAttribute('aria-label') ?? '');
      }
      return [...found];
    },
    at,
    names,
  );

/** How far anything on the page reaches over its right edge, pixels. */
const overflow = (): Promise<number> =>
  browser.execute(() => {
    const pages = [...document.querySelectorAll('.page')];
    return Math.max(
      document.body.scrollWidth - innerWidth,
      ...pages.map((page) => page.scrollWidth - page.clientWidth),
    );
  });

const show = (at: string): Promise<void> =>
  browser.execute((place: string) => {
    document.querySelector(place)?.scrollIntoView({ block: 'center' });
  }, at);

/**
 * A state at 1280 x 800 in English and light, and at 800 x 600 in Chinese and dark: nothing reaches over the edge, and
 * no English is left in what is to be seen.
 * @param at a selector of what is to be seen
 * @param names what Chinese says in Latin letters too
 */
export async function seen(name: string, at: string, names: readonly string[] = []): Promise<void> {
  await size(1280, 800);
  await theme('light');
  await show(at);
  await screenshot(`${name}-1280-light-en`);
  await size(800, 600);
  await language('zh');
  await theme('dark');
  await show(at);
  await screenshot(`${name}-800-dark-zh`);
  expect({ name, overflow: await overflow() }).toEqual({ name, overflow: 0 });
  const english = await englishWords(at, names);
  await language('en');
  await theme('light');
  await size(1280, 800);
  expect({ name, english }).toEqual({ name, english: [] });
}
