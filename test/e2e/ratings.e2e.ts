// The loop from the chat to a model and back: two replies rated, a data set made of them, ten steps, a new model that
// answers. With the real trainer and the embedded model.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { testIds } from '../../src/renderer/test-ids.ts';
import { noPython } from '../golden/run-python.ts';
import { app } from './harness/app.ts';
import {
  bothThemes,
  compareWithOrigin,
  endRuns,
  judgedNames,
  openRun,
  patienceMs,
  press,
  reaches,
  takePython,
} from './harness/training.ts';
import { ask, byId, engineReady, selector } from './harness/window.ts';

describe('my ratings', function () {
  this.timeout(1_200_000);
  before(async function () {
    if (noPython !== undefined) return this.skip();
    await engineReady();
  });
  after(endRuns);

  const rated = async (): Promise<string[]> => {
    const marks: string[] = [];
    for (const id of [testIds.rateUp, testIds.rateDown]) {
      const pressed = await $$(selector(id)).map((button) => button.getAttribute('aria-pressed'));
      marks.push(...pressed.map(String));
    }
    return marks;
  };

  it('rates one reply by its thumb and one by keys, and takes one back', async () => {
    await ask('What is the sea?');
    const thumb = byId(testIds.rateUp);
    await thumb.click();
    await browser.waitUntil(async () => (await rated())[0] === 'true');
    await ask('Draw a red apple.');
    await browser.keys(['Control', 'd']);
    await browser.waitUntil(async () => (await rated()).join() === 'true,false,false,true');
    await browser.keys(['Control', 'd']);
    await browser.keys(['Control', 'u']);
    await browser.waitUntil(async () => (await rated()).join() === 'true,true,false,false');
    await bothThemes('ratings-chat');
  });

  it('makes a data set of them, of which every row can be trained on', async () => {
    await takePython();
    await press(testIds.gatherOpen);
    await byId(testIds.gatherRow).waitForDisplayed({ timeout: patienceMs });
    expect(await $$(selector(testIds.gatherRow)).length).toBe(1);
    expect(await $$(selector(testIds.gatherExchange)).length).toBe(2);
    await bothThemes('ratings-gather');
    await press(testIds.gatherMake);
    const item = byId(testIds.datasetItem);
    await item.waitForDisplayed({ timeout: patienceMs });
    await browser.waitUntil(async () => (await item.getAttribute('data-checked')) === 'true', {
      timeout: patienceMs,
    });
    expect(await byId(testIds.datasetFaults).isExisting()).toBe(false);
    const sets = path.join(app().userData, 'data', 'training', 'datasets');
    const folder = path.join(sets, readdirSync(sets)[0]!, 'data');
    const rows = JSON.parse(readFileSync(path.join(folder, 'train.json'), 'utf8')) as {
      conversation: { role: string; image_list: string[] }[];
    }[];
    expect(rows[0]!.conversation.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'user',
      'assistant',
    ]);
    for (const name of rows[0]!.conversation.flatMap(({ image_list: list }) => list)) {
      expect(existsSync(path.join(folder, 'images', name))).toBe(true);
    }
  });

  it('takes ten steps on it, and the model that comes of them answers', async () => {
    await press(testIds.datasetTenSteps);
    await byId(testIds.runForm).waitForDisplayed();
    await byId(testIds.runName).setValue('My taste');
    await bothThemes('ratings-form');
    await press(testIds.runCreate);
    await byId(testIds.runState).waitForDisplayed();
    await reaches('finished', 10);
    await bothThemes('ratings-run');
    await press(testIds.runPublish);
    await byId(testIds.runPublished).waitForDisplayed({ timeout: patienceMs });
  });

  it('is asked the same as the model that it came from, blind, and the tally is kept', async () => {
    await compareWithOrigin('What is the sea?');
    const replies = await $$(selector(testIds.compareReply)).map((reply) => reply.getText());
    expect(replies.every((words) => words.length > 0)).toBe(true);
    expect(await byId(testIds.compareName).isExisting()).toBe(false);
    await bothThemes('compare-blind');
    await byId(testIds.compareVerdict).waitForEnabled();
    await browser.execute(() => (document.activeElement as HTMLElement | null)?.blur());
    await browser.keys('2');
    const names = await judgedNames();
    expect([...names].sort()).toEqual(['My taste', 'TextBind mini']);
    await bothThemes('compare-judged');
    const kept = readFileSync(
      path.join(app().userData, 'data', 'training', 'comparisons.jsonl'),
      'utf8',
    );
    const judged = JSON.parse(kept.trim()) as { verdict: string; models: { name: string }[] };
    expect(judged).toMatchObject({ verdict: 'B', blind: true });
    expect(judged.models.map(({ name }) => name)).toEqual(names);
    expect(kept).not.toContain('sea');
  });

  it('is talked to', async () => {
    await openRun();
    await press(testIds.runPublish);
    await byId(testIds.runPublished).waitForDisplayed({ timeout: patienceMs });
    await press(testIds.runUse);
    await browser.waitUntil(
      async () => (await byId(testIds.engineStatus).getText()).includes('My taste'),
      { timeout: patienceMs },
    );
    await engineReady();
    expect((await ask('What is the sea?')).text.length).toBeGreaterThan(0);
  });
});
