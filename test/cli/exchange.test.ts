// Conversations out and in by the command, over the app's own data.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPictureStore } from '../../src/main/pictures/store.ts';
import { closeDatabase } from '../../src/main/database/open.ts';
import { anyRecord, comparable, pictureFiles } from '../main/exchange/records.ts';
import { openTestStorage, temporaryFolder } from '../main/support/storage.ts';
import { textbind } from './textbind.ts';

/** The app's data folder with a few conversations, one of them with replies and pictures. */
async function studio(count: number) {
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, 'data'));
  const storage = openTestStorage(path.join(folder, 'data'));
  const { store } = storage;
  const pictures = createPictureStore(path.join(folder, 'data', 'pictures'), store.pictures);
  for (const { hash, bytes } of pictureFiles) await pictures.keep(hash, bytes);
  const answered = anyRecord.filter(
    ({ turns, pictures: named }) =>
      named.length > 0 &&
      turns.some(
        (turn, index) =>
          index > 0 && turn.role === 'assistant' && turn.isCurrent && turn.parts.length > 0,
      ),
  );
  const records = fc
    .sample(answered, { numRuns: count, seed: 3 })
    .map((record) => ({ ...record, deletedAt: null }));
  for (const record of records) store.records.store(record);
  return { folder, store, records, close: () => closeDatabase(storage.database) };
}

describe('export and import-conversations', () => {
  it('carries everything by an archive, and says what is here already', async () => {
    const { folder, records } = await studio(3);
    const archive = path.join(temporaryFolder(), 'all.zip');
    const from = ['--data', folder];
    const out = ['--format', 'zip', '--out', archive];
    expect(await textbind('export', '--conversation', 'all', ...out, ...from)).toMatchObject({
      code: 0,
    });
    const other = temporaryFolder();
    mkdirSync(path.join(other, 'data'));
    const { store } = openTestStorage(path.join(other, 'data'));
    const to = ['--data', other, '--json'];
    const dry = await textbind('import-conversations', archive, ...to, '--dry-run');
    expect(JSON.parse(dry.stdout())).toMatchObject({ new: 3, known: 0, faultCount: 0 });
    expect(store.records.ids({ withDeleted: true })).toEqual([]);
    expect(await textbind('import-conversations', archive, ...to)).toMatchObject({ code: 0 });
    for (const record of records)
      expect(comparable(store.records.read(record.id))).toEqual(comparable(record));
    const again = await textbind('import-conversations', archive, ...to);
    expect(JSON.parse(again.stdout())).toMatchObject({ new: 0, extended: 0, known: 3 });
  });

  it('writes every other format, and training data that validate-data takes', async () => {
    const { folder, records } = await studio(4);
    const place = temporaryFolder();
    const exported = async (format: string, out: string, conversation = 'all') =>
      textbind(
        ...['export', '--conversation', conversation, '--format', format],
        ...['--out', path.join(place, out), '--data', folder, '--json'],
      );
    expect(await exported('md', 'one.md', records[0]!.id)).toMatchObject({ code: 0 });
    expect(readFileSync(path.join(place, 'one.md'), 'utf8')).toMatch(/^# /);
    expect(await exported('html', 'pages')).toMatchObject({ code: 0 });
    expect(await exported('json', 'all.json')).toMatchObject({ code: 0 });
    expect(await exported('textbind', 'training.json')).toMatchObject({ code: 0 });
    const checked = await textbind(
      ...['validate-data', '--stage', '2', path.join(place, 'training.json'), '--json'],
    );
    const { rows, faults } = JSON.parse(checked.stdout()) as { rows: number; faults: unknown[] };
    expect(faults).toEqual([]);
    expect(rows).toBeGreaterThan(0);
    expect(checked.code).toBe(0);
  }, 120_000);

  it('says in one line what is wrong', async () => {
    const { folder } = await studio(1);
    const place = temporaryFolder();
    writeFileSync(path.join(place, 'no.zip'), 'no zip file');
    const data = ['--data', folder];
    const refused = await textbind('import-conversations', path.join(place, 'no.zip'), ...data);
    expect(refused.code).toBe(2);
    expect(refused.stderr()).toMatch(/zip file/);
    expect(await textbind('export', '--format', 'md', ...data)).toMatchObject({ code: 2 });
    const unknown = ['--conversation', 'x', '--format', 'md', '--out', path.join(place, 'x.md')];
    expect(await textbind('export', ...unknown, ...data)).toMatchObject({ code: 2 });
    expect(await textbind('export', ...unknown, '--data', place)).toMatchObject({ code: 1 });
  });
});
