// The main job: a picture and a question, a drawing, and everything found again after a restart.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { testIds } from '../../src/renderer/test-ids.ts';
import { app, restartApp } from './harness/app.ts';
import { scene } from './harness/scenes.ts';
import {
  answered,
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

describe('a conversation of text and pictures', () => {
  before(engineReady);

  it('teaches what to do while it is empty', async () => {
    await expect(byId(testIds.emptyState)).toBeDisplayed();
    await expect($$(selector(testIds.starter))).toBeElementsArrayOfSize({ gte: 3 });
    await screenshot('empty');
  });

  it('answers a question about a dropped picture', async () => {
    await dropFiles(scene().file);
    await byId(testIds.composerPicture).waitForDisplayed();
    await type('What is in this picture?');
    await pressSend();
    const reply = await settled(2);
    expect(reply.status).toMatch(answered);
    expect(reply.text.length).toBeGreaterThan(0);
    const [question] = await turns();
    expect(question).toMatchObject({ role: 'user', pictures: 1 });
    await screenshot('question');
  });

  it('draws a picture into its reply when asked, with its caption', async () => {
    const reply = await ask('Can you draw a cat?');
    expect(reply).toMatchObject({ pictures: 1, undrawn: 0 });
    expect(reply.status).toMatch(answered);
    const shown = await browser.execute((picture: string) => {
      const all = [...document.querySelectorAll<HTMLElement>(picture)];
      const image = all.at(-1)?.querySelector('img');
      return { origin: all.at(-1)?.dataset['origin'], width: image?.naturalWidth ?? 0 };
    }, selector(testIds.picture));
    expect(shown.origin).toBe('drawn');
    expect(shown.width).toBeGreaterThanOrEqual(128);
    const captions = await $$(selector(testIds.caption)).map((caption) => caption.getText());
    expect(captions.at(-1)?.length).toBeGreaterThan(0);
    await screenshot('drawing');
  });

  it('goes on about the picture that it drew', async () => {
    const reply = await ask('What did you just draw?');
    expect(reply.status).toMatch(answered);
    expect(reply.text.length).toBeGreaterThan(0);
  });

  it('is all there after the app was closed and opened again', async () => {
    const before = await turns();
    await restartApp();
    await engineReady();
    await byId(testIds.conversationItem).click();
    await browser.waitUntil(async () => (await turns()).length === before.length);
    expect(await turns()).toEqual(before);
    const broken = await browser.execute(async (picture: string) => {
      const images = [...document.querySelectorAll<HTMLImageElement>(`${picture} img`)];
      await Promise.allSettled(images.map((image) => image.decode()));
      return images.filter((image) => image.naturalWidth === 0).length;
    }, selector(testIds.picture));
    expect(broken).toBe(0);
    await screenshot('restarted');
  });

  it('finds the conversation by a word of it, and says so when there is none', async () => {
    const shown = async () => $$(selector(testIds.conversationItem)).length;
    await byId(testIds.search).setValue('zeppelin');
    await $('p=Nothing found for “zeppelin”.').waitForDisplayed();
    expect(await shown()).toBe(0);
    await byId(testIds.search).setValue('draw');
    await browser.waitUntil(async () => (await shown()) === 1);
  });

  it('says what is wrong with a file that is no picture, and keeps the text', async () => {
    const file = path.join(app().scratch, 'broken.png');
    writeFileSync(file, 'this is not a picture');
    await type('Words that must stay.');
    await dropFiles(file);
    await byId(testIds.composerPictureError).waitForDisplayed();
    expect((await byId(testIds.composerPictureError).getText()).length).toBeGreaterThan(10);
    expect(await byId(testIds.composerInput).getText()).toContain('Words that must stay.');
  });
});
