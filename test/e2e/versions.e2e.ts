// Nothing is overwritten: a reply written anew, a drawing drawn again, a message edited; each way back; a restart.
import { testIds } from '../../src/renderer/test-ids.ts';
import type { TestId } from '../../src/renderer/test-ids.ts';
import { restartApp } from './harness/app.ts';
import {
  answered,
  ask,
  byId,
  engineReady,
  screenshot,
  selector,
  pressSend,
  settled,
  turns,
  type,
  type ShownTurn,
} from './harness/window.ts';

const patienceMs = 120_000;

/** What the last pager of its kind says, as "2 / 3"; null where there is none. */
async function pager(id: TestId): Promise<string | null> {
  return browser.execute((at: string) => {
    const last = [...document.querySelectorAll<HTMLElement>(at)].at(-1);
    if (last === undefined) return null;
    return `${Number(last.dataset['index']) + 1} / ${last.dataset['count']}`;
  }, selector(id));
}

async function pages(id: TestId, index: number, count: number): Promise<void> {
  await browser.waitUntil(async () => (await pager(id)) === `${index} / ${count}`, {
    timeout: patienceMs,
    timeoutMsg: `${id} never said ${index} / ${count}`,
  });
}

/** Focuses the last pager's first button and presses an arrow key. */
async function turnPage(id: TestId, key: 'ArrowLeft' | 'ArrowRight'): Promise<void> {
  await browser.execute((at: string) => {
    const last = [...document.querySelectorAll<HTMLElement>(at)].at(-1);
    last?.querySelector('button')?.focus();
  }, selector(id));
  await browser.keys([key]);
}

/** Clicks the last of its kind, as a pointer that rests on it would. */
async function press(id: TestId): Promise<void> {
  const all = await $$(selector(id)).getElements();
  const last = all[all.length - 1];
  if (last === undefined) throw new Error(`nothing at ${id}`);
  await last.scrollIntoView({ block: 'center' });
  await last.moveTo();
  await last.click();
}

const last = async (): Promise<ShownTurn> => {
  const turn = (await turns()).at(-1);
  if (turn === undefined) throw new Error('no turn at all');
  return turn;
};

/** The file that the last drawing shows. */
const drawing = (): Promise<string> =>
  browser.execute((at: string) => {
    const images = [...document.querySelectorAll<HTMLImageElement>(`${at} img`)];
    return images.at(-1)?.src ?? '';
  }, selector(testIds.picture));

