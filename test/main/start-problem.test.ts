import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { closeDatabase } from '../../src/main/database/open.ts';
import { startStorage, type OpenedStorage } from '../../src/main/database/storage.ts';
import { actionOfAddress } from '../../src/main/protocols/problem-page.ts';
import { createStartProblem } from '../../src/main/start-problem.ts';
import { placesIn, temporaryFolder } from './support/storage.ts';
import { makeTurn, text } from './support/turns.ts';

const id = '00000000-0000-4000-8000-000000000001';

async function lostDatabase() {
  const places = placesIn(temporaryFolder());
  const first = startStorage({ places });
  if (first.kind === 'failed') throw new Error(first.failure.detail);
  const { store, database, backups } = first.storage;
  store.conversations.create(id, 'Kept', 1);
  store.turns.append(id, makeTurn('user', [text('words')]));
  await backups.make(database, 'close');
  closeDatabase(database);
  rmSync(places.database);
  return places;
}

function problemOf(places: Awaited<ReturnType<typeof lostDatabase>>) {
  const start = startStorage({ places });
  if (start.kind === 'open') throw new Error('It opened');
  const did: string[] = [];
  let solved: OpenedStorage | null = null;
  const problem = createStartProblem({
    failure: start.failure,
    storage: { places },
    show: async () => void did.push('show'),
    openFolder: async () => void did.push('folder'),
    copy: (words) => void did.push(`copy ${words}`),
    async solved(storage) {
      solved = storage;
      onTestFinished(() => closeDatabase(storage.database));
    },
  });
  return { problem, did, solved: () => solved as OpenedStorage | null };
}

/** The actions that a page offers, in order. */
function offered(page: string): string[] {
  return [...page.matchAll(/href="([^"]+)"/g)].map(([, address]) => {
    const action = actionOfAddress(address!);
    if (action === null) throw new Error(`No action: ${address}`);
    return `${action.name} ${action.index}`;
  });
}

test('a missing database: the copy is offered first, and restoring it starts the app', async () => {
  const { problem, did, solved } = problemOf(await lostDatabase());
  expect(offered(problem.page())).toEqual([
    'restore 0',
    'retry 0',
    'show-folder 0',
    'copy-error 0',
    'start-anew 0',
  ]);
  await problem.act({ name: 'restore', index: 0 });
  expect(solved()?.store.turns.list(id)).toHaveLength(1);
  expect(solved()?.notice).toContain('was restored');
  // Once while it works; not once more over the app that has started.
  expect(did).toEqual(['show']);
});

test('the folder and the error are at hand, and what is not offered does nothing', async () => {
  const { problem, did, solved } = problemOf(await lostDatabase());
  await problem.act({ name: 'salvage', index: 0 });
  await problem.act({ name: 'restore', index: 7 });
  expect(did).toEqual([]);
  await problem.act({ name: 'show-folder', index: 0 });
  await problem.act({ name: 'copy-error', index: 0 });
  expect(did.map((each) => each.split(' ')[0])).toEqual(['folder', 'show', 'copy', 'show']);
  expect(did[2]).toContain('textbind.db');
  expect(problem.page()).toContain('The error was copied.');
  expect(solved()).toBeNull();
});

test('a damaged copy is not restored: the page says so, and everything is as it was', async () => {
  const places = await lostDatabase();
  const [copy] = readdirSync(places.backups).filter((name) => name.endsWith('.db'));
  const { problem, solved } = problemOf(places);
  writeFileSync(path.join(places.backups, copy!), 'x'.repeat(5000));
  await problem.act({ name: 'restore', index: 0 });
  expect(problem.page()).toMatch(/The copy .* is damaged or gone/);
  expect(solved()).toBeNull();
  await problem.act({ name: 'start-anew', index: 0 });
  expect(solved()?.store.conversations.list(10, 0).total).toBe(0);
});

test('trying again starts the app once the database is back', async () => {
  const places = await lostDatabase();
  const { problem, solved } = problemOf(places);
  await problem.act({ name: 'retry', index: 0 });
  expect(problem.page()).toContain('That did not help.');
  rmSync(places.backups, { recursive: true });
  mkdirSync(places.pictures, { recursive: true });
  await problem.act({ name: 'retry', index: 0 });
  expect(solved()?.isNew).toBe(true);
});
