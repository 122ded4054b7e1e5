import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { types } from 'image-size';
import { describe, expect, test } from 'vitest';
import { readPictureHeader } from '../../../src/main/pictures/header.ts';
import { createPictureStore } from '../../../src/main/pictures/store.ts';
import { pictureLimits } from '../../../src/shared/domain/picture.ts';
import { encodePng } from '../../support/png.ts';
import { openTestStorage } from '../support/storage.ts';
import { makeTurn } from '../support/turns.ts';

const origin = { name: 'x', origin: 'user', caption: null, recipe: null } as const;
const dayMs = 24 * 60 * 60 * 1000;

function makeStore(now: () => number = Date.now) {
  const { store, folder } = openTestStorage();
  const pictures = createPictureStore(path.join(folder, 'pictures'), store.pictures, now);
  return { store, pictures, folder: path.join(folder, 'pictures') };
}

const makeOld = (file: string): void => utimesSync(file, new Date(0), new Date(0));

describe('the picture store', () => {
  test('writes the bytes once under their hash, and a row for each use', async () => {
    const { pictures, store, folder } = makeStore();
    const [first, second] = [
      await pictures.add(encodePng(4, 3), origin),
      await pictures.add(encodePng(4, 3), { ...origin, caption: 'a grey wall' }),
    ];
    expect(first).toMatchObject({ mediaType: 'image/png', width: 4, height: 3, origin: 'user' });
    expect(second.hash).toBe(first.hash);
    expect(second.id).not.toBe(first.id);
    expect(store.pictures.find(second.id)).toEqual(second);
    const place = path.join(folder, first.hash.slice(0, 2));
    expect(readdirSync(place)).toEqual([first.hash]);
    expect(statSync(path.join(place, first.hash)).size).toBe(first.bytes);
  });

  test('mends a file that is cut short', async () => {
    const { pictures } = makeStore();
    const { hash, bytes } = await pictures.add(encodePng(4, 3), origin);
    writeFileSync(pictures.fileOf(hash), 'half');
    await pictures.add(encodePng(4, 3), origin);
    expect(statSync(pictures.fileOf(hash)).size).toBe(bytes);
  });

  test('names no file but by a hash', () => {
    const { pictures } = makeStore();
    for (const name of ['', '..', '../../etc/passwd', 'A'.repeat(64)]) {
      expect(() => pictures.fileOf(name)).toThrow(expect.objectContaining({ kind: 'bad-input' }));
    }
  });

  test('collects rows long unused; files that no row names go to the trash, and from there after a month', async () => {
    let now = Date.now();
    const { pictures, store, folder } = makeStore(() => now);
    const collect = (): ReturnType<typeof pictures.collect> =>
      pictures.collect({ unusedSince: now - 7 * dayMs, trashedBefore: now - 30 * dayMs });
    const shown = await pictures.add(encodePng(4, 3, 1), origin);
    const unused = await pictures.add(encodePng(4, 3, 2), origin);
    store.conversations.create('00000000-0000-4000-8000-000000000001', 'x', 1);
    const turn = makeTurn('user', [{ kind: 'picture', picture: shown }]);
    store.turns.append('00000000-0000-4000-8000-000000000001', turn);
    const halfWritten = path.join(folder, 'cd', `${'cd'.repeat(32)}.x.part`);
    mkdirSync(path.dirname(halfWritten), { recursive: true });
    writeFileSync(halfWritten, 'x');
    expect(await collect()).toEqual({ rows: 0, files: 0, revived: 0, deleted: 0 });
    now += 6 * dayMs;
    expect(await collect()).toMatchObject({ rows: 0, files: 1 });
    expect(existsSync(halfWritten)).toBe(false);
    now += 2 * dayMs;
    expect(await collect()).toMatchObject({ rows: 1, files: 1, deleted: 0 });
    const inTrash = path.join(folder, 'trash', unused.hash);
    expect([existsSync(pictures.fileOf(unused.hash)), existsSync(inTrash)]).toEqual([false, true]);
    now += 29 * dayMs;
    expect(await collect()).toMatchObject({ files: 0, deleted: 0 });
    now += 2 * dayMs;
    expect(await collect()).toMatchObject({ files: 0, deleted: 1 });
    expect([existsSync(inTrash), existsSync(pictures.fileOf(shown.hash))]).toEqual([false, true]);
  });

  test('a picture in the trash that a row names again is brought back with its bytes', async () => {
    const { pictures, store, folder } = makeStore();
    const picture = await pictures.add(encodePng(4, 3, 2), origin);
    const bytes = readFileSync(pictures.fileOf(picture.hash));
    makeOld(pictures.fileOf(picture.hash));
    const never = { unusedSince: Date.now() + dayMs, trashedBefore: 0 };
    expect(await pictures.collect(never)).toMatchObject({ rows: 1, files: 1 });
    expect(await pictures.revive()).toBe(0);
    store.pictures.insert(picture, 1);
    expect(await pictures.revive()).toBe(1);
    expect(readFileSync(pictures.fileOf(picture.hash)).equals(bytes)).toBe(true);
    expect(readdirSync(path.join(folder, 'trash'))).toEqual([]);
  });

  test('erased pictures leave nothing, neither in their place nor in the trash; named ones stay', async () => {
    const { pictures, store, folder } = makeStore();
    const [gone, named] = [
      await pictures.add(encodePng(4, 3, 2), origin),
      await pictures.add(encodePng(4, 3, 3), origin),
    ];
    mkdirSync(path.join(folder, 'trash'));
    writeFileSync(path.join(folder, 'trash', gone.hash), 'x');
    store.pictures.dropUnused(Date.now() + dayMs);
    store.pictures.insert(named, 1);
    expect(await pictures.erase([gone.hash, named.hash])).toBe(1);
    expect(existsSync(pictures.fileOf(gone.hash))).toBe(false);
    expect(readdirSync(path.join(folder, 'trash'))).toEqual([]);
    expect(existsSync(pictures.fileOf(named.hash))).toBe(true);
  });

  test('a file that is used again is young again', async () => {
    const { pictures } = makeStore();
    const { hash } = await pictures.add(encodePng(4, 3), origin);
    makeOld(pictures.fileOf(hash));
    await pictures.add(encodePng(4, 3), origin);
    expect(Date.now() - statSync(pictures.fileOf(hash)).mtimeMs).toBeLessThan(dayMs);
  });
});

