// Writing a message as a person does: offers, the focus, the caret beside pictures, selections, what is dropped where, Enter
// during a reply; the context menu everywhere, by pointer and by key; and notices that cover nothing.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { testIds, type TestId } from '../../src/renderer/test-ids.ts';
import { app, restartApp } from './harness/app.ts';
import { bothThemes, boxOf } from './harness/look.ts';
import { scene } from './harness/scenes.ts';
import { addConversation, openTitled, saidTurn, write } from './harness/stored.ts';
import {
  answered,
  ask,
  byId,
  dropFiles,
  engineReady,
  pressSend,
  selector,
  settled,
  streamed,
  turns,
  type,
} from './harness/window.ts';

const patienceMs = 120_000;

const written = (): Promise<string> => byId(testIds.composerInput).getText();

/** Test id of what has the focus. */
const focused = (): Promise<string | undefined> =>
  browser.execute(() => (document.activeElement as HTMLElement | null)?.dataset['testid']);

async function emptyMessage(): Promise<void> {
  await byId(testIds.composerInput).click();
  await browser.keys(['Control', 'a']);
  await browser.keys(['Backspace']);
}

/** Names of what the open context menu offers; it is closed by Escape. */
async function offered(): Promise<string[]> {
  const menu = byId(testIds.contextMenu);
  await menu.waitForDisplayed();
  const names = await browser.execute(
    (at: string) =>
      [...document.querySelectorAll(`${at} .menu-item span`)].map((item) => item.textContent),
    selector(testIds.contextMenu),
  );
  await browser.keys(['Escape']);
  await menu.waitForExist({ reverse: true });
  return names;
}

async function pointAt(at: string): Promise<string[]> {
  const all = await $$(at).getElements();
  await all[all.length - 1]!.scrollIntoView({ block: 'center' });
  await all[all.length - 1]!.click({ button: 'right' });
  return offered();
}

const focus = (at: string): Promise<void> =>
  browser.execute((place: string) => {
    [...document.querySelectorAll<HTMLElement>(place)].at(-1)!.focus();
  }, at);

async function byKeys(at: string): Promise<string[]> {
  await focus(at);
  await browser.keys(['Shift', 'F10']);
  const names = await offered();
  const stays = await browser.execute(
    (place: string) => document.activeElement?.matches(place) === true,
    at,
  );
  expect({ at, stays }).toEqual({ at, stays: true });
  return names;
}

before(engineReady);

describe('an offered message', () => {
  const starters = (): Promise<string[]> =>
    browser.execute(
      (at: string) => [...document.querySelectorAll(`${at} b`)].map((words) => words.textContent),
      selector(testIds.starter),
    );

  it('finds the focus in the message at the start', async () => {
    await browser.waitUntil(async () => (await focused()) === testIds.composerInput);
  });

  it('takes the place of the one before, alone in its line', async () => {
    const words = await starters();
    for (const index of [1, 2]) {
      await $$(selector(testIds.starter))[index]!.click();
      expect(await written()).toBe(words[index]);
      expect(await focused()).toBe(testIds.composerInput);
    }
    await emptyMessage();
  });

  it('is gone with a picture that was not chosen', async () => {
    // The system's dialog cannot be driven: the page is told what it tells.
    await browser.execute((at: string) => {
      const input = document.querySelector<HTMLInputElement>(at)!;
      input.click = () => {
        Reflect.deleteProperty(input, 'click');
        input.dispatchEvent(new Event('cancel', { bubbles: true }));
      };
    }, selector(testIds.fileInput));
    await $$(selector(testIds.starter))[0]!.click();
    expect(await written()).toBe('');
    await dropFiles(scene().file);
    await byId(testIds.composerPicture).waitForDisplayed();
    expect(await written()).not.toContain('What is in this picture');
    await emptyMessage();
  });
});

