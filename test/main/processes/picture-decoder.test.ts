import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { createPictureDecoder } from '../../../src/main/processes/picture-decoder.ts';
import { readPictureHeader } from '../../../src/main/pictures/header.ts';
import { encoders, largePng, noisy, plain, pngHeader } from '../support/hostile-pictures.ts';
import { decoderSpawn, peakBytes } from '../support/decoder-process.ts';
import { until } from '../support/node-spawn.ts';
import { openTestStorage } from '../support/storage.ts';

const spawn = decoderSpawn();
const decoder = createPictureDecoder({ spawn, clock: systemClock, log: silentLogger });
afterAll(() => decoder.close());
const refused = (reason: RegExp) => ({
  kind: 'bad-input',
  message: expect.stringMatching(reason) as unknown,
});

describe('a whole picture decodes', () => {
  test.each(Object.entries(encoders))('%s', async (_, encode) => {
    await expect(decoder.check(await encode(noisy()), 'x')).resolves.toBeUndefined();
  });

  test('by its path', async () => {
    const file = path.join(openTestStorage().folder, 'picture');
    writeFileSync(file, await encoders.png(noisy()));
    await expect(decoder.check(file, 'x')).resolves.toBeUndefined();
    await expect(decoder.check(`${file}-gone`, 'x')).rejects.toMatchObject(
      refused(/cannot be read/),
    );
  });
});

describe('half a picture does not, though its header says nothing', () => {
  test.each(Object.entries(encoders))('%s', async (_, encode) => {
    const whole = await encode(noisy());
    const half = whole.subarray(0, Math.floor(whole.length * 0.6));
    expect(readPictureHeader(half, 'x').width).toBe(96);
    await expect(decoder.check(half, 'cat')).rejects.toMatchObject(refused(/^cat: .*decoded/));
  });
});

describe('sizes', () => {
  test.each([
    [
      'one long row',
      () => largePng(100_000_000, 1),
      /100000000 x 1 pixels; a side has at most 16384/,
    ],
    ['one long column', () => largePng(1, 100_000), /a side has at most 16384/],
    ['a hundred million pixels', () => largePng(10_000, 10_000), /the most is 64 million/],
    [
      'a lie in the header',
      () => pngHeader(2 ** 31 - 1, 2 ** 31 - 1),
      /a side has at most|decoded/,
    ],
    [
      'a small AVIF of 36 million pixels',
      () => encoders.avif(plain(6000, 6000)),
      /the most in an AVIF file is 32 million/,
    ],
  ])(
    '%s is refused by its header, and by the decoder before decoding',
    async (_, make, reason) => {
      const bytes = await make();
      expect(bytes.length).toBeLessThan(200_000);
      expect(() => readPictureHeader(bytes, 'x')).toThrow(reason);
      await expect(decoder.check(bytes, 'x')).rejects.toMatchObject(refused(reason));
    },
    60_000,
  );
});

describe('the decoding process', () => {
  // Half a second or more of decoding.
  let slow = Buffer.alloc(0);
  beforeAll(async () => {
    slow = await plain(6000, 6000).webp({ effort: 0 }).toBuffer();
  }, 60_000);
  const made = () => {
    const spawnOne = decoderSpawn();
    const one = createPictureDecoder({ spawn: spawnOne, clock: systemClock, log: silentLogger });
    ends.push(() => one.close());
    return { one, spawnOne };
  };
  const ends: (() => void)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  test('holds little for pictures at the limits', async () => {
    const { one, spawnOne } = made();
    const turned = plain(8000, 8000).withMetadata({ orientation: 6 });
    const pictures = [
      await turned.jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer(),
      await plain(8000, 4000).avif({ effort: 0 }).toBuffer(),
      largePng(16_000, 4000),
    ];
    for (const bytes of pictures) {
      await one.check(bytes, 'x');
      const peak = peakBytes(spawnOne.children[0]!.pid()!);
      if (peak !== null) expect(peak).toBeLessThan(1_200_000_000);
    }
    expect(spawnOne.children).toHaveLength(1);
  }, 120_000);

  test('is started before the picture comes, once, where one is expected', async () => {
    const { one, spawnOne } = made();
    one.prepare();
    one.prepare();
    expect(spawnOne.children).toHaveLength(1);
    await one.check(await encoders.png(noisy()), 'x');
    one.prepare();
    expect(spawnOne.children).toHaveLength(1);
  });

  test.skipIf(process.platform !== 'linux')('has no native decoder in it', async () => {
    const { one, spawnOne } = made();
    for (const encode of Object.values(encoders)) await one.check(await encode(noisy()), 'x');
    const maps = readFileSync(`/proc/${spawnOne.children[0]!.pid()}/maps`, 'utf8');
    const libraries = [...new Set(maps.match(/\/\S+\.(so|node)\b/g))];
    expect(libraries.length).toBeGreaterThan(0);
    expect(libraries.filter((file) => /vips|sharp|jpeg|png|webp|avif|heif/.test(file))).toEqual([]);
  });

  test('is ended by Stop in the middle of a picture, and started again for the next', async () => {
    const { one, spawnOne } = made();
    await one.check(await encoders.png(noisy()), 'warm');
    const abort = new AbortController();
    const checked = one.check(slow, 'x', abort.signal);
    const exit = new Promise((resolve) => spawnOne.children[0]!.onExit(resolve));
    setTimeout(() => abort.abort(), 50);
    await expect(checked).rejects.toMatchObject({ kind: 'cancelled' });
    expect(await exit).toMatchObject({ signal: 'SIGKILL' });
    await one.check(await encoders.png(noisy()), 'next');
    expect(spawnOne.children).toHaveLength(2);
  }, 60_000);

  test('takes nothing with it when it dies', async () => {
    const { one, spawnOne } = made();
    const first = expect(one.check(slow, 'bomb')).rejects.toMatchObject(
      refused(/^bomb cannot be used as a picture: the decoder crashed on it/),
    );
    const second = one.check(await encoders.jpeg(noisy()), 'next');
    await until(() => spawnOne.children.length === 1, 'its start');
    spawnOne.children[0]!.kill('SIGKILL');
    await first;
    await second;
  }, 60_000);

  test('lets a picture pass by its header where it cannot be started', async () => {
    const broken = createPictureDecoder({
      spawn: () => {
        throw new Error('no');
      },
      clock: systemClock,
      log: silentLogger,
    });
    await expect(broken.check(new Uint8Array(3), 'x')).resolves.toBeUndefined();
  });
});
