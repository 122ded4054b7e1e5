import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { closeDatabase } from '../../src/main/database/open.ts';
import { startStorage } from '../../src/main/database/storage.ts';
import { createErasure } from '../../src/main/erasure.ts';
import { createPictureStore } from '../../src/main/pictures/store.ts';
import { encodePng } from '../support/png.ts';
import { placesIn, temporaryFolder } from './support/storage.ts';
import { makeTurn, text } from './support/turns.ts';

const secret = '00000000-0000-4000-8000-000000000001';
const other = '00000000-0000-4000-8000-000000000002';

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file).isFile());
}

/** The files of a folder whose bytes hold the words. */
function filesWith(folder: string, words: string | Buffer): string[] {
  return filesUnder(folder)
    .filter((file) => readFileSync(file).includes(words))
    .map((file) => path.relative(folder, file));
}

async function conversed() {
  const folder = temporaryFolder();
  const places = placesIn(folder);
  const start = startStorage({ places });
  if (start.kind === 'failed') throw new Error(start.failure.detail);
  const { storage } = start;
  onTestFinished(() => closeDatabase(storage.database));
  const { store, database, backups } = storage;
  const pictures = createPictureStore(places.pictures, store.pictures);
  const about = { name: 'x', origin: 'drawn', recipe: null } as const;
  const own = await pictures.add(encodePng(9, 9, 1), { ...about, caption: 'kumquatcaption tree' });
  const shared = await pictures.add(encodePng(9, 9, 2), { ...about, caption: 'shared' });
  const inBoth = { kind: 'picture', picture: shared } as const;
  for (const id of [secret, other]) store.conversations.create(id, `title${id.at(-1)}zebra`, 1);
  for (let turn = 0; turn < 40; turn += 1) {
    const words = `kumquatsecret number ${turn} ${'padding '.repeat(200)}`;
    store.turns.append(secret, makeTurn('user', [text(words)]));
    store.turns.append(other, makeTurn('user', [text(`harmless number ${turn}`)]));
  }
  store.turns.append(
    secret,
    makeTurn('assistant', [{ kind: 'picture', picture: own }, inBoth, text('kumquatlast')]),
  );
  store.turns.append(other, makeTurn('assistant', [inBoth]));
  const draftOf = (text: string) => ({ items: [{ kind: 'text' as const, text }], pictures: {} });
  store.drafts.keep(secret, draftOf('kumquatdraft first'));
  store.drafts.keep(secret, draftOf('kumquat'));
  store.drafts.keep(other, draftOf('harmless draft'));
  await backups.make(database, 'day');
  const emitted: string[] = [];
  const erasure = createErasure({
    storage,
    pictures,
    file: places.database,
    emit: (name) => void emitted.push(name),
  });
  return { folder, places, storage, pictures, own, shared, erasure, emitted };
}

test('what is deleted for good is in no byte of the data folder', async () => {
  const made = await conversed();
  const { folder, places, storage, pictures, own, shared, erasure, emitted } = made;
  const { store, backups } = storage;
  writeFileSync(path.join(folder, 'textbind-damaged-2026.db'), 'kumquatsecret');
  mkdirSync(path.join(places.pictures, 'trash'));
  writeFileSync(path.join(places.pictures, 'trash', own.hash), encodePng(9, 9, 1));
  store.conversations.remove(secret, 5);
  const picture = readFileSync(pictures.fileOf(own.hash));
  expect(filesWith(folder, 'kumquat').length).toBeGreaterThanOrEqual(3);
  await erasure.erase([secret]);
  expect(filesWith(folder, 'kumquat')).toEqual([]);
  expect(filesWith(folder, 'title1zebra')).toEqual([]);
  expect(filesWith(folder, picture)).toEqual([]);
  expect(store.conversations.isKnown(secret)).toBe(false);
  expect(emitted).toEqual(['conversations.erased']);
  // The rest is whole, and so is the one copy.
  expect(store.turns.list(other)).toHaveLength(41);
  expect(store.drafts.list().map(({ key }) => key)).toEqual([other]);
  expect(store.conversations.search('harmless', 10, 0).total).toBe(1);
  expect(readFileSync(pictures.fileOf(shared.hash)).length).toBe(shared.bytes);
  expect(backups.list().map(({ reason, turns }) => ({ reason, turns }))).toEqual([
    { reason: 'erasure', turns: 41 },
  ]);
});

test('a purge after a month leaves no word in the database either', async () => {
  const { folder, storage } = await conversed();
  const { store, database, backups } = storage;
  backups.erase();
  store.conversations.remove(secret, 5);
  expect(store.conversations.purge(6)).toBe(1);
  // The next window asks for drafts.
  store.drafts.list();
  store.pictures.dropUnused(Date.now() + 1);
  database.pragma('wal_checkpoint(TRUNCATE)');
  expect(filesWith(folder, 'kumquat')).toEqual([]);
});
