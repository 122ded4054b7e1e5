/** Decoding within one run: cache, stopping, sampling, streaming. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LanguageModel } from '../../../../src/worker/pipelines/language/language-model.ts';
import { readJson } from '../../../../src/base/json-file.ts';
import { openCheckpoint } from '../../../../src/worker/weights/index.ts';
import { runLength, Sequence } from '../../../../src/worker/pipelines/language/sequence.ts';
import { noPython } from '../../../golden/run-python.ts';
import type { PlainSampling } from './sampling.ts';
import { samplePlainly } from './sampling.ts';
import type { Reference } from './support.ts';
import { pythonTimeoutMs, reference, relativeError } from './support.ts';
import { temporaryFolderForAll } from '../../../support/temporary-folder.ts';

const why = noPython ? `: ${noPython}` : '';

/** Uniform numbers that look random and are the same each time. */
function uniformNumbers(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  });
}

const scratch = temporaryFolderForAll();

/** A folder with the config.json of another, but for the longest sequence. */
function withPositions(folder: string, positions: number): string {
  const config = readJson(join(folder, 'config.json'), 'model-invalid') as Record<string, unknown>;
  const changed = { ...config, max_position_embeddings: positions };
  writeFileSync(join(scratch, 'config.json'), JSON.stringify(changed));
  return scratch;
}

const greedy = { temperature: 0, topK: 0, topP: 1 };

