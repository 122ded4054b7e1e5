// A large database of a version before: what is being done to it is said in a window, and then everything is there.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { migrations } from '../../src/main/database/migrations/index.ts';
import { closeDatabase, openDatabase } from '../../src/main/database/open.ts';
import { testIds } from '../../src/renderer/test-ids.ts';
import { app, appLog, mainPid, restartApp } from './harness/app.ts';
import { byId, engineReady } from './harness/window.ts';

const data = (...names: string[]): string => path.join(app().userData, 'data', ...names);

/** As it was before full text found parts of words: 2,000 conversations of long messages. */
function makeOld(): void {
  for (const end of ['', '-wal', '-shm']) rmSync(`${data('textbind.db')}${end}`, { force: true });
  rmSync(data('backups'), { recursive: true, force: true });
  const database = openDatabase({
    file: data('textbind.db'),
    backupFolder: data('backups'),
    migrations: migrations.filter(({ version }) => version <= 3),
  });
  const conversation = database.prepare(
    'INSERT INTO conversations (id, title, created_at, updated_at) VALUES (?, ?, ?, ?)',
  );
  const turn = database.prepare(
    `INSERT INTO turns (id, conversation_key, parent_key, is_current, role, status, created_at)
     VALUES (?, ?, NULL, 1, 'user', 'complete', 1)`,
  );
  const part = database.prepare(
    `INSERT INTO parts (turn_key, position, kind, body) VALUES (?, 0, 'text', ?)`,
  );
  const idOf = (number: number): string =>
    `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
  database.transaction(() => {
    for (let number = 1; number <= 2_000; number += 1) {
      const title = `Old conversation ${number}`;
      const { lastInsertRowid } = conversation.run(idOf(number), title, number, number);
      const words = `The keeper of lighthouse ${number} wrote this down. `.repeat(200);
      const added = turn.run(idOf(100_000 + number), lastInsertRowid);
      part.run(added.lastInsertRowid, words);
    }
  })();
  closeDatabase(database);
}

describe('a large database of a version before', () => {
  before(engineReady);

  it('is brought along under a window that says so, and all of it is found', async () => {
    process.kill(mainPid(), 'SIGKILL');
    makeOld();
    await restartApp();
    await engineReady();
    const log = appLog();
    const told = log.lastIndexOf('long migration ahead');
    expect(told).toBeGreaterThan(-1);
    expect(log.indexOf('window open', told)).toBeGreaterThan(told);
    expect(log.indexOf('database migrated', told)).toBeGreaterThan(
      log.indexOf('window open', told),
    );
    await byId(testIds.search).click();
    await byId(testIds.search).setValue('ighthouse 1999');
    await browser.waitUntil(async () =>
      (await byId(testIds.conversationItem).getText()).includes('Old conversation 1999'),
    );
    expect(await byId(testIds.standingNotice).isExisting()).toBe(false);
  });
});
