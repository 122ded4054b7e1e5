import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BrowserWindow } from 'electron';
import type { TestId } from '../../renderer/test-ids.ts';

/** The window as a person uses it: what the page is asked goes through its DOM, what it is told through input events. */
export interface DemoPage {
  /** Waits until an element is there and visible. */
  waitFor(id: TestId, attributes?: Readonly<Record<string, string>>): Promise<void>;
  /** Waits until a button may be pressed. */
  waitForEnabled(id: TestId): Promise<void>;
  click(id: TestId): Promise<void>;
  /** Types into the element that is editable. */
  type(id: TestId, words: string): Promise<void>;
  /** Drops a file of this machine on an element, as a drag from the desktop would. */
  dropFile(id: TestId, file: string): Promise<void>;
  /** How many elements there are. */
  count(id: TestId, attributes?: Readonly<Record<string, string>>): Promise<number>;
  /** Waits until every picture in the conversation is decoded and shown, and gives their number. */
  shownPictures(id: TestId): Promise<number>;
  screenshot(file: string): Promise<void>;
}

const pollMs = 100;

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Drives `window`. Every wait ends with an error naming what it waited for when `signal` aborts or `limitMs` pass. */
export function createDemoPage(
  window: BrowserWindow,
  signal: AbortSignal,
  limitMs = 30_000,
): DemoPage {
  const { webContents } = window;
  const ask = <Result>(script: string): Promise<Result> =>
    webContents.executeJavaScript(script, true) as Promise<Result>;
  const until = createWaiting(signal, limitMs);
  const count: DemoPage['count'] = (id, attributes) =>
    ask(`document.querySelectorAll(${JSON.stringify(selectorOf(id, attributes))}).length`);

  return {
    count,
    waitFor: (id, attributes) =>
      until(`"${id}"`, () => ask(`(${isVisible})(${JSON.stringify(selectorOf(id, attributes))})`)),
    waitForEnabled: (id) =>
      until(`"${id}" to be enabled`, () =>
        ask(
          `document.querySelector(${JSON.stringify(`${selectorOf(id)}:not(:disabled):not([aria-disabled=true])`)}) !== null`,
        ),
      ),
    async click(id) {
      const selector = JSON.stringify(selectorOf(id));
      await until(`"${id}"`, () => ask(`(${isVisible})(${selector})`));
      const place = await standstill(() => ask<Place>(`(${middleOf})(${selector})`));
      const at = { ...place, button: 'left' as const, clickCount: 1 };
      webContents.sendInputEvent({ type: 'mouseMove', ...place });
      // A tooltip of what the pointer left may lie over it for a moment.
      const target = `${selector}, ${place.x}, ${place.y}`;
      await until(`"${id}" to lie open`, () => ask(`(${liesOpen})(${target})`));
      webContents.sendInputEvent({ type: 'mouseDown', ...at });
      webContents.sendInputEvent({ type: 'mouseUp', ...at });
    },
    async type(id, words) {
      window.focus();
      webContents.focus();
      const selector = JSON.stringify(selectorOf(id));
      await ask(`document.querySelector(${selector}).focus()`);
      await webContents.insertText(words);
      const arrived = `document.querySelector(${selector}).textContent.includes(${JSON.stringify(words.trim())})`;
      await until(`the words to stand in "${id}"`, () => ask(arrived));
    },
    async dropFile(id, file) {
      const bytes = (await readFile(file)).toString('base64');
      const facts = { selector: selectorOf(id), bytes, name: path.basename(file) };
      await ask(`(${dropInPage})(${JSON.stringify(facts)})`);
    },
    async shownPictures(id) {
      const selector = JSON.stringify(`${selectorOf(id)} img, img${selectorOf(id)}`);
      await until('the pictures to be shown', () => ask(`(${allDecoded})(${selector})`));
      return ask(`document.querySelectorAll(${selector}).length`);
    },
    async screenshot(file) {
      // Two frames, so that what the DOM says is also drawn.
      await ask('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
      const image = await webContents.capturePage();
      await writeFile(file, image.toPNG());
    },
  };
}

type Waiting = (what: string, holds: () => Promise<boolean>) => Promise<void>;

function createWaiting(signal: AbortSignal, limitMs: number): Waiting {
  return async (what, holds) => {
    const end = Date.now() + limitMs;
    while (!(await holds())) {
      if (signal.aborted) throw new Error(`The time was up while waiting for ${what}.`);
      if (Date.now() > end) throw new Error(`Waited ${limitMs / 1000} s in vain for ${what}.`);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  };
}

/** A menu slides to its place: a person clicks when it stands still. */
async function standstill(where: () => Promise<Place>): Promise<Place> {
  let before = await where();
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    const now = await where();
    if (now.x === before.x && now.y === before.y) return now;
    before = now;
  }
}

function selectorOf(id: TestId, attributes: Readonly<Record<string, string>> = {}): string {
  const rest = Object.entries(attributes).map(([name, value]) => `[${name}="${value}"]`);
  return `[data-testid="${id}"]${rest.join('')}`;
}

// What follows runs in the page; main has no DOM, so it is text.

const isVisible = `(selector) => {
  const element = document.querySelector(selector);
  return element !== null && element.getClientRects().length > 0;
}`;

const middleOf = `(selector) => {
  const element = document.querySelector(selector);
  element.scrollIntoView({ block: 'nearest' });
  const box = element.getBoundingClientRect();
  return { x: Math.round(box.x + box.width / 2), y: Math.round(box.y + box.height / 2) };
}`;

const liesOpen = `(selector, x, y) =>
  document.querySelector(selector).contains(document.elementFromPoint(x, y))`;

const dropInPage = `({ selector, bytes, name }) => {
  const data = Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([data], name, { type: 'image/png' }));
  const element = document.querySelector(selector);
  const box = element.getBoundingClientRect();
  const place = { clientX: box.right - 4, clientY: box.y + box.height / 2 };
  for (const type of ['dragenter', 'dragover', 'drop']) {
    const event = new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer, ...place });
    element.dispatchEvent(event);
  }
}`;

const allDecoded = `(selector) => [...document.querySelectorAll(selector)]
  .every((image) => image.complete && image.naturalWidth > 0)`;
