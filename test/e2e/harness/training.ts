// Driving the training room, and waiting for what happens in it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { testIds, type TestId } from '../../../src/renderer/test-ids.ts';
import { pythonOfTests } from '../../golden/run-python.ts';
import { app } from './app.ts';
import { byId, screenshot, selector } from './window.ts';

/** Starting PyTorch takes seconds, on a busy machine many. */
export const patienceMs = 400_000;

export async function press(id: TestId): Promise<void> {
  const button = byId(id);
  await button.waitForEnabled({ timeout: patienceMs });
  await button.scrollIntoView({ block: 'center' });
  await button.click();
}

/** As the system's dialog or a drop would: neither can be driven here. */
export async function addData(place: string): Promise<void> {
  await browser.execute((given: string) => {
    const { api } = window as unknown as {
      api: { request(name: string, body: unknown): Promise<unknown> };
    };
    void api.request('datasets.add', { path: given, images: null });
  }, place);
}

export const runState = async (): Promise<{ state: string; step: number }> => {
  const shown = byId(testIds.runState);
  return {
    state: String(await shown.getAttribute('data-state')),
    step: Number(await shown.getAttribute('data-step')),
  };
};

export const reaches = (wanted: string, step = 0): Promise<true | void> =>
  browser.waitUntil(
    async () => {
      const now = await runState();
      return now.state === wanted && now.step >= step;
    },
    { timeout: patienceMs, timeoutMsg: `the run is not ${wanted} at step ${step}` },
  );

export async function fill(id: TestId, text: string): Promise<void> {
  const field = byId(id);
  await field.scrollIntoView({ block: 'center' });
  await field.setValue(text);
  await browser.keys('Tab');
}

/** The training room's own page, whatever of it was open. */
export async function openTraining(): Promise<void> {
  await press(testIds.railTraining);
  if (await byId(testIds.trainingBack).isExisting()) await press(testIds.trainingBack);
  await byId(testIds.trainingView).waitForDisplayed({ timeout: patienceMs });
}

/** The run that was made last. */
export async function openRun(): Promise<void> {
  await openTraining();
  await byId(testIds.runItem).waitForDisplayed({ timeout: patienceMs });
  await press(testIds.runItem);
  await byId(testIds.runState).waitForDisplayed();
}

/** A run outlives the app: what a failed test left must not go on. */
export function endRuns(): void {
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

/** What main says of the engine. */
export async function engineState(): Promise<string> {
  return browser.execute(async () => {
    const { api } = window as unknown as {
      api: { request(name: string, body: unknown): Promise<{ value: { state: string } }> };
    };
    return (await api.request('engine.status', null)).value.state;
  });
}

/** Takes the Python of the tests, as a person does who has one with the packages. */
export async function takePython(): Promise<void> {
  await press(testIds.railTraining);
  const card = byId(testIds.trainerCard);
  await card.waitForDisplayed({ timeout: patienceMs });
  await card.$('summary').click();
  await byId(testIds.trainerPython).setValue(pythonOfTests);
  await press(testIds.trainerChoose);
  await browser.waitUntil(async () => (await card.getAttribute('data-state')) === 'ready', {
    timeout: patienceMs,
  });
}

/** Saves what the window shows in light and in dark, for people to look at. */
export async function bothThemes(name: string): Promise<void> {
  for (const theme of ['light', 'dark'] as const) {
    await browser.execute(
      (wanted) => void (document.documentElement.dataset['theme'] = wanted),
      theme,
    );
    await screenshot(`${name}-${theme}`);
  }
  await browser.execute(() => void delete document.documentElement.dataset['theme']);
}

/** On a run's page: its model and the one that it came from are asked the same, and both answer. */
export async function compareWithOrigin(message: string): Promise<void> {
  await press(testIds.runCompare);
  await byId(testIds.compareMessage).setValue(message);
  await press(testIds.compareAsk);
  await browser.waitUntil(
    async () => (await $$(selector(testIds.compareSide, '[data-state="done"]')).length) === 2,
    { timeout: patienceMs },
  );
}

/** The names of the two, which are told once one is judged. */
export async function judgedNames(): Promise<string[]> {
  await byId(testIds.compareTally).waitForDisplayed();
  return await $$(selector(testIds.compareName)).map((name) => name.getText());
}
