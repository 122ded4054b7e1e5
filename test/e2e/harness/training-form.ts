// The form of a run: what it is asked on the way, and a try with what is proposed after it.
import { testIds } from '../../../src/renderer/test-ids.ts';
import { bothThemes, fill, patienceMs, press } from './training.ts';
import { byId, selector } from './window.ts';

/** Adds a message that a run is asked while it learns. */
export async function askOnTheWay(message: string): Promise<void> {
  await press(testIds.runSamplesAdd);
  await fill(testIds.runSamplesText, message);
}

/** After which steps the open run's page shows answers to its first message, in order. */
export async function replySteps(): Promise<number[]> {
  await byId(testIds.runReplies).waitForDisplayed({ timeout: patienceMs });
  const shown = await $$(selector(testIds.runReply)).map((reply) =>
    reply.getAttribute('data-step'),
  );
  return shown.map(Number);
}

/** Tries a few real steps, looks at what is said of other settings, and takes one over. */
export async function tryAndTakeOver(name: string): Promise<void> {
  await press(testIds.runTry);
  const verdict = byId(testIds.runVerdict);
  await verdict.waitForDisplayed({ timeout: patienceMs });
  expect(await verdict.getAttribute('data-fits')).toBe('true');
  await byId(testIds.runForm)
    .$(`details:has(${selector(testIds.runOption)}) > summary`)
    .click();
  const option = (which: string) => $(selector(testIds.runOption, `[data-name="${which}"]`));
  expect(await option('asked').getText()).toContain('measured');
  const isOnProcessor = (await byId(testIds.runTried).getText()).includes('On cpu');
  const needs = (await option('qlora').getText()).includes('needs an NVIDIA GPU');
  expect(needs).toBe(isOnProcessor);
  await option(name).scrollIntoView({ block: 'center' });
  await bothThemes('training-tried');
  await option(name).$('button').click();
  await verdict.waitForExist({ reverse: true });
}
