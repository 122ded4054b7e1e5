import { existsSync, rmSync, utimesSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { createPictureDecoder } from '../../../src/main/processes/picture-decoder.ts';
import { createPictureStore } from '../../../src/main/pictures/store.ts';
import { createThumbnails, thumbnailSide } from '../../../src/main/pictures/thumbnails.ts';
import { decoderSpawn } from '../support/decoder-process.ts';
import { openTestStorage } from '../support/storage.ts';

const origin = { name: 'x', origin: 'user', caption: null, recipe: null } as const;

/** A store with the real decoder behind its thumbnails. */
function open() {
  const { store, folder } = openTestStorage();
  const decoder = createPictureDecoder({
    spawn: decoderSpawn(),
    clock: systemClock,
    log: silentLogger,
  });
  onTestFinished(() => decoder.close());
  const pictures = createPictureStore(path.join(folder, 'pictures'), store.pictures);
  const made: string[] = [];
  const thumbnails = createThumbnails({
    pictures,
    table: store.pictures,
    shrink: (file, side) => (made.push(path.basename(file)), decoder.thumbnail(file, 'x', side)),
  });
  return { store, pictures, thumbnails, made };
}

const photo = (width: number, height: number, shade: number): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: { r: shade, g: 120, b: 40 } } })
    .jpeg()
    .toBuffer();

test('a large picture is made small once, and kept', async () => {
  const { pictures, thumbnails, made } = open();
  const { hash } = await pictures.add(await photo(1600, 800, 9), origin);
  const [first, second] = await Promise.all([thumbnails.read(hash), thumbnails.read(hash)]);
  expect(await sharp(first!.bytes).metadata()).toMatchObject({
    ...{ format: 'jpeg', width: thumbnailSide, height: thumbnailSide / 2 },
  });
  expect(second!.bytes).toEqual(first!.bytes);
  expect(existsSync(pictures.thumbnailOf(hash))).toBe(true);
  expect(Buffer.from((await thumbnails.read(hash))!.bytes).equals(Buffer.from(first!.bytes))).toBe(
    true,
  );
  expect(made).toEqual([hash]);
});

test('a small one is its own thumbnail', async () => {
  const { pictures, thumbnails, made } = open();
  const bytes = await photo(128, 128, 1);
  const { hash } = await pictures.add(bytes, origin);
  expect(await thumbnails.read(hash)).toEqual({ bytes, mediaType: 'image/jpeg' });
  expect(made).toEqual([]);
});

test('what main shows as it is dragged is a JPEG of ours, of a small one too', async () => {
  const { pictures, thumbnails, made } = open();
  const gif = await sharp(await photo(128, 128, 1))
    .gif()
    .toBuffer();
  const { hash } = await pictures.add(gif, origin);
  const icon = await thumbnails.ours(hash);
  expect(await sharp(icon!).metadata()).toMatchObject({ format: 'jpeg', width: 128 });
  expect(await thumbnails.ours(hash)).toEqual(Buffer.from(icon!));
  expect(made).toEqual([hash]);
  const half = await pictures.add(gif.subarray(0, gif.length / 2), origin);
  expect(await thumbnails.ours(half.hash)).toBeNull();
});

test('what cannot be made small is none, and the next one is made all the same', async () => {
  const { pictures, thumbnails } = open();
  const whole = await photo(900, 900, 2);
  const half = await pictures.add(whole.subarray(0, whole.length / 2), origin);
  const good = await pictures.add(whole, origin);
  expect(await thumbnails.read(half.hash)).toBeNull();
  expect(await thumbnails.read(good.hash)).not.toBeNull();
  expect(await thumbnails.read('ab'.repeat(32))).toBeNull();
});

test('the one that is asked for last is made first', async () => {
  const { pictures, thumbnails, made } = open();
  const hashes = [];
  for (const shade of [10, 90, 170, 250]) {
    hashes.push((await pictures.add(await photo(900, 600, shade), origin)).hash);
  }
  await Promise.all(hashes.map((hash) => thumbnails.read(hash)));
  const [first, ...rest] = hashes;
  // The first was under way before the others came.
  expect(made).toEqual([first, ...rest.reverse()]);
});

test('a thumbnail goes with its picture', async () => {
  const { store, pictures, thumbnails } = open();
  const [collected, erased] = [
    await pictures.add(await photo(900, 600, 5), origin),
    await pictures.add(await photo(900, 600, 6), origin),
  ];
  for (const { hash } of [collected, erased]) await thumbnails.read(hash);
  store.pictures.dropUnused(Date.now() + 1000);
  await pictures.erase([erased.hash]);
  expect(existsSync(pictures.thumbnailOf(erased.hash))).toBe(false);
  expect(existsSync(pictures.thumbnailOf(collected.hash))).toBe(true);
  utimesSync(pictures.fileOf(collected.hash), new Date(0), new Date(0));
  await pictures.collect({ unusedSince: 0, trashedBefore: 0 });
  expect(existsSync(pictures.thumbnailOf(collected.hash))).toBe(false);
  rmSync(pictures.fileOf(collected.hash), { force: true });
});
