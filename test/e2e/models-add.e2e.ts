// Models that a person brings: what does not fit is listed whole, a copy tells how far it is and is stopped, a model that
// is whole is added as it is.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { testIds } from '../../src/renderer/test-ids.ts';
import { noPython, runPython } from '../golden/run-python.ts';
import { app, appLog, restartApp } from './harness/app.ts';
import { expectNoFinding } from './harness/axe.ts';
import { seen } from './harness/views.ts';
import { answered, ask, byId, engineReady, selector } from './harness/window.ts';

const patienceMs = 120_000;
const names = ['TextBind mini', 'Hugging Face', 'Q-Former', 'Answer in one sentence'];

/** Opens the app with a dialog that answers with this folder, and brings it. */
async function bring(folder: string): Promise<void> {
  await restartApp({ args: [`--save-folder=${folder}`] });
  await engineReady();
  await byId(testIds.railModels).click();
  await byId(testIds.modelPickFolder).waitForDisplayed({ timeout: patienceMs });
  await byId(testIds.modelPickFolder).scrollIntoView({ block: 'center' });
  await byId(testIds.modelPickFolder).click();
  await byId(testIds.importAdd).waitForEnabled({ timeout: patienceMs });
  await byId(testIds.importCost).waitForDisplayed({ timeout: patienceMs });
}

async function press(id: typeof testIds.importAdd | typeof testIds.importStop): Promise<void> {
  await byId(id).scrollIntoView({ block: 'center' });
  await byId(id).click();
}

const ownModels = (): string[] => {
  const folder = path.join(app().userData, 'data', 'models');
  return existsSync(folder) ? readdirSync(folder) : [];
};

describe('models that a person brings', function () {
  this.timeout(400_000);
  let parts = '';
  const brought = (): string => path.join(app().scratch, 'brought');
  const config = (): string => path.join(brought(), 'language', 'config.json');
  before(function () {
    if (noPython !== undefined) return this.skip();
    parts = runPython('tiny_model.py', ['2']);
    mkdirSync(brought());
    for (const name of ['vision', 'language', 'qformer.safetensors', 'qformer-config.json']) {
      cpSync(path.join(parts, name), path.join(brought(), name), { recursive: true });
    }
  });
  after(() => browser.sendCommand('Emulation.clearDeviceMetricsOverride', {}));

  it('every tensor that is missing or wrong is listed, and nothing is added', async () => {
    const kept = readFileSync(config(), 'utf8');
    const sizes = JSON.parse(kept) as { num_hidden_layers: number; intermediate_size: number };
    const wrong = {
      ...{ num_hidden_layers: sizes.num_hidden_layers + 1 },
      ...{ intermediate_size: 2 * sizes.intermediate_size },
    };
    writeFileSync(config(), JSON.stringify({ ...sizes, ...wrong }));
    await bring(brought());
    await seen('add-found', selector(testIds.foundPart), names);
    await press(testIds.importAdd);
    await byId(testIds.importFaults).waitForDisplayed({ timeout: patienceMs });
    const problems = await $$(`${selector(testIds.importFaults)} li`).map((each) =>
      each.getAttribute('data-problem'),
    );
    expect(problems).toContain('missing');
    expect(problems).toContain('wrong');
    expect(problems.length).toBeGreaterThan(10);
    expect(ownModels()).toEqual([]);
    await seen('add-wrong', selector(testIds.importFaults), [
      ...names,
      'language_model.model.layers',
      // What the engine says of a model's files stays English, as README says.
      ...['in the checkpoint', 'the network needs'],
    ]);
    await expectNoFinding();
    writeFileSync(config(), kept);
  });

  it('a copy tells how far it is, and is stopped without a trace', async () => {
    const filler = path.join(brought(), 'vision', 'notes.bin');
    writeFileSync(filler, '');
    truncateSync(filler, 900_000_000);
    await bring(brought());
    await browser.execute(
      (radio: string) => {
        document.querySelector<HTMLInputElement>(radio)!.click();
      },
      `${selector(testIds.importStorage)} input[value="copy"]`,
    );
    await browser.waitUntil(async () =>
      /^Takes 90\d MB more/.test(await byId(testIds.importCost).getText()),
    );
    await press(testIds.importAdd);
    await browser.waitUntil(
      async () =>
        /Copying the vision encoder: \d/.test(await byId(testIds.importProgress).getText()),
      { timeout: patienceMs, interval: 10 },
    );
    const [, pid] = [...appLog().matchAll(/process=conversion pid=(\d+)/g)].at(-1) ?? [];
    process.kill(Number(pid), 'SIGSTOP');
    await seen('add-progress', selector(testIds.importProgress), names);
    process.kill(Number(pid), 'SIGCONT');
    await press(testIds.importStop);
    await byId(testIds.importAdd).waitForDisplayed({ timeout: patienceMs });
    const page = await byId(testIds.modelsView).getText();
    expect(page).toContain('Stopped. Nothing was added.');
    expect(ownModels()).toEqual([]);
  });

  it('a model that is whole is added as it is, and answers', async () => {
    await bring(path.resolve('models/textbind-mini'));
    expect(await byId(testIds.foundPart).getAttribute('data-kind')).toBe('model');
    expect(await byId(testIds.importMissing).isExisting()).toBe(false);
    await byId(testIds.importName).setValue('Another mini');
    await press(testIds.importAdd);
    await byId(testIds.importDone).waitForDisplayed({ timeout: patienceMs });
    await seen('add-done', selector(testIds.importDone), [...names, 'Another mini']);
    await byId(testIds.importUse).click();
    await byId(testIds.railChat).click();
    await browser.waitUntil(
      async () => (await byId(testIds.engineStatus).getText()).includes('Another mini'),
      { timeout: patienceMs },
    );
    await engineReady();
    expect((await ask('Draw a red apple.')).status).toMatch(answered);
  });
});
