// Pictures as first-class things: looked at large, drawn four at once, found in the gallery, saved with their recipe and
// dropped back; and a picture that is cut short.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readRecipe } from '../../src/main/pictures/png-recipe.ts';
import { testIds, type TestId } from '../../src/renderer/test-ids.ts';
import { app, nodePids, restartApp } from './harness/app.ts';
import { scene } from './harness/scenes.ts';
import {
  ask,
  byId,
  dropFiles,
  engineReady,
  pressSend,
  screenshot,
  selector,
  settled,
  turns,
  type,
} from './harness/window.ts';

const patienceMs = 120_000;
const launched = (): { args: string[] } => ({ args: [`--save-folder=${app().scratch}`] });

/** Presses the last of its kind, which may be under the pointer only. */
async function press(id: TestId): Promise<void> {
  const last = (await $$(selector(id)).getElements()).at(-1);
  if (last === undefined) throw new Error(`nothing at ${id}`);
  await last.scrollIntoView({ block: 'center' });
  await last.moveTo();
  await last.click();
}

const gone = (id: TestId): Promise<true | void> =>
  byId(id).waitForExist({ reverse: true, timeout: patienceMs });

const focused = (): Promise<string> =>
  browser.execute(() => (document.activeElement as HTMLElement | null)?.dataset['testid'] ?? '');

describe('a drawing', () => {
  before(async () => {
    await restartApp(launched());
    await engineReady();
    const reply = await ask('Can you draw a cat?');
    expect(reply.pictures).toBe(1);
  });

  it('is looked at large, by keys alone, and the focus comes back', async () => {
    await press(testIds.openPicture);
    await byId(testIds.lightbox).waitForDisplayed();
    expect((await byId(testIds.lightboxCaption).getText()).length).toBeGreaterThan(0);
    await browser.keys(['+']);
    await browser.keys(['+']);
    const zoom = async (): Promise<number> =>
      Number(await byId(testIds.lightboxStage).getAttribute('data-zoom'));
    await browser.waitUntil(async () => (await zoom()) > 1.4);
    await screenshot('lightbox');
    await browser.keys(['0']);
    await browser.waitUntil(async () => (await zoom()) === 1);
    await browser.keys(['Escape']);
    await gone(testIds.lightbox);
    expect(await focused()).toBe(testIds.openPicture);
  });

  it('is drawn four times at once, and the chosen one becomes a version', async () => {
    await press(testIds.openBench);
    await byId(testIds.benchDraw).waitForClickable();
    await byId(testIds.benchDraw).click();
    const done = `${selector(testIds.benchDrawing)}[data-state="done"]`;
    await browser.waitUntil(async () => (await $$(done).length) === 4, { timeout: patienceMs });
    await screenshot('bench');
    const chosen = await $$(selector(testIds.benchDrawing))[1]!.getAttribute('data-picture-id');
    await $$(selector(testIds.benchUse))[1]!.click();
    await browser.waitUntil(
      async () => (await byId(testIds.picture).getAttribute('data-picture-id')) === chosen,
    );
    await byId(testIds.benchClose).click();
    await gone(testIds.bench);
    expect(await byId(testIds.drawingVersions).getAttribute('data-count')).toBe('2');
  });

  it('is compared with its other version, described, and saved with its recipe', async () => {
    await press(testIds.openPicture);
    await byId(testIds.lightboxCompare).waitForClickable();
    await byId(testIds.lightboxCompare).click();
    await byId(testIds.lightboxOther).waitForDisplayed();
    await screenshot('lightbox-compare');
    await byId(testIds.altText).setValue('a drawn cat that sits');
    await byId(testIds.lightboxSave).click();
    await byId(testIds.savedNotice).waitForExist({ timeout: patienceMs });
    await browser.keys(['Escape']);
    await gone(testIds.lightbox);
    await browser.waitUntil(
      async () =>
        (await byId(testIds.picture).$('img').getAttribute('alt')) === 'a drawn cat that sits',
    );
    const recipe = readRecipe(readFileSync(savedFile()));
    expect(recipe?.recipe.model).toBe('TextBind mini');
    expect(recipe?.caption).toBe(await byId(testIds.caption).getText());
  });

  function savedFile(): string {
    const file = readdirSync(app().scratch).find((name) => name.endsWith('.png'));
    if (file === undefined) throw new Error('no picture was saved');
    return path.join(app().scratch, file);
  }

  it('brings its recipe along when its file is dropped, and can be drawn again from it', async () => {
    const recipe = readRecipe(readFileSync(savedFile()));
    await byId(testIds.newConversation).click();
    await dropFiles(savedFile());
    await byId(testIds.recipeHint).waitForDisplayed({ timeout: patienceMs });
    expect(await byId(testIds.recipeHint).getText()).toContain(String(recipe?.recipe.seed));
    await byId(testIds.recipeHintDraw).click();
    await byId(testIds.benchCaption).waitForDisplayed();
    expect(await byId(testIds.benchCaption).getValue()).toBe(recipe?.caption);
    expect(await byId(testIds.benchSeed).getValue()).toBe(String(recipe?.recipe.seed));
    await browser.keys(['Escape']);
    await gone(testIds.bench);
    const before = (await turns()).length;
    await type(' What is this?');
    await pressSend();
    await settled(before + 2);
    const image = await byId(testIds.picture).$('img').getAttribute('alt');
    expect(image).toBe(recipe?.caption);
  });

  it('is found in the gallery, which leads to its place', async () => {
    await byId(testIds.railGallery).click();
    await browser.waitUntil(async () => (await $$(selector(testIds.galleryItem)).length) === 3);
    await screenshot('gallery');
    await byId(testIds.gallerySearch).setValue('drawn cat that');
    await browser.waitUntil(async () => (await $$(selector(testIds.galleryItem)).length) === 1);
    const found = await byId(testIds.galleryItem).getAttribute('data-picture-id');
    await byId(testIds.galleryItem).click();
    await byId(testIds.goToPlace).waitForClickable();
    await byId(testIds.goToPlace).click();
    await browser.waitUntil(
      async () => (await byId(testIds.picture).getAttribute('data-picture-id')) === found,
    );
    expect(await byId(testIds.galleryView).isExisting()).toBe(false);
  });
});