describe('a picture in the message', () => {
  const chip = selector(testIds.composerPicture);
  const line = `${selector(testIds.composer)} .line`;

  it('hides no caret: ours stands beside it, in sight', async () => {
    await type('Look ');
    await dropFiles(scene().file);
    await byId(testIds.composerPicture).waitForDisplayed();
    await browser.waitUntil(async () => {
      const [picture, caret] = [await boxOf(chip), await boxOf(`${line} > .caret`)];
      return Math.abs(caret.left - picture.right) < 12;
    });
    const caret = await boxOf(`${line} > .caret`);
    expect(caret.bottom - caret.top).toBeGreaterThan(12);
    const isOver = await browser.execute((at: string) => {
      const mark = document.querySelector<HTMLElement>(`${at} > .caret`)!;
      mark.style.pointerEvents = 'auto';
      const { x, y, width, height } = mark.getBoundingClientRect();
      const top = document.elementFromPoint(x + width / 2, y + height / 2);
      mark.style.pointerEvents = '';
      return top === mark;
    }, line);
    expect(isOver).toBe(true);
  });

  it('shows that all is selected', async () => {
    const shadow = (): Promise<string> =>
      browser.execute(
        (at: string) =>
          getComputedStyle(document.querySelector(at)!.closest('span[class]')!).boxShadow,
        chip,
      );
    const before = await shadow();
    await browser.keys(['Control', 'a']);
    const shown = await browser.execute((at: string) => {
      const held = document.querySelector(at)!.closest('.in-selection');
      const ring = held?.querySelector(':scope > span') ?? held;
      return ring === null || ring === undefined ? 'none' : getComputedStyle(ring).boxShadow;
    }, chip);
    expect(shown).not.toBe('none');
    expect(shown).not.toBe(before);
    await bothThemes('all-selected');
    await emptyMessage();
  });

  it('lands where the drag shows it, which nothing covers', async () => {
    await type('Before and after');
    for (let step = 0; step < 'and after'.length; step += 1) await browser.keys(['ArrowLeft']);
    await browser.execute((at: string) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(4)], 'a.png', { type: 'image/png' }));
      const place = document.querySelector(at)!;
      for (const kind of ['dragenter', 'dragover'])
        place.dispatchEvent(
          new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer }),
        );
    }, selector(testIds.emptyState));
    const mark = `${line} > .landing`;
    await $(mark).waitForExist();
    const covered = await browser.execute((at: string) => {
      const { x, y, height } = document.querySelector(at)!.getBoundingClientRect();
      const there = document.elementFromPoint(x + 4, y + height / 2);
      return there?.closest('.line') === null;
    }, mark);
    expect(covered).toBe(false);
    await bothThemes('drop');
    const before = await boxOf(mark);
    await browser.execute((at: string) => {
      document
        .querySelector(at)!
        .dispatchEvent(
          new DragEvent('dragleave', { bubbles: true, dataTransfer: new DataTransfer() }),
        );
    }, selector(testIds.emptyState));
    await dropOn(testIds.emptyState, scene().file);
    await byId(testIds.composerPicture).waitForDisplayed();
    const picture = await boxOf(chip);
    expect(Math.abs(picture.left - before.left)).toBeLessThan(16);
    expect((await written()).replace(/\s+/g, ' ')).toMatch(/^Before .*and after$/);
    await emptyMessage();
  });
});

/** Drops a file beside the message, on the conversation. */
async function dropOn(id: TestId, file: string): Promise<void> {
  const { readFileSync } = await import('node:fs');
  await browser.execute(
    (at: string, base64: string) => {
      const transfer = new DataTransfer();
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      transfer.items.add(new File([bytes], 'scene.jpg', { type: 'image/jpeg' }));
      for (const kind of ['dragenter', 'dragover', 'drop'])
        document
          .querySelector(at)!
          .dispatchEvent(
            new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer }),
          );
    },
    selector(id),
    readFileSync(file).toString('base64'),
  );
}

describe('Enter during a reply', () => {
  it('says that the message waits, and sends it when the reply has ended', async () => {
    await type('Tell me about the sea, and about ships.');
    await pressSend();
    await streamed(1);
    await type('And then?');
    await browser.keys(['Enter']);
    const isHeld = await browser.execute(
      (waiting: string) => document.querySelector(waiting) !== null,
      selector(testIds.composerWaiting),
    );
    // A short reply may have ended meanwhile: then the message went at once.
    if (isHeld) expect(await byId(testIds.composerWaiting).getText()).toContain('has ended');
    const last = await settled(4);
    expect(last.status).toMatch(answered);
    expect((await turns())[2]?.text).toBe('And then?');
    expect(await written()).toBe('');
  });
});

