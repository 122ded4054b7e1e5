import { encodePixels } from './png.ts';
import { randomSource } from './random-source.ts';

/** Edge of a painted picture, pixels. */
export const paintedSize = 128;

/** A ball on a table, by caption and seed, as PNG; `done` from 0 to 1 lets noise give way. */
export function paint(
  caption: string,
  seed: number,
  done = 1,
  { width, height } = { width: paintedSize, height: paintedSize },
): Uint8Array<ArrayBuffer> {
  const hue = hueOf(caption);
  const ball = { x: 58 + (seed % 13), y: 70 + ((seed >> 4) % 9), radius: 34 };
  const noise = randomSource(seed);
  const pixels = new Uint8Array(3 * width * height);
  for (let at = 0; at < width * height; at += 1) {
    const colour = colourAt(at % width, Math.floor(at / width), hue, ball);
    for (let channel = 0; channel < 3; channel += 1) {
      const grain = done < 1 ? (noise.below(512) - 256) * (1 - done) : 0;
      pixels[3 * at + channel] = Math.max(0, Math.min(255, colour[channel]! + grain));
    }
  }
  return encodePixels(width, height, pixels);
}

type Colour = readonly [red: number, green: number, blue: number];

function colourAt(
  x: number,
  y: number,
  hue: number,
  ball: { readonly x: number; readonly y: number; readonly radius: number },
): Colour {
  if (Math.abs(x - ball.x) < 2 && y > ball.y - 48 && y < ball.y - 30) return [74, 92, 48];
  if (Math.hypot(x - ball.x, y - ball.y) < ball.radius) {
    const shade = Math.hypot(x - ball.x + 12, y - ball.y + 14) / 48;
    return fromHue(hue, 0.68, 0.68 - 0.38 * Math.min(1, shade));
  }
  return fromHue(hue + 140, 0.3, y < 96 ? 0.88 : 0.76);
}

/** HSL to RGB: hue in degrees, the others from 0 to 1. */
function fromHue(hue: number, saturation: number, lightness: number): Colour {
  const chroma = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number): number => {
    const k = (offset + hue / 30) % 12;
    return 255 * (lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [channel(0), channel(8), channel(4)];
}

function hueOf(caption: string): number {
  if (/red|apple/i.test(caption)) return 5;
  if (/blue/i.test(caption)) return 220;
  if (/green|pear/i.test(caption)) return 110;
  if (/yellow|bird|cat/i.test(caption)) return 48;
  let hash = 7;
  for (const character of caption) hash = (hash * 31 + character.charCodeAt(0)) % 360;
  return hash;
}