describe.skipIf(noPython)(`decoding${why}`, () => {
  let golden: Reference;
  let model: LanguageModel;
  let ids: number[];
  let greedyTokens: number[];
  /** The same network with room for a long sequence. */
  let roomy: LanguageModel;

  beforeAll(async () => {
    golden = reference('grouped-tied');
    model = await LanguageModel.open(golden.folder, { providers: ['cpu'] });
    ids = golden.ids('ids');
    greedyTokens = golden.ids('tokens');
    roomy = await LanguageModel.open(withPositions(golden.folder, 1024), {
      providers: ['cpu'],
      checkpoint: openCheckpoint(golden.folder),
    });
  }, pythonTimeoutMs);

  afterAll(async () => {
    await model?.release();
    await roomy?.release();
  });

  it('gives the same tokens one by one as in one run', async () => {
    const cache = model.newCache();
    const tokens: number[] = [];
    let feed = ids;
    for (let step = 0; step < greedyTokens.length; step += 1) {
      const [token] = await model.decode(cache, { feed, maxTokens: 1, stopIds: [] });
      tokens.push(token as number);
      feed = [token as number];
    }
    expect(tokens).toEqual(greedyTokens);
  });

  it('writes the same tokens in the runs of a reply', async () => {
    const sequence = new Sequence(model);
    sequence.feed(await sequence.stretchOf(ids));
    const runs: number[][] = [];
    for (let run = 0; runs.flat().length < 20; run += 1) {
      const maxTokens = Math.min(runLength(run), 20 - runs.flat().length);
      const uniforms = new Float32Array(maxTokens);
      runs.push(await sequence.decode({ maxTokens, stopIds: [], sampling: greedy, uniforms }));
    }
    expect(runs.flat()).toEqual(greedyTokens);
    expect(runs.map((run) => run.length)).toEqual([1, 4, 15]);
    expect(sequence.positions).toEqual([...ids, ...greedyTokens.slice(0, 19)]);
  });

  it('reads a prompt in any parts with the same result', async () => {
    const whole = await model.read(model.newCache(), ids);
    const parts = model.newCache();
    await model.read(parts, ids.slice(0, 4));
    await model.read(parts, ids.slice(4, 5));
    expect(relativeError(await model.read(parts, ids.slice(5)), whole)).toBeLessThan(1e-5);
    const logits = golden.floats('logits').slice(-whole.length);
    expect(relativeError(whole, logits)).toBeLessThan(1e-4);
  });

  it('ends at a stop token, which is the last given and not in the cache', async () => {
    const stop = greedyTokens[5] as number;
    const first = greedyTokens.indexOf(stop);
    const cache = model.newCache();
    const tokens = await model.decode(cache, { feed: ids, maxTokens: 20, stopIds: [100000, stop] });
    expect([...tokens]).toEqual(greedyTokens.slice(0, first + 1));
    expect(cache.length).toBe(ids.length + first);
  });

  it('goes back to a remembered point as if nothing had come after it', async () => {
    const cache = model.newCache();
    await model.decode(cache, { feed: ids, maxTokens: 4, stopIds: [] });
    const mark = cache.mark();
    const fork = cache.fork();
    await model.decode(cache, { feed: [7, 8, 9], maxTokens: 9, stopIds: [] });
    cache.restore(mark);
    const picture = golden.floats('embeds');
    const onOld = await model.read(cache, picture);
    const onFork = await model.read(fork, picture);
    expect(onOld).toEqual(onFork);
    expect(cache.length).toBe(mark.length + picture.length / 96);
    expect(() => cache.restore({ length: 1000 })).toThrow('cannot go forward to 1000');
  });

  it('keeps its content when the cache grows', async () => {
    const cache = model.newCache();
    await model.read(cache, ids);
    const before = cache.fork();
    cache.append(
      Array.from({ length: 6 }, () => ({
        dtype: 'float32' as const,
        dims: [1, 2, 300, 16],
        data: new Float32Array(2 * 300 * 16),
      })),
      300,
    );
    cache.restore({ length: ids.length });
    expect(cache.capacity).toBeGreaterThan(before.capacity);
    expect(await model.read(cache, [3])).toEqual(await model.read(before, [3]));
  });

  const samplings: readonly PlainSampling[] = [
    { temperature: 1, topK: 0, topP: 1 },
    { temperature: 0.7, topK: 0, topP: 0.9 },
    { temperature: 1.3, topK: 5, topP: 1 },
    { temperature: 1, topK: 20, topP: 0.5 },
    { temperature: 0.01, topK: 0, topP: 0.3 },
    { temperature: 1, topK: 100000, topP: 0.000001 },
    { temperature: 0, topK: 3, topP: 0.5 },
  ];

  it.each(samplings)('samples as plain code does: %j', async (sampling) => {
    const uniforms = uniformNumbers(24, 12345);
    const together = await model.decode(model.newCache(), {
      feed: ids,
      maxTokens: 24,
      stopIds: [],
      sampling,
      uniforms,
    });
    const cache = model.newCache();
    const apart: number[] = [];
    let feed = ids;
    for (const uniform of uniforms) {
      const token = samplePlainly(await model.read(cache, feed), sampling, uniform);
      apart.push(token);
      feed = [token];
    }
    expect([...together]).toEqual(apart);
  });

  it('says what does not fit', async () => {
    const cache = model.newCache();
    const request = { maxTokens: 4, stopIds: [] };
    const sampling = { temperature: 1, topK: 0, topP: 1 };
    await expect(model.embed([5, 101])).rejects.toThrow(
      'token 101 is outside the vocabulary of 101',
    );
    await expect(model.decode(cache, { ...request, feed: new Float32Array(95) })).rejects.toThrow(
      '95 numbers are not rows of 96',
    );
    await expect(model.decode(cache, { ...request, feed: [1], sampling })).rejects.toThrow(
      '4 uniform numbers are needed, 0 given',
    );
    await expect(model.decode(cache, { ...request, feed: [1], maxTokens: 200 })).rejects.toThrow(
      'the model allows 1 to 128 in all',
    );
  });

  it('reads ahead in runs, and stops between them when asked to with a consistent cache', async () => {
    const long = Array.from({ length: 600 }, (_, index) => index % 101);
    const [sequence, whole] = [new Sequence(roomy), new Sequence(roomy)];
    const controller = new AbortController();
    sequence.feed(await sequence.stretchOf(long));
    setImmediate(() => controller.abort(new Error('enough')));
    await expect(sequence.readAhead(controller.signal)).rejects.toThrow('enough');
    expect(sequence.positions).toEqual(long.slice(0, 256));
    await sequence.readAhead(new AbortController().signal, 0);
    expect(sequence.positions).toEqual(long);
    const run = { maxTokens: 3, stopIds: [], sampling: greedy, uniforms: new Float32Array(3) };
    sequence.feed(await sequence.stretchOf([5]));
    whole.feed(await whole.stretchOf([...long, 5]));
    expect(await sequence.decode(run)).toEqual(await whole.decode(run));
  });
});
