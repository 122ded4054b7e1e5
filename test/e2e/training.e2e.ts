// Training in the window, with the real trainer and the embedded model: Python, data with planted faults, a run that
// outlives the app's death, is stopped, goes on, and becomes a model that answers.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { testIds } from '../../src/renderer/test-ids.ts';
import { noPython, runPython } from '../golden/run-python.ts';
import { app, mainPid, restartApp } from './harness/app.ts';
import {
  addData,
  bothThemes,
  compareWithOrigin,
  endRuns,
  engineState,
  fill,
  judgedNames,
  openRun,
  openTraining,
  patienceMs,
  press,
  reaches,
  runState,
  takePython,
} from './harness/training.ts';
import { askOnTheWay, replySteps, tryAndTakeOver } from './harness/training-form.ts';
import { ask, byId, engineReady, selector } from './harness/window.ts';

describe('training in the window', function () {
  this.timeout(1_200_000);
  let data = '';
  before(async function () {
    if (noPython !== undefined) return this.skip();
    data = runPython('tiny_training.py');
    await engineReady();
  });
  after(endRuns);

  it('says that there is no trainer, and takes a Python that has the packages', async () => {
    await press(testIds.railTraining);
    const card = byId(testIds.trainerCard);
    await card.waitForDisplayed({ timeout: patienceMs });
    expect(await card.getAttribute('data-state')).toBe('missing');
    expect(await byId(testIds.runNew).isEnabled()).toBe(false);
    await bothThemes('training-empty');
    await takePython();
  });

  it('looks through data, names every planted fault, and shows rows as the model sees them', async () => {
    await addData(path.join(data, 'data', 'train.json'));
    await addData(path.join(data, 'tars'));
    await browser.waitUntil(
      async () => (await $$(`${selector(testIds.datasetItem)}[data-checked="true"]`).length) === 2,
      { timeout: patienceMs },
    );
    const faults = await byId(testIds.datasetFaults).getText();
    expect(faults).toContain('2 of the rows cannot be trained on');
    await press(testIds.datasetShow);
    await byId(testIds.dataSample).waitForDisplayed({ timeout: patienceMs });
    await bothThemes('training-data');
  });

  it('starts a run that goes on when the app is killed, and is found again', async () => {
    await press(testIds.runNew);
    await byId(testIds.runForm).waitForDisplayed();
    await byId(testIds.runStage).$('input[value="1"]').parentElement().click();
    await fill(testIds.runSteps, '100000');
    await fill(testIds.runBatch, '1');
    await fill(testIds.runMicroBatch, '1');
    await byId(testIds.runName).setValue('Red squares');
    await askOnTheWay('What is the sea?');
    await bothThemes('training-form');
    await press(testIds.runCreate);
    await byId(testIds.runState).waitForDisplayed();
    await reaches('running', 2);
    const before = await runState();
    process.kill(mainPid(), 'SIGKILL');
    await restartApp();
    await openRun();
    await reaches('running', before.step + 1);
    await byId(testIds.chart).waitForDisplayed({ timeout: patienceMs });
    // What it answered before its first step was kept by the run, not by the app that was killed.
    await byId(testIds.runReply).waitForDisplayed({ timeout: patienceMs });
    expect(await replySteps()).toContain(0);
    await byId(testIds.runReplies).scrollIntoView({ block: 'center' });
    await bothThemes('training-run');
  });

  it('goes on when the app is closed and opened again', async () => {
    const before = await runState();
    await restartApp();
    await openRun();
    await reaches('running', before.step + 1);
  });

  it('saves and stops when told, and goes on from there', async () => {
    await press(testIds.runStop);
    await reaches('stopped');
    const stopped = await runState();
    await press(testIds.runStart);
    await reaches('running', stopped.step + 1);
    await press(testIds.runStop);
    await reaches('stopped');
  });

  it('becomes a model that the chat talks to', async () => {
    await press(testIds.runPublish);
    await byId(testIds.runPublished).waitForDisplayed({ timeout: patienceMs });
    expect(existsSync(path.join(app().userData, 'data', 'models'))).toBe(true);
    await bothThemes('training-published');
    await press(testIds.runUse);
    await browser.waitUntil(
      async () => (await byId(testIds.engineStatus).getText()).includes('Red squares'),
      { timeout: patienceMs },
    );
    await engineReady();
    expect((await ask('What is the sea?')).text.length).toBeGreaterThan(0);
  });

  it('stage 2 begins with it, leaves bad rows out, and has the memory of the chat meanwhile', async () => {
    await openTraining();
    await press(testIds.datasetSkip);
    await press(testIds.runNew);
    await byId(testIds.runForm).waitForDisplayed();
    await byId(testIds.runStage).$('input[value="2"]').parentElement().click();
    await fill(testIds.runSteps, '3');
    await fill(testIds.runBatch, '1');
    await press(testIds.runRestsEngine);
    await byId(testIds.runName).setValue('Conversations');
    await askOnTheWay('What is the sea?');
    await tryAndTakeOver('checkpointing');
    await bothThemes('training-form-stage2');
    await press(testIds.runCreate);
    await byId(testIds.runState).waitForDisplayed();
    await browser.waitUntil(async () => (await engineState()) === 'stopped', {
      timeout: patienceMs,
    });
    await reaches('finished', 3);
    expect(await replySteps()).toEqual([0, 3]);
    await browser.waitUntil(async () => (await engineState()) === 'ready', {
      timeout: patienceMs,
    });
    await press(testIds.runPublish);
    await byId(testIds.runPublished).waitForDisplayed({ timeout: patienceMs });
  });

  it('is compared with the model that it came from, and talked to', async () => {
    await compareWithOrigin('What is the sea?');
    await byId(testIds.compareVerdict).click();
    expect([...(await judgedNames())].sort()).toEqual(['Conversations', 'Red squares']);
    await bothThemes('training-compare');
    await openTraining();
    await press(testIds.compareRunsOpen);
    await byId(testIds.chart).waitForDisplayed({ timeout: patienceMs });
    expect(await $$(selector(testIds.compareRunsChoice)).length).toBe(2);
    await bothThemes('training-runs');
  });
});
