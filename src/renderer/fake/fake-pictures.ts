/** 1 x 1 PNG, where there is no canvas (tests). */
const dot: Uint8Array<ArrayBuffer> = Uint8Array.from(
  atob(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  ),
  (character) => character.charCodeAt(0),
);

export interface FakePicture {
  readonly png: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

/** Draws something that differs by caption and seed; `done` from 0 to 1 lets noise give way. */
export async function drawFake(
  caption: string,
  seed: number,
  done: number,
  size = 128,
): Promise<FakePicture> {
  const canvas = typeof OffscreenCanvas === 'function' ? new OffscreenCanvas(size, size) : null;
  const context = canvas?.getContext('2d') ?? null;
  if (canvas === null || context === null) return { png: dot, width: size, height: size };
  paint(context, hueOf(caption), seed, size);
  if (done < 1) addNoise(context, 1 - done, size);
  const blob = await canvas.convertToBlob({ type: 'image/png' });
  return { png: new Uint8Array(await blob.arrayBuffer()), width: size, height: size };
}

function paint(
  context: OffscreenCanvasRenderingContext2D,
  hue: number,
  seed: number,
  size: number,
): void {
  const unit = size / 128;
  const x = (58 + (seed % 13)) * unit;
  const y = (70 + ((seed >> 4) % 9)) * unit;
  context.fillStyle = `oklch(0.9 0.05 ${(hue + 150) % 360})`;
  context.fillRect(0, 0, size, size);
  context.fillStyle = `oklch(0.8 0.06 ${(hue + 130) % 360})`;
  context.fillRect(0, 96 * unit, size, size);
  const shade = context.createRadialGradient(
    x - 12 * unit,
    y - 14 * unit,
    4 * unit,
    x,
    y,
    40 * unit,
  );
  shade.addColorStop(0, `oklch(0.82 0.14 ${hue})`);
  shade.addColorStop(1, `oklch(0.5 0.18 ${hue})`);
  context.fillStyle = shade;
  context.beginPath();
  context.arc(x, y, 34 * unit, 0, Math.PI * 2);
  context.fill();
  context.fillStyle = 'oklch(0.45 0.08 130)';
  context.fillRect(x - 2 * unit, y - 48 * unit, 4 * unit, 18 * unit);
}

function addNoise(context: OffscreenCanvasRenderingContext2D, amount: number, size: number): void {
  const pixels = context.getImageData(0, 0, size, size);
  for (let at = 0; at < pixels.data.length; at += 4) {
    for (let channel = 0; channel < 3; channel += 1) {
      const value = pixels.data[at + channel] ?? 0;
      pixels.data[at + channel] = value + (Math.random() - 0.5) * 500 * amount;
    }
  }
  context.putImageData(pixels, 0, 0);
}

function hueOf(caption: string): number {
  if (/red|apple/i.test(caption)) return 25;
  if (/blue/i.test(caption)) return 250;
  if (/green|pear/i.test(caption)) return 140;
  if (/yellow|bird|cat/i.test(caption)) return 80;
  let hash = 7;
  for (const character of caption) hash = (hash * 31 + character.charCodeAt(0)) % 360;
  return hash;
}
