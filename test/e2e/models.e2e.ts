// Models as a person gets them: a tiny system fetched from a hub on loopback, quit in the middle, gone on with, checked,
// put together, talked to; and one of folders that were brought.
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { testIds, type TestId } from '../../src/renderer/test-ids.ts';
import { noPython, runPython } from '../golden/run-python.ts';
import { killDrive } from '../support/dead-drive.ts';
import { Hub } from '../support/hub.ts';
import { app, restartApp } from './harness/app.ts';
import { request, seen } from './harness/views.ts';
import { answered, ask, byId, engineReady, screenshot, selector } from './harness/window.ts';

const patienceMs = 240_000;
const hub = new Hub();
const licence = { name: 'A licence of the test', address: null, says: 'For this test alone.' };
/** What stands in Latin letters in Chinese too. */
const names = [
  ...[
    'TextBind mini',
    'Tiny TextBind',
    'A licence of the test',
    'For this test alone',
    'For a test',
  ],
  ...['Random weights, for a test', 'talking.Q5_1', 'Tiny vision', 'Tiny language', 'Tiny drawing'],
  ...['Tiny textbind', 'Answer in one sentence', 'Draw a red apple', 'What is the sea'],
];

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

/** The card of the model that is in use. */
const inUse = selector(testIds.modelItem, '[data-chosen="true"]');

/** Asks for something in the menu of the model in use. */
async function choose(what: TestId): Promise<void> {
  const item = $(inUse);
  await item.scrollIntoView({ block: 'center' });
  await item.$(selector(testIds.modelMenu)).click();
  await press(what);
}

