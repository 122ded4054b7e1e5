import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DrawingProgress } from '../../../src/shared/contracts/reply-event.ts';
import { decodeImage } from '../../../src/worker/inputs/image.ts';
import { decodeLatents } from '../../../src/worker/pipelines/drawing/decode-latents.ts';
import { Painter, type DrawRequest } from '../../../src/worker/pipelines/drawing/painter.ts';
import { openCheckpoint, readFloats } from '../../../src/worker/weights/index.ts';
import { noPython, runPython } from '../../golden/run-python.ts';

/** Largest difference over the reference's largest value. */
function relativeError(ours: Float32Array, theirs: Float32Array): number {
  expect(ours.length).toBe(theirs.length);
  let worst = 0;
  let largest = 0;
  theirs.forEach((value, at) => {
    worst = Math.max(worst, Math.abs(value - ours[at]!));
    largest = Math.max(largest, Math.abs(value));
  });
  return worst / largest;
}

describe.skipIf(noPython !== undefined)(`Painter draws as diffusers does ${noPython ?? ''}`, () => {
  let folder = '';
  let base: Painter;
  let expected: (name: string) => Float32Array;
  let request: DrawRequest;

  beforeAll(async () => {
    folder = runPython('sdxl.py');
    const checkpoint = openCheckpoint(join(folder, 'expected.safetensors'));
    expected = (name) => readFloats(checkpoint, name);
    const asked = JSON.parse(readFileSync(join(folder, 'request.json'), 'utf8')) as Pick<
      DrawRequest,
      'prompt' | 'steps' | 'width' | 'height'
    >;
    request = { ...asked, negative: '', guidance: 5, seed: 0, latents: expected('noise') };
    base = await Painter.open(
      { base: join(folder, 'base'), refiner: null },
      { provider: 'cpu', threads: 1 },
    );
  }, 600_000);
  afterAll(() => base?.release());

  it('base alone: latents, picture and PNG', async () => {
    const { latents, image, png } = await base.draw(request);
    expect(relativeError(latents.data, expected('plain'))).toBeLessThan(1e-4);
    // diffusers' picture is clamped to -1 .. 1.
    const clamped = image.data.map((value) => Math.min(Math.max(value, -1), 1));
    expect(relativeError(clamped, expected('plain_image'))).toBeLessThan(1e-3);
    const shown = await decodeImage(png);
    expect([shown.width, shown.height]).toEqual([96, 64]);
  });

  it('with a negative prompt, and without guidance', async () => {
    const negative = await base.draw({ ...request, negative: 'blurry' });
    expect(relativeError(negative.latents.data, expected('negative'))).toBeLessThan(1e-4);
    const unguided = await base.draw({ ...request, guidance: 1 });
    expect(relativeError(unguided.latents.data, expected('unguided'))).toBeLessThan(1e-4);
  });

  it.each([0.6, 1])('from a picture at strength %d', async (strength) => {
    const data = expected('picture');
    const steps: number[] = [];
    const { latents } = await base.draw({
      ...request,
      latents: expected('picture_noise'),
      start: { image: { dims: [1, 3, 64, 96], data }, strength },
      onProgress: ({ step }) => steps.push(step),
    });
    const name = `from_${strength.toFixed(1)}`;
    expect(relativeError(latents.data, expected(name))).toBeLessThan(1e-4);
    expect(steps.at(-1)).toBe(strength === 1 ? 7 : 4);
  });

  it('base and refiner share the steps four to one', async () => {
    const both = await Painter.open(
      { base: join(folder, 'base'), refiner: join(folder, 'refiner') },
      { provider: 'cpu', threads: 1 },
    );
    const steps: DrawingProgress[] = [];
    const { latents } = await both.draw({ ...request, onProgress: (step) => steps.push(step) });
    await both.release();
    expect(relativeError(latents.data, expected('refined'))).toBeLessThan(1e-4);
    expect(steps.at(-1)).toMatchObject({ step: 7, steps: 7, width: 96, height: 64 });
    expect(steps.some(({ preview }) => preview !== null)).toBe(true);
  });

  it('a seed gives the same picture again, another seed another', async () => {
    const { latents: _, ...free } = request;
    const draw = async (seed: number) => (await base.draw({ ...free, seed, steps: 2 })).png;
    const [first, again, other] = [await draw(1), await draw(1), await draw(2)];
    expect(Buffer.from(first).equals(again)).toBe(true);
    expect(Buffer.from(first).equals(other)).toBe(false);
  });

  it('stops between steps', async () => {
    const abort = new AbortController();
    const seen: number[] = [];
    const stopped = base.draw({
      ...request,
      signal: abort.signal,
      onProgress: ({ step }) => {
        seen.push(step);
        if (step === 2) abort.abort(new Error('stop'));
      },
    });
    await expect(stopped).rejects.toThrow('stop');
    expect(seen.at(-1)).toBe(2);
  });

  it('refuses sizes and latents that do not fit, with both numbers', async () => {
    await expect(base.draw({ ...request, width: 100 })).rejects.toThrow(
      /100 x 64: both sides must be multiples of 8/,
    );
    await expect(base.draw({ ...request, width: 64 })).rejects.toThrow(/384 values.*needs 256/);
  });
});

describe('decodeLatents', () => {
  /** A decoder that doubles both sides and copies one channel into three: what it gives is known everywhere. */
  const doubling = {
    run: async (feeds: Record<string, { dims: readonly number[]; data: Float32Array }>) => {
      const { dims, data } = feeds['latents']!;
      const [height, width] = [dims[2]! * 2, dims[3]! * 2];
      const image = Float32Array.from({ length: 3 * height * width }, (_, at) => {
        const x = at % width;
        const y = Math.floor(at / width) % height;
        return data[(y >> 1) * dims[3]! + (x >> 1)]!;
      });
      return { image: { dtype: 'float32', dims: [1, 3, height, width], data: image } };
    },
  } as unknown as Parameters<typeof decodeLatents>[0];

  it('puts tiles together without a seam', async () => {
    const [height, width] = [150, 230];
    const latents = {
      dims: [1, 1, height, width],
      data: Float32Array.from({ length: height * width }, (_, at) => Math.sin(at / 50)),
    };
    const whole = await decodeLatents(doubling, latents, 0.5, { tile: false });
    let pauses = 0;
    const tiled = await decodeLatents(doubling, latents, 0.5, {
      betweenTiles: async () => void (pauses += 1),
    });
    expect(pauses).toBeGreaterThan(3);
    expect(tiled.dims).toEqual([1, 3, 300, 460]);
    expect(relativeError(tiled.data, whole.data)).toBeLessThan(1e-6);
  });
});
