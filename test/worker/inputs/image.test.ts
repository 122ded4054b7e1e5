import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  decodeImage,
  encodePng,
  openImageProcessor,
  pixelValues,
  readPicture,
} from '../../../src/worker/inputs/image.ts';
import { readPictureHeader } from '../../../src/main/pictures/header.ts';
import { resizeImage, type ResizeKernel } from '../../../src/worker/inputs/resize.ts';
import { noPython, runPython } from '../../golden/run-python.ts';

interface Case {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly kernel: ResizeKernel;
  readonly data: string;
}

describe.skipIf(noPython !== undefined)(`resizing equals Pillow's ${noPython ?? ''}`, () => {
  let folder = '';
  beforeAll(() => {
    folder = runPython('pictures.py');
  });

  it('bit for bit, for reductions, enlargements and one-sided changes', async () => {
    const cases = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as Case[];
    expect(cases.length).toBeGreaterThan(5);
    for (const { file, width, height, kernel, data } of cases) {
      const image = await decodeImage(readFileSync(join(folder, file)));
      const resized = resizeImage(image, width, height, kernel);
      expect(Buffer.from(resized.data).equals(Buffer.from(data, 'base64')), file).toBe(true);
    }
  });
});

const solid = (
  width: number,
  height: number,
  colour: string | { r: number; g: number; b: number; alpha: number },
  channels: 3 | 4 = 3,
) => sharp({ create: { width, height, channels, background: colour } });

describe('decodeImage', () => {
  it('turns a picture by its EXIF orientation', async () => {
    const left = await solid(2, 4, '#ff0000').png().toBuffer();
    const bytes = await solid(6, 4, '#0000ff')
      .composite([{ input: left, left: 0, top: 0 }])
      .withMetadata({ orientation: 6 })
      .png()
      .toBuffer();
    const image = await decodeImage(bytes);
    expect([image.width, image.height]).toEqual([4, 6]);
    // Orientation 6 is shown a quarter turn clockwise: what was left is on top.
    expect([...image.data.slice(0, 3)]).toEqual([255, 0, 0]);
    expect([...image.data.slice(-3)]).toEqual([0, 0, 255]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 255])(
    'EXIF orientation %i has the size that main reads in the header',
    async (orientation) => {
      const bytes = await solid(6, 4, '#0000ff').withMetadata({ orientation: 8 }).jpeg().toBuffer();
      // Tag 0x0112, SHORT, one value: in little-endian or big-endian order.
      const [little, big] = ['1201030001000000', '0112000300000001'].map((hex) =>
        bytes.indexOf(Buffer.from(hex, 'hex')),
      ) as [number, number];
      if (little > 0) bytes.writeUInt16LE(orientation, little + 8);
      else bytes.writeUInt16BE(orientation, big + 8);
      const image = await decodeImage(bytes);
      const lies = orientation >= 5 && orientation <= 8;
      expect([image.width, image.height]).toEqual(lies ? [4, 6] : [6, 4]);
      expect(readPictureHeader(bytes, 'x')).toMatchObject({
        width: image.width,
        height: image.height,
      });
    },
  );

  it('refuses other formats, and is given up on at once when it is stopped', async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    await expect(decodeImage(svg, 'x')).rejects.toThrow(/x: .*svg file; PNG, JPEG/);
    const abort = new AbortController();
    const large = await solid(5000, 5000, '#336699').png().toBuffer();
    const decoded = decodeImage(large, 'x', abort.signal);
    abort.abort();
    await expect(decoded).rejects.toMatchObject({ kind: 'cancelled' });
    await expect(decodeImage(large, 'x', abort.signal)).rejects.toMatchObject({
      kind: 'cancelled',
    });
  });

  it('puts transparent parts on white', async () => {
    const bytes = await solid(2, 2, { r: 0, g: 0, b: 0, alpha: 0.5 }, 4).png().toBuffer();
    const { data } = await decodeImage(bytes);
    expect(data.length).toBe(12);
    expect(Math.abs(data[0]! - 127)).toBeLessThanOrEqual(1);
  });

  it('makes RGB of greyscale, 16 bits and CMYK', async () => {
    const grey = await solid(3, 2, '#808080').toColourspace('b-w').png().toBuffer();
    expect([...(await decodeImage(grey)).data]).toEqual(new Array(18).fill(128));
    const deep = await solid(3, 2, '#4080c0').toColourspace('rgb16').png().toBuffer();
    expect([...(await decodeImage(deep)).data.slice(0, 3)]).toEqual([0x40, 0x80, 0xc0]);
    const cmyk = await solid(16, 16, '#ff0000').toColourspace('cmyk').jpeg().toBuffer();
    const red = (await decodeImage(cmyk)).data;
    expect(red[0]).toBeGreaterThan(200);
    expect(red[1]).toBeLessThan(80);
  });

  it('takes the first frame of an animation', async () => {
    const frames = Buffer.concat([Buffer.alloc(12, 255), Buffer.alloc(12, 0)]);
    const gif = await sharp(frames, { raw: { width: 2, height: 4, channels: 3, pageHeight: 2 } })
      .gif({ loop: 0, delay: [100, 100] })
      .toBuffer();
    const image = await decodeImage(gif);
    expect([image.width, image.height, image.data[0]]).toEqual([2, 2, 255]);
  });

  it('refuses text, an empty file and half a picture', async () => {
    const jpeg = await sharp(
      Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251)),
      {
        raw: { width: 64, height: 64, channels: 3 },
      },
    )
      .jpeg()
      .toBuffer();
    for (const bytes of [
      Buffer.from('not a picture'),
      Buffer.alloc(0),
      jpeg.subarray(0, jpeg.length / 2),
    ]) {
      await expect(decodeImage(bytes, 'x.jpg')).rejects.toMatchObject({
        kind: 'bad-input',
        message: expect.stringMatching(/^x\.jpg: it cannot be decoded as a picture/) as unknown,
      });
    }
  });

  it('names a file that is not there', async () => {
    await expect(readPicture('/nowhere.png')).rejects.toThrow(/\/nowhere\.png: the picture cannot/);
  });
});