describe('half a picture', () => {
  it('is refused in its place in the message, in words, and what follows works', async () => {
    const { file } = scene();
    const bytes = readFileSync(file);
    const half = path.join(app().scratch, 'half of it.jpg');
    writeFileSync(half, bytes.subarray(0, Math.floor(bytes.length / 2)));
    await byId(testIds.newConversation).click();
    await dropFiles(half);
    await byId(testIds.composerPictureError).waitForDisplayed({ timeout: patienceMs });
    expect(await byId(testIds.composerPictureError).getText()).toContain('half of it.jpg');
    expect(await byId(testIds.send).isEnabled()).toBe(false);
    await byId(testIds.composerPictureRemove).click();
    await gone(testIds.composerPicture);
    await dropFiles(file);
    await byId(testIds.composerPicture).waitForDisplayed({ timeout: patienceMs });
    const reply = await ask('What is this?');
    expect(reply.text.length).toBeGreaterThan(0);
  });

  it('meets no native decoder: neither the engine, which has looked at it, nor another process has one', function () {
    if (process.platform !== 'linux') return this.skip();
    const libraries = nodePids().flatMap((pid) => [
      ...new Set(readFileSync(`/proc/${pid}/maps`, 'utf8').match(/[^/\n]+\.(?:so|node)\b/g)),
    ]);
    expect(libraries.some((name) => name.startsWith('libonnxruntime'))).toBe(true);
    expect(libraries.filter((name) => /vips|sharp/.test(name))).toEqual([]);
  });
});
