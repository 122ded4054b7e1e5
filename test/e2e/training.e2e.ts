// Training in the window, with the real trainer and the embedded model: Python, data with planted faults, a run that
// outlives the app's death, is stopped, goes on, and becomes a model that answers.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { testIds, type TestId } from '../../src/renderer/test-ids.ts';
import { noPython, pythonOfTests, runPython } from '../golden/run-python.ts';
import { app, mainPid, restartApp } from './harness/app.ts';
import { ask, byId, engineReady, screenshot, selector } from './harness/window.ts';

/** Starting PyTorch takes seconds, on a busy machine many. */
const patienceMs = 400_000;

async function press(id: TestId): Promise<void> {
  const button = byId(id);
  await button.waitForEnabled({ timeout: patienceMs });
  await button.scrollIntoView({ block: 'center' });
  await button.click();
}

/** As the system's dialog or a drop would: neither can be driven here. */
async function add(place: string): Promise<void> {
  await browser.execute((given: string) => {
    const { api } = window as unknown as {
      api: { request(name: string, body: unknown): Promise<unknown> };
    };
    void api.request('datasets.add', { path: given, images: null });
  }, place);
}

const state = async (): Promise<{ state: string; step: number }> => {
  const shown = byId(testIds.runState);
  return {
    state: String(await shown.getAttribute('data-state')),
    step: Number(await shown.getAttribute('data-step')),
  };
};

const reaches = (wanted: string, step = 0): Promise<true | void> =>
  browser.waitUntil(
    async () => {
      const now = await state();
      return now.state === wanted && now.step >= step;
    },
    { timeout: patienceMs, timeoutMsg: `the run is not ${wanted} at step ${step}` },
  );

async function fill(id: TestId, text: string): Promise<void> {
  const field = byId(id);
  await field.scrollIntoView({ block: 'center' });
  await field.setValue(text);
  await browser.keys('Tab');
}

async function openRun(): Promise<void> {
  await press(testIds.railTraining);
  await byId(testIds.runItem).waitForDisplayed({ timeout: patienceMs });
  await press(testIds.runItem);
  await byId(testIds.runState).waitForDisplayed();
}

/** A run outlives the app: what a failed test left must not go on. */
function endRuns(): void {
  const runs = path.join(app().userData, 'data', 'training', 'runs');
  for (const id of existsSync(runs) ? readdirSync(runs) : []) {
    const file = path.join(runs, id, 'process.json');
    if (!existsSync(file)) continue;
    const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number };
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}

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
    await screenshot('training-empty');
    await card.$('summary').click();
    await byId(testIds.trainerPython).setValue(pythonOfTests);
    await press(testIds.trainerChoose);
    await browser.waitUntil(async () => (await card.getAttribute('data-state')) === 'ready', {
      timeout: patienceMs,
    });
  });

  it('looks through data, names every planted fault, and shows rows as the model sees them', async () => {
    await add(path.join(data, 'data', 'train.json'));
    await add(path.join(data, 'tars'));
    await browser.waitUntil(
      async () => (await $$(`${selector(testIds.datasetItem)}[data-checked="true"]`).length) === 2,
      { timeout: patienceMs },
    );
    const faults = await byId(testIds.datasetFaults).getText();
    expect(faults).toContain('2 of the rows cannot be trained on');
    await press(testIds.datasetShow);
    await byId(testIds.dataSample).waitForDisplayed({ timeout: patienceMs });
    await screenshot('training-data');
  });

  it('starts a run that goes on when the app is killed, and is found again', async () => {
    await press(testIds.runNew);
    await byId(testIds.runForm).waitForDisplayed();
    await byId(testIds.runStage).$('input[value="1"]').parentElement().click();
    await fill(testIds.runSteps, '100000');
    await fill(testIds.runBatch, '1');
    await fill(testIds.runMicroBatch, '1');
    await byId(testIds.runName).setValue('Red squares');
    await screenshot('training-form');
    await press(testIds.runCreate);
    await byId(testIds.runState).waitForDisplayed();
    await reaches('running', 2);
    const before = await state();
    process.kill(mainPid(), 'SIGKILL');
    await restartApp();
    await openRun();
    await reaches('running', before.step + 1);
    await byId(testIds.chart).waitForDisplayed({ timeout: patienceMs });
    await screenshot('training-run');
  });

  it('saves and stops when told, and goes on from there', async () => {
    await press(testIds.runStop);
    await reaches('stopped');
    const stopped = await state();
    await press(testIds.runStart);
    await reaches('running', stopped.step + 1);
    await press(testIds.runStop);
    await reaches('stopped');
  });

  it('becomes a model that the chat talks to', async () => {
    await press(testIds.runPublish);
    await byId(testIds.runPublished).waitForDisplayed({ timeout: patienceMs });
    expect(existsSync(path.join(app().userData, 'data', 'models'))).toBe(true);
    await screenshot('training-published');
    await press(testIds.runUse);
    await browser.waitUntil(
      async () => (await byId(testIds.engineStatus).getText()).includes('Red squares'),
      { timeout: patienceMs },
    );
    await engineReady();
    expect((await ask('What is the sea?')).text.length).toBeGreaterThan(0);
  });
});
