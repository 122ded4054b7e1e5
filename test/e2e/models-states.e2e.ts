// What a person meets while models are fetched: each state of a download, what stands in its way and what helps, in
// both languages and in the smallest window, from a hub on loopback that behaves badly.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { testIds, type TestId } from '../../src/renderer/test-ids.ts';
import { Hub, type HubFault, type HubRequest } from '../support/hub.ts';
import { app } from './harness/app.ts';
import { expectNoFinding } from './harness/axe.ts';
import { request, seen } from './harness/views.ts';
import { byId, engineReady, selector } from './harness/window.ts';

const patienceMs = 120_000;
const hub = new Hub();
const licence = { name: 'A licence', address: 'https://licence.example/terms', says: null };
const file = 'model.safetensors';

const entries = ['slow', 'next', 'gated', 'busy', 'wrong', 'huge'] as const;
type Entry = (typeof entries)[number];
const names = [
  ...['A part of the test', 'For a test.', 'A licence', 'Stable Diffusion XL', 'Llama 2'],
  ...['Community License', 'CreativeML Open RAIL'],
];
const nameOf = (entry: Entry): string => `A part of the test: ${entry}`;

const of = (entry: Entry): string => `[data-entry="${entry}"]`;
const stateOf = async (entry: Entry): Promise<string> =>
  String(await byId(testIds.download, of(entry)).getAttribute('data-state'));

async function reaches(entry: Entry, state: string): Promise<void> {
  await browser.waitUntil(async () => (await stateOf(entry)) === state, {
    timeout: patienceMs,
    timeoutMsg: `${entry} is not ${state} but ${await stateOf(entry)}`,
  });
}

/** A button within an entry's card, by script: where it is on the page is not what is looked at. */
async function press(within: string, id: TestId): Promise<void> {
  const button = $(`${within} ${selector(id)}`);
  await button.waitForEnabled({ timeout: patienceMs });
  await browser.execute(
    (at: string) => {
      document.querySelector<HTMLElement>(at)!.click();
    },
    `${within} ${selector(id)}`,
  );
}

const item = (entry: Entry): string => selector(testIds.catalogueItem, of(entry));
const download = (entry: Entry): string => selector(testIds.download, of(entry));

async function look(entry: Entry): Promise<void> {
  await press(item(entry), testIds.catalogueLook);
  await $(`${item(entry)} ${selector(testIds.offer)}`).waitForDisplayed({ timeout: patienceMs });
}

async function start(entry: Entry): Promise<void> {
  await look(entry);
  await press(item(entry), testIds.offerAccept);
  await press(item(entry), testIds.offerStart);
  await byId(testIds.download, of(entry)).waitForExist({ timeout: patienceMs });
}

async function cancel(entry: Entry): Promise<void> {
  await press(download(entry), testIds.downloadCancel);
  await press(download(entry), testIds.downloadCancelConfirm);
  await byId(testIds.download, of(entry)).waitForExist({ reverse: true });
}

function misbehave({ path: asked }: HubRequest): HubFault | null {
  if (asked.includes('/test/busy/')) return { kind: 'status', status: 503, retryAfter: '40' };
  return asked.includes('/test/wrong/') && asked.endsWith(file)
    ? { kind: 'corrupt', at: 77 }
    : null;
}

