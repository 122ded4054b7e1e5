import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { embedRecipe, readRecipe } from '../../../src/main/pictures/png-recipe.ts';
import { keptName, outsideName } from '../../../src/main/pictures/names.ts';
import { encodePng } from '../../support/png.ts';
import { randomSource } from '../../support/random-source.ts';
import { samplePicture } from '../../support/samples.ts';

const size = { width: 12, height: 8 };
const png = encodePng(12, 8, 90);
const drawn = {
  caption: 'a red apple — 苹果, “still”',
  recipe: { seed: 4_294_967_295, steps: 40, guidance: 2.5, model: 'TextBind mini' },
};

/** Type and data of each chunk; each must have the right check. */
function chunksOf(file: Uint8Array): { type: string; data: Buffer }[] {
  const bytes = Buffer.from(file);
  const chunks = [];
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const body = bytes.subarray(at + 4, at + 8 + length);
    expect(bytes.readUInt32BE(at + 8 + length)).toBe(crc32(body));
    chunks.push({ type: body.toString('latin1', 0, 4), data: body.subarray(4) });
    at += length + 12;
  }
  return chunks;
}

describe('a recipe in a PNG', () => {
  test('comes back as it was, every letter of it', () => {
    const file = embedRecipe(png, drawn, size);
    expect(readRecipe(file)).toEqual(drawn);
    const unlike = { ...drawn, recipe: { ...drawn.recipe, negative: 'blur, text' } };
    expect(readRecipe(embedRecipe(file, unlike, size))).toEqual(unlike);
  });

  test('leaves the picture what it was, in chunks that any reader checks', async () => {
    const file = embedRecipe(png, drawn, size);
    const chunks = chunksOf(file);
    expect(chunks.map(({ type }) => type)).toEqual([
      'IHDR',
      ...new Array<string>(4).fill('iTXt'),
      'IDAT',
      'IEND',
    ]);
    const [before, after] = [await sharp(png).raw().toBuffer(), await sharp(file).raw().toBuffer()];
    expect(after.equals(before)).toBe(true);
    const words = chunks.map(({ data }) => data.toString('utf8')).join('\n');
    expect(words).toContain('Steps: 40, CFG scale: 2.5, Seed: 4294967295, Size: 12x8');
    expect(words).toContain(`Description\0\0\0\0\0${drawn.caption}`);
  });

  test('is there once, however often it is written, and the last one counts', () => {
    const again = { ...drawn, caption: 'another' };
    const file = embedRecipe(embedRecipe(png, drawn, size), again, size);
    expect(chunksOf(file).filter(({ type }) => type === 'iTXt')).toHaveLength(4);
    expect(readRecipe(file)).toEqual(again);
  });

  test('is not found in a picture that has none, in another kind of file, or in half a file', () => {
    expect(readRecipe(png)).toBeNull();
    expect(readRecipe(new Uint8Array(0))).toBeNull();
    expect(readRecipe(Buffer.from('\xff\xd8\xff\xe0 a JPEG', 'latin1'))).toBeNull();
    const file = embedRecipe(png, drawn, size);
    for (let length = 0; length < file.length; length += 1) {
      expect(readRecipe(file.subarray(0, length))).toBeNull();
    }
  });

  test.each([
    ['no JSON', '{'],
    ['another version', JSON.stringify({ version: 2, caption: 'x', ...drawn.recipe })],
    [
      'a seed that is none',
      JSON.stringify({ version: 1, caption: 'x', ...drawn.recipe, seed: -1 }),
    ],
    ['steps for a year', JSON.stringify({ version: 1, caption: 'x', ...drawn.recipe, steps: 1e9 })],
    ['no caption', JSON.stringify({ version: 1, caption: ' ', ...drawn.recipe })],
    ['a book', JSON.stringify({ version: 1, caption: 'x'.repeat(3000), ...drawn.recipe })],
  ])('that says nonsense is none: %s', (_, text) => {
    const body = Buffer.from(`iTXttextbind\0\0\0\0\0${text}`);
    const chunk = Buffer.alloc(body.length + 8);
    chunk.writeUInt32BE(body.length - 4, 0);
    body.copy(chunk, 4);
    chunk.writeUInt32BE(crc32(body), body.length + 4);
    const file = Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
    expect(chunksOf(file)).toHaveLength(4);
    expect(readRecipe(file)).toBeNull();
  });

  test('that was tampered with anywhere throws nothing', () => {
    const file = embedRecipe(png, drawn, size);
    const random = randomSource(7);
    for (let round = 0; round < 2000; round += 1) {
      const broken = Uint8Array.from(file);
      for (let count = 0; count < 3; count += 1)
        broken[random.below(broken.length)] = random.below(256);
      expect(() => readRecipe(broken)).not.toThrow();
      expect(() => embedRecipe(broken, drawn, size)).not.toThrow();
    }
  });
});

describe('names of picture files', () => {
  test.each([
    ['IMG 2041.JPG', 'IMG 2041.JPG'],
    ['C:\\Users\\someone\\cat.png', 'cat.png'],
    ['/home/someone/cat.png', 'cat.png'],
    ['image.png', undefined],
    [' ', undefined],
    ['a\u0000b\n.png', 'ab.png'],
  ])('%j is kept as %j: never a folder of the person', (given, kept) => {
    expect(keptName(given)).toBe(kept);
  });

  test.each([
    [{ caption: 'a red apple: "still"?' }, 'a red apple still.png'],
    [{ name: 'photo.jpeg' }, 'photo.png'],
    [{}, `${'ab'.repeat(8)}.png`],
    [{ caption: 'con' }, 'Picture con.png'],
  ])('outside %j is called %s', (about, name) => {
    const picture = { ...samplePicture(1), hash: 'ab'.repeat(32), caption: null, ...about };
    expect(outsideName(picture)).toBe(name);
  });
});