describe('versions', () => {
  before(engineReady);

  it('keep the old reply when one is written anew, and say by what it was chosen', async () => {
    const first = await ask('Tell me about the sea.');
    await press(testIds.regenerate);
    await pages(testIds.turnVersions, 2, 2);
    const second = await settled(2);
    expect(second.id).not.toBe(first.id);
    expect(second.text).not.toBe(first.text);
    await turnPage(testIds.turnVersions, 'ArrowLeft');
    await pages(testIds.turnVersions, 1, 2);
    expect(await last()).toEqual(first);
    // The focus stays where it was, so that the next press goes on.
    await browser.keys(['ArrowRight']);
    await pages(testIds.turnVersions, 2, 2);
    expect(await last()).toEqual(second);
    await screenshot('versions-reply');
  });

  it('keep the old reply, and it current, when Escape comes right after Regenerate', async () => {
    const before = await turns();
    await press(testIds.regenerate);
    await browser.keys(['Escape']);
    await byId(testIds.stop).waitForExist({ reverse: true, timeout: patienceMs });
    const after = await turns();
    expect(after[0]).toEqual(before[0]);
    // Where its first words had come already it is a version more, and the one before is a page back.
    if (after[1]?.id !== before[1]?.id) await turnPage(testIds.turnVersions, 'ArrowLeft');
    await browser.waitUntil(async () => (await last()).id === before[1]?.id);
    expect(await turns()).toEqual(before);
  });

  it('keep the old drawing when one is drawn again', async () => {
    const reply = await ask('Can you draw a cat?');
    expect(reply.pictures).toBe(1);
    const first = await drawing();
    await press(testIds.drawAgain);
    await pages(testIds.drawingVersions, 2, 2);
    await byId(testIds.stop).waitForExist({ reverse: true, timeout: patienceMs });
    const second = await drawing();
    expect(second).not.toBe(first);
    await turnPage(testIds.drawingVersions, 'ArrowLeft');
    await pages(testIds.drawingVersions, 1, 2);
    expect(await drawing()).toBe(first);
    await screenshot('versions-drawing');
  });

  it('leave one drawing and no sentence twice when a stopped drawing goes on', async () => {
    const before = (await turns()).length;
    await type('Can you draw a bird?');
    await pressSend();
    await byId(testIds.drawing).waitForExist({ timeout: patienceMs, interval: 20 });
    await byId(testIds.stop).click();
    const stopped = await settled(before + 2);
    expect(stopped).toMatchObject({ status: 'stopped', pictures: 0, undrawn: 1 });
    await byId(testIds.continueReply).click();
    await browser.waitUntil(async () => (await last()).status !== 'stopped');
    const continued = await settled(before + 2);
    expect(continued).toMatchObject({ pictures: 1, undrawn: 0 });
    expect(continued.status).toMatch(answered);
    const [sentence] = stopped.text.trim().split('\n');
    expect(continued.text.split(sentence ?? '?')).toHaveLength(2);
    await byId(testIds.deleteMessage).waitForExist();
    await press(testIds.deleteMessage);
    await browser.waitUntil(async () => (await turns()).length === before);
    await byId(testIds.versionUndoBar).$(selector(testIds.barClose)).click();
  });

  it('keep the old message, with what followed it, when it is edited', async () => {
    const before = await turns();
    await press(testIds.editMessage);
    await byId(testIds.messageInput).waitForDisplayed();
    await byId(testIds.messageInput).addValue(' Or a dog.');
    await byId(testIds.messageSubmit).click();
    await browser.waitUntil(
      async () => (await turns()).at(-2)?.text.includes('Or a dog.') === true,
    );
    const edited = await settled(before.length);
    expect(edited.id).not.toBe(before.at(-1)?.id);
    const messages = `${selector(testIds.turn)}[data-role="user"] ${selector(testIds.turnVersions)}`;
    expect(await $$(messages).length).toBe(1);
    await $(messages).$('button').click();
    // A turn that has just come back into sight has no text for a frame: its layout was skipped.
    await browser.waitUntil(async () => JSON.stringify(await turns()) === JSON.stringify(before));
  });

  it('are all there after a restart, current where they were', async () => {
    const before = await turns();
    const [shown, pageOfDrawing] = [await drawing(), await pager(testIds.drawingVersions)];
    await restartApp();
    await engineReady();
    await byId(testIds.conversationItem).click();
    await browser.waitUntil(async () => (await turns()).length === before.length);
    expect(await turns()).toEqual(before);
    expect(await drawing()).toBe(shown);
    expect(await pager(testIds.drawingVersions)).toEqual(pageOfDrawing);
    await turnPage(testIds.drawingVersions, 'ArrowRight');
    await pages(testIds.drawingVersions, 2, 2);
    expect(await drawing()).not.toBe(shown);
  });

  it('can be deleted, and brought back', async () => {
    const shown = await drawing();
    await press(testIds.deleteDrawing);
    await byId(testIds.versionUndo).waitForClickable();
    expect(await pager(testIds.drawingVersions)).toBe(null);
    expect(await drawing()).not.toBe(shown);
    await byId(testIds.versionUndo).click();
    await pages(testIds.drawingVersions, 2, 2);
    expect(await drawing()).toBe(shown);
  });
});

describe('the trash', () => {
  it('shows a deleted conversation and puts it back, versions and all', async () => {
    const before = await turns();
    await byId(testIds.conversationItem).click();
    await browser.keys(['Delete']);
    await browser.waitUntil(
      async () => (await $$(selector(testIds.conversationItem)).length) === 0,
    );
    await byId(testIds.openTrash).click();
    await byId(testIds.trashItem).waitForDisplayed();
    expect(await byId(testIds.trashItem).getText()).toContain('30 days left');
    await screenshot('trash');
    await byId(testIds.trashRestore).click();
    await browser.waitUntil(async () => (await turns()).length === before.length);
    expect(await turns()).toEqual(before);
    await pages(testIds.drawingVersions, 2, 2);
  });

  it('asks once more before it deletes for good', async () => {
    await byId(testIds.conversationItem).click();
    await browser.keys(['Delete']);
    await byId(testIds.openTrash).click();
    await byId(testIds.trashErase).waitForDisplayed();
    await byId(testIds.trashErase).click();
    await expect($$(selector(testIds.trashItem))).toBeElementsArrayOfSize(1);
    await byId(testIds.trashErase).click();
    await byId(testIds.trashItem).waitForExist({ reverse: true });
  });
});