/** The file that the last drawing shows, and where it stands among its versions. */
const drawing = (): Promise<{ file: string; place: string }> =>
  browser.execute(
    (picture: string, pager: string) => {
      const file = [...document.querySelectorAll<HTMLImageElement>(picture)].at(-1)?.src ?? '';
      const data = [...document.querySelectorAll<HTMLElement>(pager)].at(-1)?.dataset;
      const place = data === undefined ? '' : `${Number(data['index']) + 1} of ${data['count']}`;
      return { file, place };
    },
    selector(testIds.picture, ' img'),
    selector(testIds.drawingVersions),
  );

describe('the focus', () => {
  it('is in the message again when a caption was edited, and the picture before is a page back', async () => {
    const reply = await ask('Can you draw a cat?');
    expect(reply.pictures).toBe(1);
    const before = await drawing();
    await focus(selector(testIds.editCaption));
    await browser.keys(['Enter']);
    await browser.waitUntil(async () => (await focused()) === testIds.captionInput);
    await browser.keys(['Escape']);
    await browser.waitUntil(async () => (await focused()) === testIds.editCaption);
    await browser.keys(['Enter']);
    await browser.waitUntil(async () => (await focused()) === testIds.captionInput);
    await byId(testIds.captionInput).setValue('a black cat');
    await byId(testIds.captionSubmit).click();
    await browser.waitUntil(async () => (await focused()) === testIds.composerInput);
    await byId(testIds.drawingVersions).waitForExist({ timeout: patienceMs });
    await byId(testIds.stop).waitForExist({ reverse: true, timeout: patienceMs });
    expect(await focused()).toBe(testIds.composerInput);
    await browser.waitUntil(async () => (await drawing()).place === '2 of 2');
    expect((await drawing()).file).not.toBe(before.file);
    await focus(selector(testIds.drawingVersions, ' button'));
    await browser.keys(['ArrowLeft']);
    await browser.waitUntil(async () => (await drawing()).place === '1 of 2');
    expect((await drawing()).file).toBe(before.file);
  });
});

describe('the context menu', () => {
  const reply = `${selector(testIds.turn)}[data-role="assistant"]`;

  it('is there by the pointer: picture, text, message, search, list', async () => {
    expect(await pointAt(selector(testIds.openPicture))).toContain('Save picture');
    expect(await pointAt(`${reply} .markdown`)).toContain('Copy the whole reply');
    expect(await pointAt('.written')).toContain('Edit message');
    expect(await pointAt(selector(testIds.composerInput))).toContain('Paste');
    expect(await pointAt(selector(testIds.search))).toContain('Paste');
    expect(await pointAt(selector(testIds.conversationItem))).toContain('Rename');
  });

  it('copies the words that are selected', async () => {
    await browser.execute((at: string) => {
      const words = [...document.querySelectorAll(`${at} .markdown p`)].at(-1)!;
      document.getSelection()!.selectAllChildren(words);
    }, reply);
    const last = (await $$(`${reply} .markdown p`).getElements()).at(-1)!;
    const words = await last.getText();
    await last.click({ button: 'right' });
    await byId(testIds.contextMenu).waitForDisplayed();
    await byId(testIds.contextMenu).$('.menu-item').click();
    await byId(testIds.contextMenu).waitForExist({ reverse: true });
    await byId(testIds.composerInput).click();
    await browser.keys(['Control', 'v']);
    await browser.waitUntil(async () => (await written()) === words);
    await emptyMessage();
  });

  it('is there by Shift F10, and gives the focus back', async () => {
    expect(await byKeys(selector(testIds.openPicture))).toContain('Save picture');
    expect(await byKeys(selector(testIds.composerInput))).toContain('Paste');
    expect(await byKeys(selector(testIds.search))).toContain('Paste');
    expect(await byKeys(selector(testIds.conversationItem))).toContain('Rename');
    expect(await byKeys(selector(testIds.regenerate))).toContain('Copy the whole reply');
  });

  it('is there in the lightbox, the gallery and the trash', async () => {
    await focus(selector(testIds.openPicture));
    await browser.keys(['Enter']);
    await byId(testIds.lightbox).waitForDisplayed();
    expect(await pointAt(selector(testIds.lightboxStage))).toContain('Copy picture');
    await byId(testIds.lightboxClose).click();
    await byId(testIds.lightbox).waitForExist({ reverse: true });
    await byId(testIds.railGallery).click();
    await byId(testIds.galleryItem).waitForDisplayed();
    expect(await pointAt(selector(testIds.galleryItem))).toContain('Save picture');
    expect(await byKeys(selector(testIds.galleryItem))).toContain('Save picture');
    await byId(testIds.railChat).click();
    write((store) => addConversation(store, 'To be deleted', [saidTurn('Hello', 0)]));
    await browser.refresh();
    await engineReady();
    await focus(`${selector(testIds.conversationItem)}`);
    await browser.waitUntil(async () =>
      (await byId(testIds.conversationItem).getText()).includes('To be deleted'),
    );
  });
});

