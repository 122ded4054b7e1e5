// TextBind's own data recipe through the window: pictures with captions, clusters by the embedded model's eyes,
// conversations written by a server on loopback that faults, a kill in the middle, review by keys, a data set, a run.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { testIds } from '../../src/renderer/test-ids.ts';
import { noPython, runPython } from '../golden/run-python.ts';
import { ChatServerLookAlike } from '../support/chat-server.ts';
import { app, mainPid, restartApp } from './harness/app.ts';
import {
  addData,
  bothThemes,
  endRuns,
  fill,
  openTraining,
  patienceMs,
  press,
  reaches,
  takePython,
} from './harness/training.ts';
import { byId, engineReady, selector } from './harness/window.ts';

const pictures = 24;
const conversations = 6;

/** Held-out scenes with their captions beside them, as a person's folder would be. */
function writePairs(folder: string): void {
  const scenes = path.resolve(import.meta.dirname, '../fixtures/scenes');
  const { scenes: listed } = JSON.parse(readFileSync(path.join(scenes, 'scenes.json'), 'utf8')) as {
    scenes: { file: string; caption: string }[];
  };
  mkdirSync(folder);
  for (const { file, caption } of listed.slice(0, pictures)) {
    cpSync(path.join(scenes, file), path.join(folder, file));
    writeFileSync(path.join(folder, file.replace('.jpg', '.txt')), caption);
  }
}

