import { app, appLog, killWorker, restartApp, workerPids } from './harness/app.ts';

describe('hello window', () => {
  it('shows, clicks, restarts on the same data, loses its worker', async () => {
    await expect($('#h')).toHaveText('Hello 1');
    await $('#b').click();
    await expect($('#h')).toHaveText('clicked');
    await restartApp({ env: { HELLO_ENV: 'yes it is' } });
    await expect($('#h')).toHaveText('Hello 2');
    await browser.waitUntil(() => appLog().includes('env=yes it is'));
    if (workerPids().length !== 1) throw new Error('no worker');
    killWorker();
    await browser.waitUntil(() => workerPids().length === 0);
    console.log(appLog(), app().userData);
  });
  it.skip('is skipped', () => undefined);
});
