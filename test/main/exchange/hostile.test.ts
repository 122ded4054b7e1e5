// Archives that somebody made on purpose: each is refused with a sentence, and nothing of it stays.
import { createHash } from 'node:crypto';
import { createWriteStream, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { readPictureHeader } from '../../../src/main/pictures/header.ts';
import { createPictureStore } from '../../../src/main/pictures/store.ts';
import { openImport, runImport } from '../../../src/main/exchange/importer.ts';
import type { ConversationRecord } from '../../../src/shared/domain/conversation-record.ts';
import { openTestStorage, temporaryFolder } from '../support/storage.ts';
import { anyRecord, pictureFiles } from './records.ts';

type Entries = Readonly<Record<string, Buffer | string>>;

async function zipOf(entries: Entries, mode = 0o100600): Promise<string> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(entries))
    zip.addBuffer(Buffer.from(content), name, { mode });
  zip.end();
  const file = path.join(temporaryFolder(), 'hostile.zip');
  await pipeline(zip.outputStream as Readable, createWriteStream(file));
  return file;
}

const sha256 = (bytes: Buffer | Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

const [sample] = fc.sample(
  anyRecord.filter(({ pictures, turns }) => pictures.length > 0 && turns.length > 2),
  { numRuns: 1, seed: 11 },
);

/** A good archive, and what a test changes of it. */
function archive(
  record: unknown = sample,
  change: { manifest?: object; pictures?: Entries } = {},
): Entries {
  const json = Buffer.from(JSON.stringify(record));
  const id = (record as ConversationRecord).id;
  const hashes = [...new Set(sample!.pictures.map(({ hash }) => hash))];
  const files = pictureFiles.filter(({ hash }) => hashes.includes(hash));
  const named = Object.fromEntries(
    files.map(({ hash, bytes }) => [`pictures/${hash}.png`, Buffer.from(bytes)]),
  );
  const manifest = {
    format: 'textbind-archive',
    version: 1,
    writtenBy: 'test',
    createdAt: 1,
    conversations: [{ id, sha256: sha256(json) }],
    pictures: files.map(({ hash, bytes }) => ({
      sha256: hash,
      mediaType: 'image/png',
      bytes: bytes.length,
    })),
    missingPictures: [],
    ...change.manifest,
  };
  return {
    [`conversations/${id}.json`]: json,
    ...(change.pictures ?? named),
    'manifest.json': JSON.stringify(manifest),
  };
}

function openPlace() {
  const { store, folder } = openTestStorage();
  const pictures = createPictureStore(path.join(folder, 'pictures'), store.pictures);
  const checkPicture = async (bytes: Uint8Array, name: string): Promise<void> =>
    void readPictureHeader(bytes, name);
  return { store, folder, target: { store, pictures, checkPicture, folder } };
}

/** Imports it; what it says, and what is there afterwards. */
async function attempt(file: string) {
  const { store, folder, target } = openPlace();
  let said: string;
  try {
    const source = await openImport(file);
    try {
      const { faults } = await runImport(source, target);
      said = faults.map(({ reason }) => reason).join(' ');
    } finally {
      source.close();
    }
  } catch (error) {
    expect(error).toMatchObject({ kind: 'bad-input' });
    said = (error as Error).message;
  }
  return { said, conversations: store.records.ids({ withDeleted: true }), folder };
}

async function refused(file: string, sentence: RegExp): Promise<void> {
  const { said, conversations } = await attempt(file);
  expect(said).toMatch(sentence);
  expect(conversations).toEqual([]);
}

/** Overwrites every `from` in a file; both have one length. */
function rename(file: string, from: string, to: string): string {
  expect(to).toHaveLength(from.length);
  const bytes = readFileSync(file);
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + 1)) bytes.write(to, at);
  writeFileSync(file, bytes);
  return file;
}

test('the sample is imported as long as nobody changed it', async () => {
  const { said, conversations } = await attempt(await zipOf(archive()));
  expect(said).toBe('');
  expect(conversations).toEqual([sample!.id]);
});

describe('entries', () => {
  test('that lead out of the archive', async () => {
    const good = await zipOf({ ...archive(), 'xxxoutside.json': '{}' });
    await refused(rename(good, 'xxxoutside.json', '../outside.json'), /hostile\.zip is not taken/);
    const absolute = await zipOf({ ...archive(), 'xoutside.json': '{}' });
    await refused(rename(absolute, 'xoutside.json', '/outside.json'), /is not taken/);
    const back = await zipOf({ ...archive(), 'xxxoutside.json': '{}' });
    await refused(rename(back, 'xxxoutside.json', '..\\outside.json'), /is not taken/);
  });

  test('that no archive of ours has', async () => {
    await refused(await zipOf({ ...archive(), 'run.sh': '' }), /run\.sh.* no part of an archive/);
  });

  test('that are links', async () => {
    await refused(await zipOf(archive(), 0o120777), /no file but a link/);
  });

  test('that stand there twice', async () => {
    const entries = archive();
    const [name] = Object.keys(entries).filter((each) => each.startsWith('conversations/'));
    const twin = name!.replace(/.\.json$/, (end) => (end[0] === '0' ? '1' : '0') + '.json');
    const file = await zipOf({ ...entries, [twin]: '{}' });
    await refused(rename(file, twin, name!), /stands in it twice/);
  });

  test('that unpack to far more than they are', async () => {
    const bomb = Buffer.alloc(300 * 1024 ** 2);
    await refused(
      await zipOf({ ...archive(), 'manifest.json': bomb }),
      /unpacks to 314572800 bytes/,
    );
  });

  test('that claim to be smaller than they are', async () => {
    const file = await zipOf({ 'manifest.json': Buffer.alloc(1_000_000, ' ') });
    const bytes = readFileSync(file);
    const central = bytes.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    bytes.writeUInt32LE(10, central + 24);
    writeFileSync(file, bytes);
    await refused(file, /cannot be unpacked/);
  });
});