describe('conversations from captions', function () {
  this.timeout(1_200_000);
  const server = new ChatServerLookAlike();
  before(async function () {
    if (noPython !== undefined) return this.skip();
    await server.start();
    await engineReady();
  });
  after(async () => {
    endRuns();
    await server.stop();
  });

  const counts = async (): Promise<Record<string, number>> => {
    const shown = byId(testIds.recipeCounts);
    const names = ['to-review', 'accepted', 'rejected', 'left-out', 'to-write'];
    const values = await Promise.all(names.map((name) => shown.getAttribute(`data-${name}`)));
    return Object.fromEntries(names.map((name, at) => [name, Number(values[at])]));
  };
  const counted = (wanted: Record<string, number>): Promise<true | void> =>
    browser.waitUntil(
      async () => {
        if (!(await byId(testIds.recipeCounts).isExisting())) return false;
        const now = await counts();
        return Object.entries(wanted).every(([name, value]) => now[name] === value);
      },
      { timeout: patienceMs, timeoutMsg: `the piles are not ${JSON.stringify(wanted)}` },
    );
  const rests = (): Promise<true | void> =>
    browser.waitUntil(
      async () => (await byId(testIds.recipePage).getAttribute('data-state')) === 'resting',
      { timeout: patienceMs },
    );
  const key = async (name: string): Promise<void> => {
    await browser.execute(() => (document.activeElement as HTMLElement | null)?.blur());
    await browser.keys(name);
  };

  it('looks at pictures with captions, and puts those that are alike together', async () => {
    const folder = path.join(app().scratch, 'scenes');
    writePairs(folder);
    await takePython();
    await addData(folder);
    await browser.waitUntil(
      async () => (await byId(testIds.datasetItem).getAttribute('data-checked')) === 'true',
      { timeout: patienceMs },
    );
    await press(testIds.recipeNew);
    await byId(testIds.recipeForm).waitForDisplayed();
    await fill(testIds.recipeCount, String(conversations));
    await byId(testIds.recipeName).setValue('Scenes');
    await bothThemes('recipe-form');
    await press(testIds.recipeCreate);
    await byId(testIds.recipePage).waitForDisplayed({ timeout: patienceMs });
    await byId(testIds.recipeWrite).waitForExist({ timeout: patienceMs });
    await rests();
    await byId(testIds.recipeCluster).waitForExist({ timeout: patienceMs });
    expect(await $$(selector(testIds.recipeCluster)).length).toBe(2);
    expect(server.asked.length).toBe(0);
  });

  it('says what it will take and where captions go, and sends nothing before a yes', async () => {
    await byId(testIds.recipeWriter).$('input[value="server"]').parentElement().click();
    await fill(testIds.recipeAddress, server.address);
    await fill(testIds.recipeModel, 'writer-1');
    await byId(testIds.recipeConfirm).waitForExist({ timeout: patienceMs });
    expect(await byId(testIds.recipeWrite).isEnabled()).toBe(false);
    await browser.waitUntil(
      async () => (await byId(testIds.recipeEstimate).getText()).includes('6 requests'),
      { timeout: patienceMs },
    );
    await bothThemes('recipe-writing');
    expect(server.asked.length).toBe(0);
    await press(testIds.recipeConfirm);
    expect(server.asked.length).toBe(0);
  });

  it('names a key that is missing, takes one, and tries a single conversation', async () => {
    server.key = 'sk-test';
    await press(testIds.recipeWriteOne);
    await byId(testIds.recipeTrouble).waitForDisplayed({ timeout: patienceMs });
    expect(await byId(testIds.recipeTrouble).getText()).toContain('Incorrect API key provided');
    await bothThemes('recipe-trouble');
    await byId(testIds.recipeKey).setValue('sk-test');
    await press(testIds.recipeKeyKeep);
    await rests();
    await press(testIds.recipeWriteOne);
    await counted({ 'to-review': 1, 'to-write': conversations - 1 });
    await rests();
    const keys = path.join(app().userData, 'writer-keys');
    const kept = existsSync(keys) ? readdirSync(keys) : [];
    for (const name of kept)
      expect(readFileSync(path.join(keys, name), 'utf8')).not.toContain('sk-');
  });

  it('keeps what was written when the app is killed in the middle, and goes on', async () => {
    const before = server.asked.length;
    // A refusal, a broken connection, an answer against the rules; then nothing more comes.
    server.script = (request) => {
      const at = request - before;
      if (at === 0) return { kind: 'status', status: 429, retryAfter: '1' };
      if (at === 1) return { kind: 'drop' };
      if (at === 2) return { kind: 'say', text: 'I would rather not.' };
      return at < 6 ? null : { kind: 'stall' };
    };
    await press(testIds.recipeWrite);
    await browser.waitUntil(() => server.asked.length > before + 6, { timeout: patienceMs });
    process.kill(mainPid(), 'SIGKILL');
    server.script = () => null;
    const written = server.asked.length;
    await restartApp();
    await openTraining();
    await byId(testIds.recipeItem).waitForDisplayed({ timeout: patienceMs });
    await press(testIds.recipeItem);
    await counted({ 'to-review': 4, 'to-write': conversations - 4 });
    // No keychain on this desktop: the key was for that run of the app.
    server.key = null;
    await press(testIds.recipeWrite);
    await counted({ 'to-review': conversations, 'to-write': 0 });
    await rests();
    expect(server.asked.length).toBe(written + conversations - 4);
  });

  it('is reviewed by keys: accepted, rejected, edited, undone', async () => {
    await byId(testIds.recipeReview).waitForDisplayed({ timeout: patienceMs });
    await byId(testIds.recipeReview).scrollIntoView({ block: 'center' });
    await bothThemes('recipe-review');
    await key('a');
    await counted({ 'to-review': 5, accepted: 1 });
    await key('r');
    await counted({ 'to-review': 4, rejected: 1 });
    await key('u');
    await counted({ 'to-review': 5, rejected: 0 });
    await key('a');
    await counted({ 'to-review': 4, accepted: 2 });
    await key('e');
    const editor = byId(testIds.recipeEditor);
    await editor.waitForDisplayed();
    const text = await editor.getValue();
    await editor.setValue(text.replace('You are welcome', 'With pleasure'));
    await browser.keys(['Control', 'Enter']);
    await editor.waitForExist({ reverse: true });
    await browser.waitUntil(async () =>
      (await byId(testIds.recipeReview).getText()).includes('With pleasure'),
    );
    await key('a');
    await counted({ 'to-review': 3, accepted: 3 });
    await key('r');
    await counted({ 'to-review': 2, rejected: 1 });
  });

  it('becomes data of stage 2 without a fault, shown as the model sees it', async () => {
    await press(testIds.recipeExport);
    await byId(testIds.trainingView).waitForDisplayed({ timeout: patienceMs });
    await browser.waitUntil(
      async () => (await $$(`${selector(testIds.datasetItem)}[data-checked="true"]`).length) === 2,
      { timeout: patienceMs },
    );
    expect(await byId(testIds.datasetFaults).isExisting()).toBe(false);
    // The newest stands first.
    await press(testIds.datasetShow);
    await byId(testIds.dataSample).waitForDisplayed({ timeout: patienceMs });
    const shown = await byId(testIds.dataSample).getText();
    expect(shown).toContain('comes to mind?');
    expect(shown).toContain('<start>');
    await bothThemes('recipe-data');
    // One row that is fine, but not wanted.
    await press(testIds.dataLeaveOut);
    await press(testIds.dataExclude);
    await browser.waitUntil(
      async () => (await $$(`${selector(testIds.datasetItem)}[data-checked="true"]`).length) === 3,
      { timeout: patienceMs },
    );
    expect(await byId(testIds.datasetItem).getText()).toMatch(/without 1 row[^]*2 rows/);
  });

  it("is trained on, from a reference's .pt laid over the parts of a model", async () => {
    await press(testIds.datasetTenSteps);
    await byId(testIds.runForm).waitForDisplayed();
    await byId(testIds.runSource).$('input[value="checkpoint"]').parentElement().click();
    expect(await byId(testIds.runCreate).isEnabled()).toBe(false);
    await fill(testIds.runPlace, path.join(runPython('qformer_pt.py'), 'pytorch_model.pt'));
    await bothThemes('recipe-run-form');
    await press(testIds.runCreate);
    await byId(testIds.runState).waitForDisplayed();
    await reaches('running', 1);
    endRuns();
    await reaches('interrupted');
  });

  it('pictures with captions are trained on, from parts in folders of their own, with a new Q-Former', async () => {
    const parts = path.resolve(import.meta.dirname, '../../models/textbind-mini');
    await openTraining();
    await press(testIds.runNew);
    await byId(testIds.runForm).waitForDisplayed();
    await byId(testIds.runStage).$('input[value="1"]').parentElement().click();
    await byId(testIds.runSource).$('input[value="parts"]').parentElement().click();
    for (const [place, name] of [
      ['visionModel', 'vision'],
      ['languageModel', 'language'],
    ] as const) {
      const field = $(selector(testIds.runPlace, `[data-place="${place}"]`));
      await field.scrollIntoView({ block: 'center' });
      await field.setValue(path.join(parts, name));
    }
    await fill(testIds.runSteps, '1');
    await fill(testIds.runBatch, '1');
    await fill(testIds.runMicroBatch, '1');
    await bothThemes('recipe-run-parts');
    await press(testIds.runCreate);
    await byId(testIds.runState).waitForDisplayed();
    await reaches('finished', 1);
  });

  it('is put together by the eyes of a CLIP in a folder too, and one that is none is named', async () => {
    const pairs = path.join(app().scratch, 'scenes');
    await openTraining();
    await press(testIds.recipeNew);
    await byId(testIds.recipeEyes).$('input[value="clip"]').parentElement().click();
    expect(await byId(testIds.recipeCreate).isEnabled()).toBe(false);
    await fill(testIds.recipeClip, pairs);
    await press(testIds.recipeCreate);
    const form = byId(testIds.recipeForm);
    await browser.waitUntil(
      async () => (await form.getText()).includes('neither a model (textbind.json) nor a CLIP'),
      { timeout: patienceMs },
    );
    await fill(testIds.recipeClip, path.join(runPython('tiny_clip.py'), 'tiny-clip'));
    await bothThemes('recipe-form-clip');
    await press(testIds.recipeCreate);
    await byId(testIds.recipePage).waitForDisplayed({ timeout: patienceMs });
    await byId(testIds.recipeWrite).waitForExist({ timeout: patienceMs });
    await rests();
    const page = byId(testIds.recipePage).parentElement();
    expect(await page.getText()).toContain('Seen by the eyes of tiny-clip.');
    expect(await page.getText()).toContain('These eyes cannot compare captions with pictures');
  });
});
