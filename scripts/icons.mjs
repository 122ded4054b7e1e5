// `node scripts/icons.mjs`: every icon of the app from resources/icons/icon.svg. What it writes is committed, so that
// nobody needs it but who changes the drawing.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './setup/steps.mjs';

export const iconsDir = path.join(root, 'resources', 'icons');

/** Sides of the squares in resources/icons/png, pixels. */
export const pngSides = [16, 24, 32, 48, 64, 128, 256, 512, 1024];
const icoSides = [16, 24, 32, 48, 64, 128, 256];

/** What Apple calls a square of PNG of each side; those for doubled pixels have names of their own. */
const icnsTypes = /** @type {const} */ ([
  ['icp4', 16],
  ['ic11', 32],
  ['icp5', 32],
  ['ic12', 64],
  ['ic07', 128],
  ['ic13', 256],
  ['ic08', 256],
  ['ic14', 512],
  ['ic09', 512],
  ['ic10', 1024],
]);

/**
 * Windows' icon file: a directory of 16 bytes a picture, then the PNGs.
 * @param {ReadonlyMap<number, Buffer>} squares PNG by side
 */
function icoOf(squares) {
  const header = Buffer.alloc(6 + 16 * icoSides.length);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(icoSides.length, 4);
  let offset = header.length;
  const pictures = icoSides.map((side, index) => {
    const png = pngOf(squares, side);
    const at = 6 + 16 * index;
    // A side of 256 is written as 0.
    header.writeUInt8(side % 256, at);
    header.writeUInt8(side % 256, at + 1);
    header.writeUInt16LE(1, at + 4);
    header.writeUInt16LE(32, at + 6);
    header.writeUInt32LE(png.length, at + 8);
    header.writeUInt32LE(offset, at + 12);
    offset += png.length;
    return png;
  });
  return Buffer.concat([header, ...pictures]);
}

/**
 * Apple's icon file: chunks of a type, a length that counts its own 8 bytes, and a PNG.
 * @param {ReadonlyMap<number, Buffer>} squares PNG by side
 */
function icnsOf(squares) {
  const chunk = (/** @type {string} */ type, /** @type {Buffer} */ body) => {
    const head = Buffer.alloc(8);
    head.write(type, 'latin1');
    head.writeUInt32BE(body.length + 8, 4);
    return Buffer.concat([head, body]);
  };
  return chunk(
    'icns',
    Buffer.concat(icnsTypes.map(([type, side]) => chunk(type, pngOf(squares, side)))),
  );
}

/** @param {ReadonlyMap<number, Buffer>} squares @param {number} side */
function pngOf(squares, side) {
  const png = squares.get(side);
  if (png === undefined) throw new Error(`No square of ${side} pixels was drawn.`);
  return png;
}

async function writeIcons() {
  const { default: sharp } = await import('sharp');
  const svg = readFileSync(path.join(iconsDir, 'icon.svg'));
  /** @type {Map<number, Buffer>} */
  const squares = new Map();
  for (const side of pngSides) {
    squares.set(side, await sharp(svg).resize(side, side).png({ compressionLevel: 9 }).toBuffer());
  }
  mkdirSync(path.join(iconsDir, 'png'), { recursive: true });
  for (const [side, png] of squares) {
    writeFileSync(path.join(iconsDir, 'png', `${side}x${side}.png`), png);
  }
  writeFileSync(path.join(iconsDir, 'icon.ico'), icoOf(squares));
  writeFileSync(path.join(iconsDir, 'icon.icns'), icnsOf(squares));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeIcons();
