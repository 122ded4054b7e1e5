import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { draftsMoved, dropOldDrafts } from '../../src/main/old-drafts.ts';
import { samplePicture } from '../support/samples.ts';
import { openTestStorage, temporaryFolder } from './support/storage.ts';

const id = '00000000-0000-4000-8000-000000000001';
const gone = '00000000-0000-4000-8000-000000000002';
const draft = (text: string) => ({ items: [{ kind: 'text' as const, text }], pictures: {} });

describe('drafts', () => {
  test('are kept by conversation; those of conversations that are gone go, and what is broken is left out', () => {
    const { store, database } = openTestStorage();
    store.conversations.create(id, 'x', 1);
    for (const key of [id, gone, 'new']) store.drafts.keep(key, draft(key));
    store.drafts.keep(id, draft('again'));
    expect(new Map(store.drafts.list().map((each) => [each.key, each.draft]))).toEqual(
      new Map([
        [id, draft('again')],
        ['new', draft('new')],
      ]),
    );
    store.drafts.keep('new', null);
    database.prepare("UPDATE settings SET value = '{}' WHERE name = ?").run(`draft.${id}`);
    expect(store.drafts.list()).toEqual([]);
    // Neither the settings nor the app's state see them.
    expect(store.settings.get().theme).toBe('system');
  });

  test('leave no word in the file once they are sent or cleared', () => {
    const { store, database, folder } = openTestStorage();
    for (const text of ['kumquat one', 'kumquat one two', 'kumquat'])
      store.drafts.keep('new', draft(text));
    store.drafts.keep('new', null);
    database.pragma('wal_checkpoint(TRUNCATE)');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => path.join(folder, name))
      .filter((file) => statSync(file).isFile());
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(readFileSync(file).includes('kumquat')).toBe(false);
  });

  test('hold their pictures, however old', () => {
    const { store } = openTestStorage();
    const [held, free] = [samplePicture(1), samplePicture(2)];
    for (const picture of [held, free]) store.pictures.insert(picture, 1);
    store.drafts.keep('new', {
      items: [{ kind: 'picture', uploadId: 'u' }],
      pictures: { u: held },
    });
    expect(store.pictures.dropUnused(Date.now())).toBe(1);
    expect(store.pictures.mediaType(held.hash)).not.toBeNull();
    store.drafts.keep('new', null);
    expect(store.pictures.dropUnused(Date.now())).toBe(1);
  });
});

test("the page's own store goes once its drafts were handed over, and not before", () => {
  const { store } = openTestStorage();
  const folder = temporaryFolder();
  const old = path.join(folder, 'Local Storage', 'leveldb');
  mkdirSync(old, { recursive: true });
  writeFileSync(path.join(old, '000003.log'), 'words');
  dropOldDrafts(folder, store.settings);
  expect(existsSync(old)).toBe(true);
  store.settings.keepState(draftsMoved, true);
  dropOldDrafts(folder, store.settings);
  expect(readdirSync(folder)).toEqual([]);
});
