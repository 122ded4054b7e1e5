// A reply that ends before its end: Stop, and a worker that dies. What was said is kept, and can go on.
import { testIds } from '../../src/renderer/test-ids.ts';
import { killWorker, workerPids } from './harness/app.ts';
import {
  answered,
  ask,
  byId,
  engineReady,
  pressSend,
  screenshot,
  settled,
  streamed,
  turns,
  type,
} from './harness/window.ts';

/** A prompt that the embedded model answers at length. */
const longPrompt = 'Explain in detail how a steam engine works.';

describe('a reply that ends early', () => {
  before(engineReady);

  it('is kept when a person presses Stop, and goes on with Continue', async () => {
    await type(longPrompt);
    await pressSend();
    await streamed(5);
    await byId(testIds.stop).click();
    const stopped = await settled(2);
    expect(stopped.status).toBe('stopped');
    expect(stopped.text.length).toBeGreaterThanOrEqual(5);
    await screenshot('stopped');

    await byId(testIds.continueReply).click();
    await browser.waitUntil(async () => (await turns()).at(-1)?.status !== 'stopped');
    const continued = await settled(2);
    expect(continued.status).toMatch(answered);
    expect(continued.text.startsWith(stopped.text.trimEnd())).toBe(true);
  });

  it('is kept and marked when the worker is killed in the middle of it', async () => {
    expect(workerPids()).toHaveLength(1);
    await type(longPrompt);
    await pressSend();
    await streamed(5);
    expect(killWorker()).toBe(1);
    const interrupted = await settled(4);
    expect(interrupted.status).toBe('interrupted');
    expect(interrupted.text.length).toBeGreaterThanOrEqual(5);
    // The window still answers: a person can type while the engine comes back.
    await type('still here');
    expect(await byId(testIds.composerInput).getText()).toContain('still here');
    await screenshot('interrupted');
    await engineReady();
    expect(workerPids()).toHaveLength(1);

    await byId(testIds.regenerate).click();
    await browser.waitUntil(async () => (await turns()).at(-1)?.status !== 'interrupted');
    const again = await settled(4);
    expect(again.status).toMatch(answered);
  });

  it('answers as before after the restart', async () => {
    await browser.keys(['Control', 'a']);
    const reply = await ask('Hello!');
    expect(reply.status).toMatch(answered);
  });
});