describe('what is no archive', () => {
  test('an empty file, words, another zip file, half an archive at any length', async () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'a.zip');
    writeFileSync(file, '');
    await refused(file, /cannot be read as a zip file/);
    writeFileSync(file, 'not a zip file at all');
    await refused(file, /cannot be read as a zip file/);
    await refused(await zipOf({}), /no manifest\.json/);
    const whole = readFileSync(await zipOf(archive()));
    for (const share of [0.1, 0.5, 0.9, 0.999]) {
      writeFileSync(file, whole.subarray(0, Math.floor(whole.length * share)));
      await refused(file, /is not taken/);
    }
  });

  test('a file that is not there', async () => {
    await refused('/nowhere/a.zip', /a\.zip is not taken/);
    await refused('/nowhere/a.json', /a\.json is not taken/);
  });

  test('an archive of a later version', async () => {
    const file = await zipOf(archive(sample, { manifest: { version: 2 } }));
    await refused(file, /newer TextBind Studio/);
  });
});

describe('what is in it', () => {
  test('a byte that was changed, anywhere in it, is found or changes nothing', async () => {
    const whole = readFileSync(await zipOf(archive()));
    const file = path.join(temporaryFolder(), 'changed.zip');
    for (let at = 7; at < whole.length; at += Math.ceil(whole.length / 60)) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 0x41;
      writeFileSync(file, bytes);
      const { said, conversations } = await attempt(file);
      if (said === '') expect(conversations).toEqual([sample!.id]);
      else expect(conversations).toEqual([]);
    }
  });

  test.each<[string, (record: ConversationRecord) => unknown, RegExp]>([
    ['a title that is a number', (record) => ({ ...record, title: 7 }), /wrong at title/],
    ['no turns', ({ turns: _, ...record }) => record, /wrong at turns/],
    [
      'a turn whose parent comes later',
      (record) => ({ ...record, turns: record.turns.toReversed() }),
      /turn .* (has no parent|second current)/,
    ],
    [
      'a turn twice',
      (record) => ({ ...record, turns: [...record.turns, record.turns[0]] }),
      /stands there twice/,
    ],
    [
      'a part whose picture it has not',
      (record) => ({ ...record, pictures: [] }),
      /lacks its picture/,
    ],
    [
      'two pictures of one id',
      (record) => ({ ...record, pictures: [...record.pictures, record.pictures[0]] }),
      /two pictures have one id/,
    ],
  ])('%s', async (_name, change, sentence) => {
    const record = change(structuredClone(sample!));
    const whole = { ...(record as object), id: sample!.id };
    await refused(await zipOf(archive(whole)), sentence);
  });

  test('a picture with other bytes', async () => {
    const name = `pictures/${sample!.pictures[0]!.hash}.png`;
    const entries = archive();
    await refused(
      await zipOf({ ...entries, [name]: Buffer.from(pictureFiles[3]!.bytes).reverse() }),
      /not those of its name/,
    );
  });
});

describe('TextBind JSON', () => {
  test('may not read pictures outside its folder', async () => {
    const outside = temporaryFolder();
    writeFileSync(path.join(outside, 'secret.png'), pictureFiles[0]!.bytes);
    const folder = temporaryFolder();
    symlinkSync(path.join(outside, 'secret.png'), path.join(folder, 'link.png'));
    const turn = (picture: string) => [
      { role: 'user', content: 'a <image>', image_list: [picture], caption_list: [] },
      { role: 'assistant', content: 'b', image_list: [], caption_list: [] },
    ];
    const file = path.join(folder, 'data.json');
    for (const picture of [path.join(outside, 'secret.png'), 'link.png', '../x/../secret.png']) {
      writeFileSync(file, JSON.stringify({ conversation: turn(picture), image_dir: '.' }));
      await refused(file, /outside the folder|is not there/);
    }
    expect(readdirSync(outside)).toEqual(['secret.png']);
  });

  test('says which row is wrong, and takes the others', async () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'data.json');
    const turns = [
      { role: 'user', content: 'a', image_list: [], caption_list: [] },
      { role: 'assistant', content: 'b', image_list: [], caption_list: [] },
    ];
    const good = { conversation: turns, image_dir: '.' };
    writeFileSync(file, JSON.stringify([good, { conversation: [7], image_dir: '.' }]));
    const { said, conversations } = await attempt(file);
    expect(said).toMatch(/row 1/);
    expect(conversations).toHaveLength(1);
  });

  test('that is no JSON, or of something else', async () => {
    const file = path.join(temporaryFolder(), 'data.json');
    for (const content of ['', '{', '[]', '{"a": 1}', '"words"']) {
      writeFileSync(file, content);
      await refused(file, /is not taken/);
    }
  });
});