describe('headers', () => {
  test('the formats that we promise are known', () => {
    expect(types).toEqual(expect.arrayContaining(['png', 'jpg', 'webp', 'gif', 'heif']));
  });

  test.each([
    ['nothing', new Uint8Array()],
    ['text', new TextEncoder().encode('hello world, this is text and no picture')],
    [
      'SVG',
      new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
    ],
    ['BMP', Uint8Array.from([0x42, 0x4d, ...new Array<number>(60).fill(1)])],
    ['a PNG cut in its header', encodePng(4, 4).slice(0, 18)],
    ['a PNG of no width', encodePng(0, 4)],
  ])('%s is refused by its name', (_name, bytes) => {
    expect(() => readPictureHeader(bytes, 'holiday.png')).toThrow(
      expect.objectContaining({
        kind: 'bad-input',
        message: expect.stringContaining('holiday.png') as unknown,
      }),
    );
  });

  test('too many pixels and too many bytes are refused with both figures', () => {
    const huge = encodePng(1, 1);
    new DataView(huge.buffer).setUint32(16, 10_000);
    new DataView(huge.buffer).setUint32(20, 10_000);
    expect(() => readPictureHeader(huge, 'x.png')).toThrow(
      '10000 x 10000 pixels; the most is 64 million',
    );
    const heavy = new Uint8Array(pictureLimits.maxBytes + 1024 * 1024);
    expect(() => readPictureHeader(heavy, 'x.png')).toThrow('65 MB; the most is 64 MB');
  });

  test('a JPEG that lies on its side is measured as it is shown', () => {
    expect(readPictureHeader(turnedJpeg, 'x.jpg')).toEqual({
      mediaType: 'image/jpeg',
      width: 3,
      height: 5,
    });
  });
});

/** The headers of a JPEG of 5 x 3 pixels whose EXIF orientation is 6. */
const turnedJpeg = Uint8Array.from([
  ...[0xff, 0xd8],
  ...[0xff, 0xe1, 0x00, 0x22, 0x45, 0x78, 0x69, 0x66, 0x00, 0x00],
  ...[0x4d, 0x4d, 0x00, 0x2a, 0x00, 0x00, 0x00, 0x08],
  ...[0x00, 0x01, 0x01, 0x12, 0x00, 0x03, 0x00, 0x00, 0x00, 0x01, 0x00, 0x06, 0x00, 0x00],
  ...[0x00, 0x00, 0x00, 0x00],
  ...[
    0xff, 0xc0, 0x00, 0x11, 0x08, 0x00, 0x03, 0x00, 0x05, 0x03, 0x01, 0x22, 0x00, 0x02, 0x11, 0x01,
    0x03, 0x11, 0x01,
  ],
  ...[0xff, 0xd9],
]);
