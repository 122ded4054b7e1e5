// What this machine can do, as a person reads of it: on each model's card, in the catalogue, from the doctor and about
// the local server; with the memory that there is, and with too little.
import { testIds } from '../../src/renderer/test-ids.ts';
import { restartApp } from './harness/app.ts';
import { expectNoFinding } from './harness/axe.ts';
import { seen } from './harness/views.ts';
import { byId, engineReady, selector } from './harness/window.ts';

const patienceMs = 120_000;
/** What Chinese says in Latin letters too: names, and a model's licence in its own words. */
const names = [
  ...['trained on pictures composed from fluent', 'with names from emojibase'],
  ...['TextBind mini', 'TextBind 7B', 'SDXL Turbo', 'Stable Diffusion XL', 'Hugging Face'],
  ...['Llama 2 Community License', 'CreativeML Open RAIL', 'Stability AI Community License'],
  ...['Stability AI Non-Commercial Research Community License', 'Apache License', 'CC BY-NC'],
  ...['Llama 2 7B Chat', 'Salesforce/blip2-flan-t5-xxl', 'Electron', 'onnxruntime-node'],
];

describe('what this machine can do', function () {
  this.timeout(400_000);
  before(engineReady);
  after(() => browser.sendCommand('Emulation.clearDeviceMetricsOverride', {}));

  it('a model’s card says it after a measurement, in both languages', async () => {
    await byId(testIds.railModels).click();
    await byId(testIds.fitLine, '[data-basis="none"]').waitForExist({ timeout: patienceMs });
    await seen('fit-none', selector(testIds.modelItem), names);
    await byId(testIds.fitMeasure).click();
    await byId(testIds.fitLine, '[data-basis="measured"]').waitForExist({ timeout: patienceMs });
    await seen('fit-measured', selector(testIds.modelItem), names);
  });

  it('the catalogue says of each system whether it fits, and is read in both languages', async () => {
    await byId(testIds.systemFit).waitForExist();
    await seen('catalogue-shipped', selector(testIds.catalogueItem), names);
  });

  it('the doctor says what there is', async () => {
    await byId(testIds.railSettings).click();
    await byId(testIds.doctorOpen).waitForDisplayed();
    await byId(testIds.doctorOpen).click();
    await byId(testIds.doctorFinding).waitForExist({ timeout: patienceMs });
    await seen('doctor', selector(testIds.doctorFinding), names);
    await seen('doctor-versions', `${selector(testIds.doctorView)} .card:last-of-type`, names);
    await expectNoFinding();
  });

  it('the local server shows its address and key', async () => {
    await byId(testIds.railSettings).click();
    await byId(testIds.serverSwitch).waitForDisplayed();
    await seen('server-off', selector(testIds.serverSwitch), names);
    await byId(testIds.serverSwitch).click();
    await byId(testIds.serverAddress).waitForDisplayed();
    await seen('server-on', selector(testIds.serverAddress), names);
    await expectNoFinding();
    await byId(testIds.serverSwitch).click();
  });

  it('what will not fit says what would', async () => {
    await restartApp({ env: { TEXTBIND_MEMORY_BYTES: '300000000' } });
    await byId(testIds.railModels).waitForDisplayed();
    await byId(testIds.railModels).click();
    await byId(testIds.fitLine).waitForExist({ timeout: patienceMs });
    const said = await byId(testIds.fitLine).getText();
    expect(said).toContain('Will not fit into this machine');
    expect(said).toMatch(/it would take .* for words|Not even with its language model in 4 bits/);
    await seen('fit-not', selector(testIds.modelItem), names);
    const systems = await $$(selector(testIds.systemFit)).map((each) =>
      each.getAttribute('data-fits'),
    );
    expect(systems).toEqual(['not', 'not', 'not']);
    await seen('catalogue-not', selector(testIds.systemFit), names);
  });
});
