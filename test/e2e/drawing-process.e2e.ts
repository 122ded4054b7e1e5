// A model that draws in a process of its own, as large ones do: that process dies in the middle of a picture.
import { workerEnvironment } from '../../src/shared/contracts/worker-protocol.ts';
import { testIds } from '../../src/renderer/test-ids.ts';
import { drawingPids, restartApp, workerPids } from './harness/app.ts';
import {
  answered,
  byId,
  engineReady,
  pressSend,
  screenshot,
  settled,
  type,
} from './harness/window.ts';

/** Long enough to be caught in the middle of, on any machine. */
const patienceMs = 60_000;

describe('drawing in a process of its own', () => {
  before(async () => {
    await restartApp({ env: { [workerEnvironment.drawApart]: '0' } });
    await engineReady();
  });

  it('costs the picture alone when it is killed', async () => {
    expect(drawingPids()).toEqual([]);
    const engine = workerPids();
    await byId(testIds.pictureWish).click();
    await byId(testIds.wishDraw).click();
    await type('Show me a red ball.');
    await pressSend();
    await browser.waitUntil(async () => drawingPids().length === 1, {
      ...{ timeout: patienceMs, interval: 10 },
      timeoutMsg: 'no process to draw was started',
    });
    for (const pid of drawingPids()) process.kill(pid, 'SIGKILL');
    const reply = await settled(2);
    expect(reply).toMatchObject({ pictures: 0, undrawn: 1 });
    expect(reply.status).toMatch(answered);
    expect(await byId(testIds.undrawn).getText()).toContain('The process that draws was ended');
    expect(workerPids()).toEqual(engine);
    await screenshot('drawing-process-killed');
  });

  it('draws when it is asked again', async () => {
    await byId(testIds.drawAgain).click();
    await byId(testIds.picture).waitForExist({ timeout: patienceMs });
    expect(await settled(2)).toMatchObject({ pictures: 1, undrawn: 0 });
    expect(drawingPids()).toHaveLength(1);
    await screenshot('drawing-process-again');
  });
});
