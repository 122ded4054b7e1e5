// What goes out comes back: property tests over random trees of versions. TEXTBIND_ROUND_TRIPS sets how many.
import { mkdirSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPictureHeader } from '../../../src/main/pictures/header.ts';
import { createPictureStore } from '../../../src/main/pictures/store.ts';
import { exportConversations } from '../../../src/main/exchange/exporter.ts';
import { openImport, runImport, summariseImport } from '../../../src/main/exchange/importer.ts';
import { settingsSchema } from '../../../src/shared/domain/settings.ts';
import type { ConversationRecord } from '../../../src/shared/domain/conversation-record.ts';
import type { ExportFormat } from '../../../src/shared/domain/exchange.ts';
import { openTestStorage, temporaryFolder } from '../support/storage.ts';
import { anyRecord, comparable, pictureFiles } from './records.ts';

const numRuns = Number(process.env['TEXTBIND_ROUND_TRIPS'] ?? 12);

async function openPlace() {
  const { store, folder, database } = openTestStorage();
  const pictures = createPictureStore(path.join(folder, 'pictures'), store.pictures);
  const checkPicture = async (bytes: Uint8Array, name: string): Promise<void> =>
    void readPictureHeader(bytes, name);
  return { store, pictures, folder, database, target: { store, pictures, checkPicture, folder } };
}
type Place = Awaited<ReturnType<typeof openPlace>>;

async function put({ store, pictures }: Place, records: readonly ConversationRecord[]) {
  for (const { hash, bytes } of pictureFiles) await pictures.keep(hash, bytes);
  for (const record of records) store.records.store(record);
}

async function takeOut(
  { store, pictures, folder }: Place,
  format: ExportFormat,
  conversationIds = store.records.ids({ withDeleted: true }),
): Promise<string> {
  const target = path.join(folder, `out.${format === 'textbind' ? 'json' : format}`);
  await exportConversations({
    conversationIds,
    format,
    target,
    record: (id) => store.records.read(id),
    fileOf: (hash) => pictures.fileOf(hash),
    printPdf: null,
    writtenBy: 'test',
    presets: store.settings.get().presets,
    now: 1,
  });
  return target;
}

async function bringIn({ target }: Place, file: string) {
  const source = await openImport(file);
  try {
    const looked = await summariseImport(source, target);
    const done = await runImport(source, target);
    return { looked, done };
  } finally {
    source.close();
  }
}

const everything = ({ store }: Place): unknown[] =>
  store.records
    .ids({ withDeleted: true })
    .toSorted()
    .map((id) => comparable(store.records.read(id)));

describe('presets', () => {
  const preset = (name: string) => {
    const { sampling, drawing } = settingsSchema.parse({});
    return { id: randomUUID(), name, system: `Be ${name}.`, sampling, drawing };
  };

  test('come along with an archive; one whose name is here stays as it is', async () => {
    const here = await openPlace();
    const [brief, kind] = [preset('brief'), preset('kind')];
    await put(here, fc.sample(anyRecord, { numRuns: 1, seed: 1 }));
    here.store.settings.set({ presets: [brief, kind] });
    const archive = await takeOut(here, 'zip');
    const there = await openPlace();
    const own = { ...preset('kind'), id: brief.id };
    there.store.settings.set({ presets: [own] });
    const { looked, done } = await bringIn(there, archive);
    expect([looked.presets, done.presets]).toEqual([1, 1]);
    const [kept, added] = there.store.settings.get().presets;
    expect(kept).toEqual(own);
    expect(added).toMatchObject({ name: 'brief', system: 'Be brief.' });
    expect(added?.id).not.toBe(own.id);
    expect((await bringIn(there, archive)).done.presets).toBe(0);
  });
});

