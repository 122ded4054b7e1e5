// Models as a person gets them: a tiny system fetched from a hub on loopback, quit in the middle, gone on with, checked,
// put together, talked to; and one of folders that were brought.
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { testIds, type TestId } from '../../src/renderer/test-ids.ts';
import { noPython, runPython } from '../golden/run-python.ts';
import { Hub } from '../support/hub.ts';
import { app, restartApp } from './harness/app.ts';
import { answered, ask, byId, engineReady, screenshot } from './harness/window.ts';

const patienceMs = 240_000;
const hub = new Hub();
const licence = { name: 'A licence of the test', address: null, says: 'For this test alone.' };

async function press(id: TestId, more = ''): Promise<void> {
  const button = byId(id, more);
  await button.waitForEnabled({ timeout: patienceMs });
  await button.scrollIntoView({ block: 'center' });
  await button.click();
}

/** A folder as a repository. */
function contentOf(folder: string): Record<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => statSync(path.join(folder, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(path.join(folder, name))]));
}

async function request(name: string, body: unknown): Promise<unknown> {
  return browser.execute(
    async (asked: string, given: unknown) => {
      const { api } = window as unknown as {
        api: { request(name: string, body: unknown): Promise<unknown> };
      };
      return api.request(asked, given);
    },
    name,
    body,
  );
}

const stateOf = async (): Promise<string> =>
  String(await byId(testIds.download).getAttribute('data-state'));

