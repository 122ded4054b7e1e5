// The database is gone, or damaged, under a data folder with pictures and a copy: nothing is deleted, the page says
// so, and its ways out lead back to the conversation. The page has no script; it is used by keyboard here.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { openBackups } from '../../src/main/database/backups.ts';
import { silentLogger } from '../../src/base/log.ts';
import { testIds } from '../../src/renderer/test-ids.ts';
import { app, mainPid, restartApp } from './harness/app.ts';
import { ask, byId, engineReady, screenshot, turns } from './harness/window.ts';

const data = (...names: string[]): string => path.join(app().userData, 'data', ...names);
const database = (): string => data('textbind.db');

/** SIGKILL, so that nothing is done at the end that the next start could rest on. */
function kill(): void {
  process.kill(mainPid(), 'SIGKILL');
}

function pictureFiles(): string[] {
  const folder = data('pictures');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => readdirSync(path.join(folder, name)));
}

async function press(action: string): Promise<void> {
  const link = $(`[data-testid="problem-${action}"]`);
  await link.waitForDisplayed();
  for (let tabs = 0; tabs < 20; tabs += 1) {
    const focused = await browser.execute(() =>
      document.activeElement?.getAttribute('data-testid'),
    );
    if (focused === `problem-${action}`) return void (await browser.keys('Enter'));
    await browser.keys('Tab');
  }
  throw new Error(`${action} cannot be reached by the keyboard`);
}

/** What was done is said until it is read. */
async function readNotice(): Promise<void> {
  const notice = byId(testIds.standingNotice);
  await notice.waitForDisplayed().catch(async (error: unknown) => {
    throw new Error(`the page says: ${await $('body').getText()}`, { cause: error });
  });
  await notice.$('button').click();
  await notice.waitForExist({ reverse: true });
}

describe('a data folder without its database', () => {
  before(async () => {
    await engineReady();
    await ask('What is the sea?');
    const open = new Database(database(), { readonly: false });
    await openBackups(data('backups'), silentLogger).make(open, 'close');
    open.close();
    kill();
  });

  it('says that it is missing, deletes no picture, and restores the copy', async () => {
    for (const end of ['', '-wal', '-shm']) {
      if (existsSync(database() + end)) renameSync(database() + end, `${database()}${end}.moved`);
    }
    const folder = data('pictures', 'ab');
    const picture = path.join(folder, 'ab'.repeat(32));
    mkdirSync(folder, { recursive: true });
    writeFileSync(picture, 'x');
    await restartApp();
    await $('[data-testid="startup-problem"]').waitForDisplayed();
    expect(await $('h1').getText()).toBe('The database of your conversations is missing');
    await screenshot('database-missing');
    await browser.pause(12_000);
    expect(pictureFiles()).toContain('ab'.repeat(32));
    expect(existsSync(database())).toBe(false);
    await press('copy-error');
    await $('[data-testid="problem-message"]').waitForDisplayed();
    await press('restore');
    await readNotice();
    await byId(testIds.conversationItem).click();
    await browser.waitUntil(async () => (await turns()).length === 2);
    await screenshot('database-restored');
    kill();
  });

  it('says that it is damaged, and saves what can be read', async () => {
    // Folded, then a page of each table is lost: what is on the others is read.
    const open = new Database(database());
    open.pragma('wal_checkpoint(TRUNCATE)');
    const root = Number(
      open.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'conversations'").pluck().get(),
    );
    open.close();
    for (const end of ['-wal', '-shm']) rmSync(database() + end, { force: true });
    const bytes = readFileSync(database());
    bytes.fill(0, (root - 1) * 4096, root * 4096);
    writeFileSync(database(), bytes);
    await restartApp();
    await $('[data-testid="startup-problem"]').waitForDisplayed();
    expect(await $('h1').getText()).toBe('The database of your conversations is damaged');
    await screenshot('database-damaged');
    await press('salvage');
    await readNotice();
    await byId(testIds.conversationItem).click();
    await browser.waitUntil(async () => (await turns()).length === 2);
    expect(readdirSync(data()).some((name) => name.includes('-damaged-'))).toBe(true);
    await engineReady();
    await ask('And the sky?');
  });
});