describe('models on their way', function () {
  this.timeout(600_000);
  before(async () => {
    await hub.start();
    hub.fault = misbehave;
    const parts = entries.map((id) => ({
      ...{ id, role: 'language', name: nameOf(id), about: 'For a test.', licence },
      ...{ repository: `test/${id}`, files: ['*'], gated: id === 'gated' },
    }));
    for (const id of entries) {
      const bytes = Buffer.alloc(id === 'slow' ? 6_000_000 : 200_000, id);
      hub.put(`test/${id}`, { [file]: bytes, 'config.json': '{}' }, { gated: id === 'gated' });
    }
    hub.repositories.get('test/huge')?.claims.set(file, 9e14);
    const data = path.join(app().userData, 'data');
    mkdirSync(data, { recursive: true });
    writeFileSync(
      path.join(data, 'catalogue.json'),
      JSON.stringify({ version: 1, parts, systems: [] }),
    );
    await engineReady();
    await request('settings.set', { network: { hub: hub.address, proxy: null } });
    await byId(testIds.railModels).click();
    await byId(testIds.catalogueItem, of('slow')).waitForExist({ timeout: patienceMs });
  });
  after(async () => {
    await browser.sendCommand('Emulation.clearDeviceMetricsOverride', {});
    await hub.stop();
  });

  it('the catalogue says what there is, and nothing is asked', async () => {
    await seen('catalogue', selector(testIds.catalogueItem), names);
    expect(hub.requests).toEqual([]);
    await expectNoFinding();
  });

  it('what does not fit on the disk is said before anything is fetched', async () => {
    await look('huge');
    const offer = await $(`${item('huge')} ${selector(testIds.offer)}`).getText();
    expect(offer).toMatch(/The disk has .* free; 900.* are needed/);
    await press(item('huge'), testIds.offerAccept);
    expect(await $(`${item('huge')} ${selector(testIds.offerStart)}`).isEnabled()).toBe(false);
    await seen('offer-disk', `${item('huge')} ${selector(testIds.offer)}`, names);
  });

  it('what is gated wants a token before it begins', async () => {
    await look('gated');
    await press(item('gated'), testIds.offerAccept);
    const begin = $(`${item('gated')} ${selector(testIds.offerStart)}`);
    expect(await begin.isEnabled()).toBe(false);
    await seen('offer-gated', `${item('gated')} ${selector(testIds.offer)}`, names);
    await expectNoFinding();
    await $(`${item('gated')} ${selector(testIds.hubToken)}`).setValue('hf_without_terms');
    await press(item('gated'), testIds.hubTokenKeep);
    await begin.waitForEnabled();
    await press(item('gated'), testIds.offerStart);
  });

  it('a hub that does not let this account in is told with the page where its terms are', async () => {
    await reaches('gated', 'stopped');
    const card = byId(testIds.download, of('gated'));
    expect(await card.getText()).toContain('Accept its terms');
    expect(await card.$(selector(testIds.downloadPage)).isDisplayed()).toBe(true);
    await seen('download-terms', download('gated'), names);
    await expectNoFinding();
  });

  it('a hub that asks who one is takes a token in the card, and goes on', async () => {
    await request('downloads.setToken', { token: null });
    await press(download('gated'), testIds.downloadResume);
    await browser.waitUntil(
      async () => (await byId(testIds.download, of('gated')).getText()).includes('who asks'),
      { timeout: patienceMs },
    );
    await seen('download-token', download('gated'), names);
    await $(`${download('gated')} ${selector(testIds.hubToken)}`).setValue(hub.token);
    await press(download('gated'), testIds.hubTokenKeep);
    await press(download('gated'), testIds.downloadResume);
    await reaches('gated', 'done');
    await seen('download-done', download('gated'), names);
  });

  it('one runs and the next waits; they change places; one pauses and goes on', async () => {
    hub.paceMs = 60;
    hub.paceBytes = 8192;
    await start('slow');
    await start('next');
    await browser.waitUntil(
      async () =>
        Number(await byId(testIds.download, of('slow')).getAttribute('data-received')) > 300_000,
      { timeout: patienceMs },
    );
    expect([await stateOf('slow'), await stateOf('next')]).toEqual(['fetching', 'queued']);
    await seen('download-running', download('slow'), names);
    await expectNoFinding();
    await press(download('slow'), testIds.downloadPause);
    await reaches('slow', 'paused');
    await seen('download-paused', download('slow'), names);
    hub.paceMs = 0;
    await reaches('next', 'done');
  });

  it('a cancel asks first, and deletes what came', async () => {
    await press(download('slow'), testIds.downloadCancel);
    await byId(testIds.downloadCancelConfirm).waitForDisplayed();
    await seen('download-cancel', download('slow'), names);
    await cancel('slow');
  });

  it('a busy hub is asked again by itself, and the seconds count down', async () => {
    await start('busy');
    await reaches('busy', 'waiting');
    const seconds = async (): Promise<number> =>
      Number(
        /again in (\d+) s/.exec(await byId(testIds.download, of('busy')).getText())?.[1] ?? NaN,
      );
    const first = await seconds();
    expect(first).toBeGreaterThan(3);
    await browser.waitUntil(async () => (await seconds()) < first - 1, { timeout: 10_000 });
    await seen('download-waiting', download('busy'), names);
    await cancel('busy');
  });

  it('bytes that are not what the hub says end in a clear state', async () => {
    await start('wrong');
    await reaches('wrong', 'stopped');
    expect(await byId(testIds.download, of('wrong')).getText()).toContain(
      'not what its listing says',
    );
    await seen('download-wrong', download('wrong'), names);
    await cancel('wrong');
  });

  it('parts on the disk are deleted after a question', async () => {
    await byId(testIds.storedParts).$('summary').click();
    const part = $$(selector(testIds.partDelete));
    expect(await part.length).toBe(2);
    await press(selector(testIds.storedParts), testIds.partDelete);
    await byId(testIds.partDeleteConfirm).waitForDisplayed();
    await seen('parts-delete', selector(testIds.storedParts), names);
    await press(selector(testIds.storedParts), testIds.partDeleteConfirm);
    await browser.waitUntil(async () => (await $$(selector(testIds.partDelete)).length) === 1);
  });

  it('what is wrong with the person’s own catalogue is said', async () => {
    writeFileSync(
      path.join(app().userData, 'data', 'catalogue.json'),
      '{ "version": 1, "parts": [{}]',
    );
    await byId(testIds.railChat).click();
    await byId(testIds.railModels).click();
    const page = byId(testIds.modelsView);
    await browser.waitUntil(async () => (await page.getText()).includes('catalogue was left out'));
  });
});