describe('an archive', () => {
  test('gives back every version, picture, recipe and mark, and nothing twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRecord, { minLength: 1, maxLength: 3 }), async (records) => {
        const here = await openPlace();
        await put(here, records);
        const archive = await takeOut(here, 'zip');
        const there = await openPlace();
        const first = await bringIn(there, archive);
        expect(first.done).toEqual(first.looked);
        expect(first.done).toMatchObject({ new: records.length, known: 0, faultCount: 0 });
        expect(everything(there)).toEqual(everything(here));
        expect(everything(here)).toEqual(
          records.toSorted((one, other) => (one.id < other.id ? -1 : 1)).map(comparable),
        );
        for (const { hash } of records.flatMap(({ pictures }) => pictures))
          expect(there.pictures.has(hash)).toBe(true);
        const before = everything(there);
        const second = await bringIn(there, archive);
        expect(second.done).toMatchObject({ new: 0, extended: 0, known: records.length, turns: 0 });
        expect(everything(there)).toEqual(before);
        expect(there.database.pragma('integrity_check', { simple: true })).toBe('ok');
        expect(there.database.pragma('foreign_key_check')).toEqual([]);
      }),
      { numRuns },
    );
  }, 240_000);

  test('comes beside what went on since, and takes nothing away', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyRecord,
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (whole, cut) => {
          // An earlier state of the conversation, and a later one: each has turns that the other has not.
          const kept = Math.floor(cut * whole.turns.length);
          const earlier = { ...whole, deletedAt: null, turns: whole.turns.slice(0, kept) };
          const there = await openPlace();
          await put(there, [earlier]);
          const own = {
            ...whole,
            turns: whole.turns.slice(0, kept),
            deletedAt: null,
          };
          const before = there.store.records.read(whole.id);
          expect(comparable(before)).toEqual(comparable({ ...own, pictures: before!.pictures }));
          const here = await openPlace();
          await put(here, [{ ...whole, deletedAt: null }]);
          await bringIn(there, await takeOut(here, 'zip'));
          const after = there.store.records.read(whole.id)!;
          // All that was here is here, as it was; all that came is here too.
          expect(after.turns.slice(0, kept)).toEqual(before!.turns);
          expect(new Set(after.turns.map(({ id }) => id))).toEqual(
            new Set(whole.turns.map(({ id }) => id)),
          );
        },
      ),
      { numRuns },
    );
  }, 240_000);

  test('brings back what was put into the trash here', async () => {
    const [record] = fc.sample(anyRecord, { numRuns: 1, seed: 4 });
    const place = await openPlace();
    await put(place, [{ ...record!, deletedAt: null }]);
    const archive = await takeOut(place, 'zip');
    place.store.conversations.remove(record!.id, 5);
    const { looked, done } = await bringIn(place, archive);
    expect(looked).toMatchObject({ extended: 1, known: 0 });
    expect(done).toMatchObject({ extended: 1 });
    expect(place.store.conversations.summary(record!.id)).not.toBeNull();
  });

  test('whose ids are those of another conversation here changes nothing of it', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecord, anyRecord, async (mine, other) => {
        const place = await openPlace();
        await put(place, [mine]);
        const before = comparable(place.store.records.read(mine.id));
        const here = await openPlace();
        await put(here, [{ ...other, id: mine.id }]);
        await bringIn(place, await takeOut(here, 'zip'));
        expect(comparable(place.store.records.read(mine.id))).toEqual(before);
        expect(place.store.records.ids({ withDeleted: true })).toHaveLength(2);
      }),
      { numRuns },
    );
  }, 240_000);
});

describe('TextBind JSON', () => {
  test('gives back words, pictures and captions, and is known when it comes again', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecord, async (record) => {
        const here = await openPlace();
        await put(here, [record]);
        const file = await takeOut(here, 'textbind').catch(() => null);
        // A conversation in which nothing was answered has no such form.
        if (file === null) return;
        const there = await openPlace();
        const first = await bringIn(there, file);
        expect(first.done).toMatchObject({ new: 1, faultCount: 0 });
        expect((await bringIn(there, file)).done).toMatchObject({ new: 0, known: 1 });
        mkdirSync(path.join(there.folder, 'again'));
        const [id] = there.store.records.ids({ withDeleted: true });
        const again = await takeOut(
          { ...there, folder: path.join(there.folder, 'again') },
          'textbind',
          [id!],
        );
        const third = await openPlace();
        expect((await bringIn(third, again)).done).toMatchObject({ new: 1, faultCount: 0 });
        expect(third.store.records.ids({ withDeleted: true })).toEqual([id]);
      }),
      { numRuns },
    );
  }, 240_000);
});

test('an export that is stopped leaves nothing', async () => {
  const [record] = fc.sample(anyRecord, { numRuns: 1, seed: 9 });
  const place = await openPlace();
  await put(place, [record!]);
  const folder = temporaryFolder();
  const signal = AbortSignal.abort();
  const target = path.join(folder, 'out.zip');
  const going = exportConversations({
    conversationIds: [record!.id],
    format: 'zip',
    target,
    record: (id) => place.store.records.read(id),
    fileOf: (hash) => place.pictures.fileOf(hash),
    printPdf: null,
    writtenBy: 'test',
    now: 1,
    signal,
  });
  await expect(going).rejects.toMatchObject({ kind: 'cancelled' });
  const { readdirSync } = await import('node:fs');
  expect(readdirSync(folder)).toEqual([]);
});