describe('a notice', () => {
  const bars = '.bars > *';
  const coversList = async (): Promise<boolean> => {
    const [bar, list] = [await boxOf(bars), await boxOf(selector(testIds.conversationList))];
    return bar.left < list.right && bar.right > list.left;
  };

  it('of a deletion stands clear of the list, can be closed, and leaves the way back', async () => {
    await focus(selector(testIds.conversationItem));
    await browser.keys(['Delete']);
    await byId(testIds.undoBar).waitForDisplayed();
    expect(await coversList()).toBe(false);
    await bothThemes('deleted');
    await byId(testIds.undoBar).$(selector(testIds.barClose)).click();
    await byId(testIds.undoBar).waitForExist({ reverse: true });
    await byId(testIds.openTrash).click();
    await byId(testIds.trashItem).waitForDisplayed();
    expect(await pointAt(selector(testIds.trashItem))).toEqual(
      expect.arrayContaining(['Restore', 'Delete for good…']),
    );
    await byId(testIds.trashRestore).click();
    await byId(testIds.conversationItem).waitForDisplayed();
  });

  it('that comes with reply after reply is one quiet mark, which tells when it is pressed', async () => {
    const message = 'The model wanted more than 1 picture; the others were left out.';
    const notices = [{ code: 'too-many-pictures', message }] as const;
    const all = ['Draw it.', 'Here.', 'And again.', 'Here.'].map((words, index) =>
      saidTurn(words, index, index % 2 === 0 ? {} : { notices: [...notices] }),
    );
    write((store) => addConversation(store, 'Drawn again and again', all));
    await browser.refresh();
    await engineReady();
    await openTitled('Drawn again and again');
    await expect($$(selector(testIds.turnNoticeMark))).toBeElementsArrayOfSize(2);
    await expect(byId(testIds.turnNotice)).not.toBeExisting();
    await byId(testIds.turnNoticeMark).click();
    expect(await byId(testIds.turnNotice).getText()).toContain(message);
    await expect($$(selector(testIds.turnNotice))).toBeElementsArrayOfSize(1);
  });

  it('of an export says where it is, has Show, and can be closed', async () => {
    const folder = path.join(app().scratch, 'exports');
    await restartApp({ args: [`--save-folder=${folder}`] });
    await engineReady();
    await byId(testIds.conversationItem).click();
    await byId(testIds.exportMenu).waitForClickable();
    await byId(testIds.exportMenu).click();
    await byId(testIds.exportMarkdown).click();
    await byId(testIds.savedNotice).waitForDisplayed();
    const [made] = readdirSync(folder);
    expect(await byId(testIds.savedNotice).getText()).toContain(made);
    const show = byId(testIds.savedNotice).$('button=Show in folder');
    await show.waitForDisplayed();
    await show.click();
    await expect(byId(testIds.problem)).not.toBeExisting();
    expect(await coversList()).toBe(false);
    await bothThemes('exported');
    await byId(testIds.savedNotice).$(selector(testIds.barClose)).click();
    await byId(testIds.savedNotice).waitForExist({ reverse: true });
  });
});