/** Has the chat's header open a model by its name. */
async function switchTo(name: string): Promise<void> {
  await press(testIds.engineStatus);
  await $(`${selector(testIds.modelSwitch)}*=${name}`).click();
  await browser.waitUntil(async () => (await byId(testIds.engineStatus).getText()).includes(name), {
    timeout: patienceMs,
  });
  await engineReady();
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
    const check = async (): Promise<string> => {
      await choose(testIds.modelVerify);
      await byId(testIds.modelVerified).waitForDisplayed({ timeout: patienceMs });
      return byId(testIds.modelVerified).getText();
    };
    expect(await check()).toContain('as it should be');
    await seen('models-verified', inUse, names);
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

  const storedParts = (): string[] => readdirSync(path.join(app().userData, 'data', 'parts'));
  const driveOf = (): string => path.join(app().scratch, 'drive');
  // The plan names the drive too.
  const liesThere = async (): Promise<boolean> =>
    (await $(inUse).getText()).includes(`Its files lie in ${driveOf()}`);

  it('it moves to another drive while it is open, and answers from there', async () => {
    mkdirSync(driveOf());
    await restartApp({ args: [`--save-folder=${driveOf()}`] });
    await engineReady();
    await press(testIds.railModels);
    await choose(testIds.modelMove);
    await byId(testIds.modelMovePlan).waitForDisplayed({ timeout: patienceMs });
    await screenshot('models-move');
    await press(testIds.modelMoveConfirm);
    await browser.waitUntil(liesThere, { timeout: patienceMs });
    expect(storedParts()).toEqual(['roots.json']);
    await press(testIds.railChat);
    await engineReady();
    expect((await ask('Hello again')).status).toMatch(answered);
  });

  it('a drive that is dead when the app starts costs its model, not the app', async function () {
    const revive = await killDrive(driveOf());
    if (revive === null) return this.skip();
    try {
      await restartApp({ args: [`--save-folder=${driveOf()}`] });
      await press(testIds.railModels);
      await browser.waitUntil(
        async () => (await $(inUse).getText()).includes('does not answer: its drive'),
        { timeout: patienceMs },
      );
      await seen('models-dead-drive', inUse, names);
      await press(testIds.railChat);
      await switchTo('TextBind mini');
      expect((await ask('Hello')).status).toMatch(answered);
    } finally {
      await revive();
    }
    await press(testIds.railModels);
    const card = $(`${selector(testIds.modelItem)}*=Tiny TextBind`);
    await browser.waitUntil(async () => !(await card.getText()).includes('does not answer'), {
      timeout: patienceMs,
    });
    await press(testIds.railChat);
    await switchTo('Tiny TextBind');
  });

  it('it moves back', async () => {
    await press(testIds.railModels);
    await choose(testIds.modelMoveBack);
    await byId(testIds.modelMovePlan).waitForDisplayed({ timeout: patienceMs });
    await press(testIds.modelMoveConfirm);
    await browser.waitUntil(async () => !(await liesThere()), { timeout: patienceMs });
    expect(storedParts().length).toBe(5);
    expect(readdirSync(driveOf())).toEqual([]);
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

  const bothAnswered = (): Promise<true | void> =>
    browser.waitUntil(
      async () => (await $$(selector(testIds.compareSide, '[data-state="done"]')).length) === 2,
      { timeout: patienceMs },
    );

  it('two models that were added answer the same message, from the chat, blind', async () => {
    await press(testIds.replyCompare);
    await byId(testIds.comparePage).waitForDisplayed({ timeout: patienceMs });
    // The one that is talked to, and another.
    const first = byId(testIds.compareFirst);
    expect(await first.$('option:checked').getText()).toContain('talking.Q5_1');
    await byId(testIds.compareSecond).selectByVisibleText('Tiny TextBind');
    await press(testIds.compareAsk);
    await bothAnswered();
    expect(await byId(testIds.compareName).isExisting()).toBe(false);
    await seen('compare-blind', selector(testIds.comparePage), names);
    await $(selector(testIds.compareVerdict, '[data-verdict="A"]')).click();
    await byId(testIds.compareTally).waitForDisplayed();
    const told = await $$(selector(testIds.compareName)).map((name) => name.getText());
    expect([...told].sort()).toEqual(['Tiny TextBind', 'talking.Q5_1, with pictures']);
    await seen('compare-judged', selector(testIds.comparePage), names);
  });

  it('with names in sight the two stand as they were chosen, and the tally counts on', async () => {
    await byId(testIds.compareBlind).click();
    await press(testIds.compareAsk);
    await bothAnswered();
    const told = await $$(selector(testIds.compareName)).map((name) => name.getText());
    expect(told).toEqual(['talking.Q5_1, with pictures', 'Tiny TextBind']);
    await $(selector(testIds.compareVerdict, '[data-verdict="both"]')).click();
    await browser.waitUntil(async () =>
      (await byId(testIds.compareTally).getText()).includes('2 answers judged, 1 blind'),
    );
    await press(testIds.backToChat);
    await engineReady();
  });

  it('the chat’s header goes back to another model', async () => {
    await press(testIds.engineStatus);
    const items = await $$(selector(testIds.modelSwitch)).map((each) => each.getText());
    expect(items.length).toBe(4);
    await browser.keys(['Escape']);
    await switchTo('TextBind mini');
  });

  it('a model has another name, and is deleted with the parts that only it used', async () => {
    await press(testIds.railModels);
    const named = (name: string): string => `${selector(testIds.modelItem)}*=${name}`;
    const menu = async (name: string, what: TestId): Promise<void> => {
      const item = $(named(name));
      await item.scrollIntoView({ block: 'center' });
      await item.$(selector(testIds.modelMenu)).click();
      await press(what);
    };
    await menu('Tiny TextBind', testIds.modelRename);
    await byId(testIds.modelNameInput).setValue('Wren');
    await browser.keys(['Enter']);
    await $(named('Wren')).waitForDisplayed({ timeout: patienceMs });
    await menu('Wren', testIds.modelDelete);
    await byId(testIds.modelRemoval).waitForDisplayed({ timeout: patienceMs });
    expect(await byId(testIds.modelRemoval).getText()).toMatch(/Deleting Wren frees [\d.]+ (k|M)B/);
    await seen('models-delete', selector(testIds.modelRemoval), names);
    await press(testIds.modelDeleteConfirm);
    await browser.waitUntil(() => storedParts().every((name) => !name.startsWith('tiny-')), {
      timeout: patienceMs,
    });
    await $(named('Wren')).waitForExist({ reverse: true });
  });
});
