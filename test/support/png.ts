import { crc32, deflateSync } from 'node:zlib';

/** A real PNG of one colour; `shade` makes its bytes, and so its hash, differ. */
export function encodePng(width: number, height: number, shade = 0): Uint8Array<ArrayBuffer> {
  return encodePixels(width, height, new Uint8Array(3 * width * height).fill(shade));
}

/** A PNG of these pixels: red, green and blue of each, row by row from the top. */
export function encodePixels(
  width: number,
  height: number,
  pixels: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const rowBytes = 3 * width;
  // Each row begins with its filter: none.
  const rows = Buffer.alloc((1 + rowBytes) * height);
  for (let row = 0; row < height; row += 1) {
    rows.set(pixels.subarray(row * rowBytes, (row + 1) * rowBytes), row * (1 + rowBytes) + 1);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const file = Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
  return new Uint8Array(file);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
