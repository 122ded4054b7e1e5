// Installers and desktops take the icons by these names and sides; one that is absent is Electron's atom.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { imageSize } from 'image-size';
import { describe, expect, it } from 'vitest';
import { iconsDir, pngSides } from '../../scripts/icons.mjs';
import { root } from '../../scripts/setup/steps.mjs';

const read = (name: string): Buffer => readFileSync(path.join(iconsDir, name));

describe('the app icon', () => {
  it('has a square for each side', () => {
    for (const side of pngSides) {
      expect(imageSize(read(`png/${side}x${side}.png`))).toMatchObject({
        width: side,
        height: side,
      });
    }
  });

  it('has whole pictures in the Windows file', () => {
    const ico = read('icon.ico');
    const sides = Array.from({ length: ico.readUInt16LE(4) }, (_, index) => {
      const at = 6 + 16 * index;
      const offset = ico.readUInt32LE(at + 12);
      return imageSize(ico.subarray(offset, offset + ico.readUInt32LE(at + 8))).width;
    });
    expect(sides).toEqual([16, 24, 32, 48, 64, 128, 256]);
  });

  it('has whole pictures in the macOS file', () => {
    const icns = read('icon.icns');
    expect(icns.readUInt32BE(4)).toBe(icns.length);
    const sides = new Set<number>();
    for (let at = 8; at < icns.length; at += icns.readUInt32BE(at + 4)) {
      sides.add(imageSize(icns.subarray(at + 8, at + icns.readUInt32BE(at + 4))).width);
    }
    expect([...sides].sort((a, b) => a - b)).toEqual([16, 32, 64, 128, 256, 512, 1024]);
  });

  it('is what the installers name', () => {
    const config = readFileSync(path.join(root, 'electron-builder.yml'), 'utf8');
    const named = [...config.matchAll(/^ {2}icon: (.+)$/gm)].map(([, name]) => name ?? '');
    expect(named).toHaveLength(3);
    for (const name of named) expect(existsSync(path.join(iconsDir, name))).toBe(true);
  });
});