describe('models in the window', function () {
  this.timeout(900_000);
  let parts = '';
  before(async function () {
    if (noPython !== undefined) return this.skip();
    parts = runPython('tiny_model.py', ['2']);
    await hub.start();
    hub.put('tiny/vision', contentOf(path.join(parts, 'vision')));
    hub.put('tiny/language', contentOf(path.join(parts, 'language')));
    hub.put('tiny/drawing', contentOf(path.join(parts, 'image-decoder')));
    hub.put('tiny/textbind', {
      'weights.safetensors': readFileSync(path.join(parts, 'qformer.safetensors')),
    });
    const files = [
      '*',
      'text_encoder/*',
      'text_encoder_2/*',
      'tokenizer/*',
      'tokenizer_2/*',
      'unet/*',
      'vae/*',
      'scheduler/*',
    ];
    const part = (id: string, role: string): object => ({
      ...{ id: `tiny-${id}`, role, name: `Tiny ${id}`, about: 'For a test.', licence },
      ...{ repository: `tiny/${id}`, files },
    });
    const catalogue = {
      version: 1,
      parts: [
        part('vision', 'vision'),
        part('language', 'language'),
        part('textbind', 'checkpoint'),
        part('drawing', 'image-decoder'),
      ],
      systems: [
        {
          ...{ id: 'tiny', name: 'Tiny TextBind', about: 'Random weights, for a test.' },
          parts: {
            vision: 'tiny-vision',
            language: 'tiny-language',
            checkpoint: 'tiny-textbind',
            'image-decoder': 'tiny-drawing',
          },
          manifest: {
            qformerConfig: JSON.parse(
              readFileSync(path.join(parts, 'qformer-config.json'), 'utf8'),
            ) as unknown,
            maxPicturesPerReply: 1,
            maxSequenceLength: 256,
          },
        },
      ],
    };
    const data = path.join(app().userData, 'data');
    mkdirSync(data, { recursive: true });
    writeFileSync(path.join(data, 'catalogue.json'), JSON.stringify(catalogue));
    await engineReady();
    await request('settings.set', { network: { hub: hub.address, proxy: null } });
  });
  after(() => hub.stop());

  it('nothing is asked until it is pressed; then sizes and licences come first', async () => {
    await press(testIds.railModels);
    await byId(testIds.catalogueItem, '[data-entry="tiny"]').waitForDisplayed({
      timeout: patienceMs,
    });
    await screenshot('models-page');
    expect(hub.requests).toEqual([]);
    const item = byId(testIds.catalogueItem, '[data-entry="tiny"]');
    const look = item.$(`[data-testid="${testIds.catalogueLook}"]`);
    await look.scrollIntoView({ block: 'center' });
    await look.click();
    await byId(testIds.offer).waitForDisplayed({ timeout: patienceMs });
    const offer = await byId(testIds.offer).getText();
    expect(offer).toContain(new URL(hub.address).host);
    expect(offer).toContain('A licence of the test');
    expect(hub.requests.every(({ path: asked }) => asked.startsWith('/api/'))).toBe(true);
    expect(await byId(testIds.offerStart).isEnabled()).toBe(false);
    await screenshot('models-offer');
  });

  it('a download that the app is quit over goes on, is checked, and becomes a model that answers', async () => {
    hub.paceMs = 30;
    hub.paceBytes = 8192;
    await press(testIds.offerAccept);
    await press(testIds.offerStart);
    await browser.waitUntil(
      async () => Number(await byId(testIds.download).getAttribute('data-received')) > 200_000,
      { timeout: patienceMs },
    );
    await screenshot('models-downloading');
    await restartApp();
    hub.paceMs = 0;
    const sent = hub.sentBytes;
    hub.requests.length = 0;
    await engineReady();
    await press(testIds.railModels);
    await byId(testIds.download).waitForDisplayed({ timeout: patienceMs });
    expect(await stateOf()).toBe('paused');
    const kept = Number(await byId(testIds.download).getAttribute('data-received'));
    expect(kept).toBeGreaterThan(100_000);
    expect(hub.requests).toEqual([]);
    await press(testIds.downloadResume);
    await browser.waitUntil(async () => (await stateOf()) === 'done', {
      timeout: patienceMs,
      timeoutMsg: 'the download is not done',
    });
    const all = [...hub.repositories.values()].flatMap(({ files }) => [...files.values()]);
    const bytes = all.reduce((sum, file) => sum + file.length, 0);
    // What was there is not fetched again; what was on the way may be.
    expect(hub.sentBytes - sent).toBeLessThan(bytes - kept + 300_000);
    await press(testIds.downloadUse);
    await press(testIds.railChat);
    await browser.waitUntil(
      async () => (await byId(testIds.engineStatus).getText()).includes('Tiny TextBind'),
      { timeout: patienceMs },
    );
    await engineReady();
    expect((await ask('Hello')).status).toMatch(answered);
    await screenshot('models-chat');
  });

  it('its files can be checked, and a byte that is another is found', async () => {
    await press(testIds.railModels);
    const item = byId(testIds.modelItem, '[data-chosen="true"]');
    const check = async (): Promise<string> => {
      await item.$(`[data-testid="${testIds.modelMenu}"]`).click();
      await press(testIds.modelVerify);
      await byId(testIds.modelVerified).waitForDisplayed({ timeout: patienceMs });
      return byId(testIds.modelVerified).getText();
    };
    await item.scrollIntoView({ block: 'center' });
    expect(await check()).toContain('as it should be');
    const stored = path.join(app().userData, 'data', 'parts');
    const folder = readdirSync(stored).find((name) => name.startsWith('tiny-language@')) ?? '';
    const file = path.join(stored, folder, 'tokenizer_config.json');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('<s>', '<x>'));
    await browser.waitUntil(async () => (await check()).includes('not as it was fetched'), {
      timeout: patienceMs,
    });
    writeFileSync(file, text);
  });

  it('it moves to another drive while it is open, answers from there, and moves back', async () => {
    const drive = path.join(app().scratch, 'drive');
    mkdirSync(drive);
    await restartApp({ args: [`--save-folder=${drive}`] });
    await engineReady();
    await press(testIds.railModels);
    const item = byId(testIds.modelItem, '[data-chosen="true"]');
    const choose = async (what: TestId): Promise<void> => {
      await item.scrollIntoView({ block: 'center' });
      await item.$(`[data-testid="${testIds.modelMenu}"]`).click();
      await press(what);
      await byId(testIds.modelMovePlan).waitForDisplayed({ timeout: patienceMs });
    };
    await choose(testIds.modelMove);
    await screenshot('models-move');
    await press(testIds.modelMoveConfirm);
    // The plan names the drive too.
    const lies = `Its files lie in ${drive}`;
    await browser.waitUntil(async () => (await item.getText()).includes(lies), {
      timeout: patienceMs,
    });
    const stored = (): string[] => readdirSync(path.join(app().userData, 'data', 'parts'));
    expect(stored()).toEqual(['roots.json']);
    await press(testIds.railChat);
    await engineReady();
    expect((await ask('Hello again')).status).toMatch(answered);
    await press(testIds.railModels);
    await choose(testIds.modelMoveBack);
    await press(testIds.modelMoveConfirm);
    await browser.waitUntil(async () => !(await item.getText()).includes(lies), {
      timeout: patienceMs,
    });
    expect(stored().length).toBe(5);
    expect(readdirSync(drive)).toEqual([]);
  });

  it('folders that are brought are recognised, what is missing is told, and they become a model', async () => {
    const brought = path.join(app().scratch, 'brought');
    cpSync(path.join(parts, 'vision'), path.join(brought, 'vision'), { recursive: true });
    cpSync(path.join(parts, 'language'), path.join(brought, 'language'), { recursive: true });
    await restartApp({ args: [`--save-folder=${brought}`] });
    await engineReady();
    await press(testIds.railModels);
    await press(testIds.modelPickFolder);
    await byId(testIds.importMissing).waitForDisplayed({ timeout: patienceMs });
    expect(await byId(testIds.importMissing).getText()).toContain('Q-Former');
    expect(await byId(testIds.importAdd).isEnabled()).toBe(false);
    for (const name of ['qformer.safetensors', 'qformer-config.json']) {
      cpSync(path.join(parts, name), path.join(brought, name));
    }
    cpSync(path.join(parts, 'image-decoder'), path.join(brought, 'drawing'), { recursive: true });
    await press(testIds.modelPickFolder);
    await byId(testIds.foundPart, '[data-kind="image-decoder"]').waitForDisplayed({
      timeout: patienceMs,
    });
    await byId(testIds.importCost).waitForDisplayed({ timeout: patienceMs });
    await screenshot('models-found');
    await press(testIds.importAdd);
    await byId(testIds.importDone).waitForDisplayed({ timeout: patienceMs });
    await press(testIds.importUse);
    await press(testIds.railChat);
    await browser.waitUntil(
      async () => (await byId(testIds.engineStatus).getText()).includes('with pictures'),
      { timeout: patienceMs },
    );
    await engineReady();
    expect((await ask('Hello')).status).toMatch(answered);
  });

  it('a GGUF file with the other parts becomes a model that answers', async () => {
    const brought = path.join(app().scratch, 'brought-gguf');
    cpSync(path.join(parts, 'vision'), path.join(brought, 'vision'), { recursive: true });
    for (const name of ['qformer.safetensors', 'qformer-config.json']) {
      cpSync(path.join(parts, name), path.join(brought, name));
    }
    const gguf = path.join(brought, 'talking.Q5_1.gguf');
    cpSync(path.join(runPython('gguf_files.py'), 'talking.gguf'), gguf);
    await restartApp({ args: [`--save-folder=${brought}`] });
    await engineReady();
    await press(testIds.railModels);
    await press(testIds.modelPickFolder);
    await byId(testIds.foundPart, '[data-kind="gguf"][data-usable="true"]').waitForDisplayed({
      timeout: patienceMs,
    });
    await browser.waitUntil(async () =>
      /^Takes \d+ kB more/.test(await byId(testIds.importCost).getText()),
    );
    expect(await byId(testIds.importName).getValue()).toBe('talking.Q5_1, with pictures');
    await screenshot('models-gguf');
    await press(testIds.importAdd);
    await byId(testIds.importDone).waitForDisplayed({ timeout: patienceMs });
    await press(testIds.importUse);
    await press(testIds.railChat);
    await browser.waitUntil(
      async () => (await byId(testIds.engineStatus).getText()).includes('talking.Q5_1'),
      { timeout: patienceMs },
    );
    await engineReady();
    expect((await ask('Hello')).status).toMatch(answered);
  });

  it('the chat’s header goes back to another model', async () => {
    await press(testIds.engineStatus);
    const items = await $$(`[data-testid="${testIds.modelSwitch}"]`).map((each) => each.getText());
    expect(items.length).toBe(4);
    await $(`[data-testid="${testIds.modelSwitch}"]*=TextBind mini`).click();
    await browser.waitUntil(
      async () => (await byId(testIds.engineStatus).getText()).includes('TextBind mini'),
      { timeout: patienceMs },
    );
    await engineReady();
  });
});