describe('the image processor', () => {
  async function processor(config: object) {
    const folder = await mkdtemp(join(tmpdir(), 'textbind-processor-'));
    await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify(config));
    try {
      return openImageProcessor(folder);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  it("reads BLIP-2's", async () => {
    const blip = await processor({ size: { height: 224, width: 224 }, resample: 3 });
    expect(blip).toMatchObject({ width: 224, height: 224, kernel: 'bicubic' });
    const white = { width: 1, height: 1, data: Uint8Array.of(255, 255, 255) };
    const values = pixelValues(white, blip);
    expect(values.length).toBe(3 * 224 * 224);
    expect(values[0]).toBeCloseTo((1 - 0.48145466) / 0.26862954, 5);
    expect(values.at(-1)).toBeCloseTo((1 - 0.40821073) / 0.27577711, 5);
  });

  it('refuses what it does not do, naming the field', async () => {
    await expect(processor({ size: 224, do_center_crop: true })).rejects.toThrow(
      /preprocessor_config\.json: field "do_center_crop"/,
    );
    await expect(processor({ size: { shortest_edge: 224 } })).rejects.toThrow(/field "size/);
  });
});

describe('encodePng', () => {
  it('writes pixels from -1 to 1, and smaller previews', async () => {
    const image = Float32Array.from([-1, 1, 0, 0, 2, -2]); // 2 x 1: red, green, blue planes
    const png = await encodePng(image, 2, 1);
    expect([...(await decodeImage(png)).data]).toEqual([0, 128, 255, 255, 128, 0]);
    const large = await encodePng(new Float32Array(3 * 64 * 32), 64, 32, { maxSize: 16 });
    const small = await decodeImage(large);
    expect([small.width, small.height]).toEqual([16, 8]);
  });
});
