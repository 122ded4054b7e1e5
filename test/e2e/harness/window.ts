// The window as a person uses it, by the ids that src/renderer/test-ids.ts promises.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { testIds, type TestId } from '../../../src/renderer/test-ids.ts';

/** How long a reply or a start may take on a slow machine that does other things as well, ms. */
const patienceMs = 120_000;

export const selector = (id: TestId, more = ''): string => `[data-testid="${id}"]${more}`;
export const byId = (id: TestId, more = ''): ReturnType<typeof $> => $(selector(id, more));

/** Waits until the engine can be asked. */
export async function engineReady(): Promise<void> {
  await byId(testIds.composerInput).waitForDisplayed({ timeout: patienceMs });
  await byId(testIds.composerReason).waitForExist({ reverse: true, timeout: patienceMs });
}

/** Drops files on the composer as a file manager does: a drop event with their bytes. */
export async function dropFiles(...files: string[]): Promise<void> {
  const payload = files.map((file) => ({
    name: path.basename(file),
    base64: readFileSync(file).toString('base64'),
  }));
  await browser.execute(
    (target: string, list: { name: string; base64: string }[]) => {
      const transfer = new DataTransfer();
      for (const { name, base64 } of list) {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        const type = name.endsWith('.png') ? 'image/png' : 'image/jpeg';
        transfer.items.add(new File([bytes], name, { type }));
      }
      const place = document.querySelector(target);
      if (place === null) throw new Error(`nothing at ${target}`);
      const box = place.getBoundingClientRect();
      const at = { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 };
      for (const kind of ['dragenter', 'dragover', 'drop']) {
        place.dispatchEvent(
          new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer, ...at }),
        );
      }
    },
    selector(testIds.composerInput),
    payload,
  );
}

/**
 * How a reply ends that came through whole: by its own end or at its limit of tokens. Which of the two is the embedded
 * model's affair, and differs with the machine's arithmetic and with what a picture's seed drew.
 */
export const answered = /^(?:complete|cut)$/;

/** Types into the composer at its end. */
export async function type(text: string): Promise<void> {
  const input = byId(testIds.composerInput);
  await input.click();
  await input.addValue(text);
}

/** Presses Send once it can be pressed. */
export async function pressSend(): Promise<void> {
  await byId(testIds.send).waitForClickable({ timeout: patienceMs });
  await byId(testIds.send).click();
}

export type ShownTurn = {
  readonly id: string;
  readonly role: string;
  readonly status: string;
  readonly text: string;
  readonly pictures: number;
  readonly undrawn: number;
};

/** The turns on the screen, in order. */
export async function turns(): Promise<ShownTurn[]> {
  return browser.execute(
    (turnSelector: string, textSelector: string, picture: string, undrawn: string) =>
      [...document.querySelectorAll<HTMLElement>(turnSelector)].map((turn) => ({
        id: turn.dataset['turnId'] ?? '',
        role: turn.dataset['role'] ?? '',
        status: turn.dataset['status'] ?? '',
        text: [...turn.querySelectorAll<HTMLElement>(textSelector)]
          .map((each) => each.innerText)
          .join('\n'),
        pictures: turn.querySelectorAll(picture).length,
        undrawn: turn.querySelectorAll(undrawn).length,
      })),
    selector(testIds.turn),
    selector(testIds.turnText),
    selector(testIds.picture),
    selector(testIds.undrawn),
  );
}

/** Waits until the conversation has `count` turns and the last has left `streaming`. */
export async function settled(count: number): Promise<ShownTurn> {
  let last: ShownTurn | undefined;
  await browser.waitUntil(
    async () => {
      const all = await turns();
      last = all.at(-1);
      return all.length === count && last !== undefined && last.status !== 'streaming';
    },
    {
      timeout: patienceMs,
      timeoutMsg: `no settled reply as turn ${count}: ${JSON.stringify(last)}`,
    },
  );
  if (last === undefined) throw new Error('no turn at all');
  return last;
}

/** Waits until the reply that is being written has `letters` letters of text or has ended. */
export async function streamed(letters: number): Promise<ShownTurn> {
  let last: ShownTurn | undefined;
  await browser.waitUntil(
    async () => {
      last = (await turns()).at(-1);
      return last?.role === 'assistant' && last.text.length >= letters;
    },
    { timeout: patienceMs, interval: 20, timeoutMsg: `the reply never reached ${letters} letters` },
  );
  if (last === undefined) throw new Error('no turn at all');
  return last;
}

/** Asks and waits for the reply. */
export async function ask(text: string): Promise<ShownTurn> {
  const before = (await turns()).length;
  await type(text);
  await pressSend();
  return settled(before + 2);
}

/** Saves what the window shows, for people to look at: docs and failed runs. */
export async function screenshot(name: string): Promise<void> {
  const folder = process.env['TEXTBIND_E2E_SCREENSHOTS'];
  if (folder !== undefined) await browser.saveScreenshot(path.join(folder, `${name}.png`));
}
