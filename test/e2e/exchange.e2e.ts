// Out and in, in the real window: every format written, an archive imported again, a copy restored, a file refused.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { testIds, type TestId } from '../../src/renderer/test-ids.ts';
import { app, restartApp } from './harness/app.ts';
import { ask, byId, engineReady, screenshot, selector, turns } from './harness/window.ts';

const launched = (): { args: string[] } => ({ args: [`--save-folder=${app().scratch}`] });
const written = (ending: string): string[] =>
  readdirSync(app().scratch).filter((name) => name.endsWith(ending));

async function press(id: TestId, more = ''): Promise<void> {
  const element = byId(id, more);
  await element.waitForClickable();
  await element.click();
}

async function exportAs(format: string): Promise<void> {
  await press(testIds.exportMenu);
  await press(testIds.exportMore);
  await press(testIds.exportFormat, `[data-format="${format}"]`);
  if (format === 'html') await screenshot('export');
  await press(testIds.exportStart);
  await byId(testIds.exchangeDone).waitForDisplayed({ timeout: 60_000 });
  await press(testIds.exchangeClose);
  await byId(testIds.exchange).waitForExist({ reverse: true });
}

const listed = async (): Promise<number> =>
  (await $$(selector(testIds.conversationItem)).getElements()).length;

describe('conversations out and in', () => {
  before(async () => {
    await restartApp(launched());
    await engineReady();
    await ask('Can you draw a cat?');
  });

  it('writes a web page that holds everything', async () => {
    await exportAs('html');
    const [file] = written('.html');
    const page = readFileSync(path.join(app().scratch, file!), 'utf8');
    expect(page).toContain('Can you draw a cat?');
    expect(page).toContain('data:image/png;base64,');
    expect(page).not.toContain('<script');
  });

  it('prints a PDF', async () => {
    await exportAs('pdf');
    const [file] = written('.pdf');
    const bytes = readFileSync(path.join(app().scratch, file!));
    expect(bytes.subarray(0, 5).toString()).toBe('%PDF-');
    expect(bytes.length).toBeGreaterThan(5000);
  });

  it('writes an archive, and brings back from it what was deleted for good', async () => {
    await exportAs('zip');
    expect(written('.zip')).toHaveLength(1);
    const before = await turns();
    await press(testIds.railSettings);
    await press(testIds.importFile);
    const summary = byId(testIds.importSummary);
    await summary.waitForDisplayed();
    expect(await summary.getText()).toContain('1 is here already');
    await press(testIds.exchangeClose);
    await press(testIds.railChat);
    await byId(testIds.conversationItem).click();
    await browser.keys(['Delete']);
    await press(testIds.openTrash);
    await press(testIds.trashEmpty);
    await press(testIds.trashEmpty);
    await byId(testIds.trashItem).waitForExist({ reverse: true });
    await press(testIds.railSettings);
    await press(testIds.importFile);
    await summary.waitForDisplayed();
    expect(await summary.getText()).toContain('of which 1 is new');
    await screenshot('import-summary');
    await press(testIds.importStart);
    await press(testIds.exchangeDone);
    await byId(testIds.conversationItem).waitForDisplayed();
    expect(await listed()).toBe(1);
    await byId(testIds.conversationItem).click();
    await browser.waitUntil(async () => (await turns()).length === before.length);
    expect((await turns()).map(({ id, text }) => ({ id, text }))).toEqual(
      before.map(({ id, text }) => ({ id, text })),
    );
  });

  it('restores a daily copy from the settings', async () => {
    // A copy is made at the end.
    await restartApp(launched());
    await byId(testIds.conversationItem).waitForDisplayed();
    await byId(testIds.conversationItem).click();
    await browser.keys(['Delete']);
    await byId(testIds.conversationItem).waitForExist({ reverse: true });
    await press(testIds.railSettings);
    await byId(testIds.restoreCopy).scrollIntoView({ block: 'center' });
    await screenshot('settings-copies');
    await press(testIds.restoreCopy);
    await byId(testIds.importSummary).waitForDisplayed();
    await press(testIds.importStart);
    await press(testIds.exchangeDone);
    await byId(testIds.conversationItem).waitForDisplayed();
  });

  it('says why a file is not taken, and leaves nothing', async () => {
    for (const name of [...written('.zip'), ...written('.json')])
      rmSync(path.join(app().scratch, name));
    writeFileSync(path.join(app().scratch, 'broken.zip'), 'this is no zip file');
    await press(testIds.railSettings);
    await press(testIds.importFile);
    const fault = byId(testIds.exchangeFault);
    await fault.waitForDisplayed();
    expect(await fault.getText()).toContain('cannot be read as a zip file');
    await press(testIds.exchangeClose);
    expect(await listed()).toBe(1);
  });
});
