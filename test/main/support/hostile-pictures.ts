/** Pictures that somebody might send to do harm, made when a test asks for them. */
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** A PNG of 1-bit grey: whatever its size it is some bytes, for all its rows are alike. */
export function largePng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const rows = Buffer.alloc((1 + Math.ceil(width / 8)) * height);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 1 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A PNG that says it has a size and holds a few bytes. */
export function pngHeader(width: number, height: number): Buffer {
  const whole = largePng(8, 8);
  whole.writeUInt32BE(width, 16);
  whole.writeUInt32BE(height, 20);
  whole.writeUInt32BE(crc32(whole.subarray(12, 29)), 29);
  return whole;
}

/** Noise, which no format makes small: cutting it cuts pixels. */
export function noisy(width = 96, height = 64): Sharp {
  const pixels = Buffer.from(
    Array.from({ length: width * height * 3 }, (_, at) => (at * 7919 + (at >> 4) * 31) % 251),
  );
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

export const encoders = {
  png: (picture: Sharp) => picture.png().toBuffer(),
  'interlaced png': (picture: Sharp) => picture.png({ progressive: true }).toBuffer(),
  jpeg: (picture: Sharp) => picture.jpeg().toBuffer(),
  'progressive jpeg': (picture: Sharp) => picture.jpeg({ progressive: true }).toBuffer(),
  webp: (picture: Sharp) => picture.webp({ lossless: true }).toBuffer(),
  gif: (picture: Sharp) => picture.gif().toBuffer(),
  avif: (picture: Sharp) => picture.avif({ effort: 0 }).toBuffer(),
} as const;

/** One colour. */
export function plain(width: number, height: number): Sharp {
  const create = { width, height, channels: 3, background: '#3060c0' } as const;
  return sharp({ create, limitInputPixels: false });
}
