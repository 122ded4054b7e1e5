/** Reading with 8-bit products: the folding, the product itself, layers in parts, and a prompt beside the decoder's. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finishGraph, input, serialise } from '../../../../src/worker/graph/index.ts';
import type { LlamaConfig } from '../../../../src/worker/networks/index.ts';
import { readerParts } from '../../../../src/worker/networks/index.ts';
import { readerModel } from '../../../../src/worker/networks/models.ts';
import { eightBitProduct, eightBitWeights } from '../../../../src/worker/networks/eight-bit.ts';
import { hasEightBitProducts } from '../../../../src/worker/pipelines/language/eight-bit-products.ts';
import { LanguageModel } from '../../../../src/worker/pipelines/language/language-model.ts';
import { openNetwork } from '../../../../src/worker/pipelines/network.ts';
import { Sequence } from '../../../../src/worker/pipelines/language/sequence.ts';
import { writeEightBitCopy } from '../../../../src/worker/conversion/eight-bit-copy.ts';
import { quantiseModel } from '../../../../src/worker/conversion/quantise-model.ts';
import {
  float32Tensor,
  hostOutput,
  int64Tensor,
  Session,
  type SessionTensor,
} from '../../../../src/worker/runtime/index.ts';
import {
  dequantiseMatrix,
  foldToEightBits,
  openCheckpoint,
  quantiseMatrix,
} from '../../../../src/worker/weights/index.ts';
import { noPython } from '../../../golden/run-python.ts';
import { pythonTimeoutMs, reference, relativeError } from './support.ts';
import { temporaryFolder, temporaryFolderForAll } from '../../../support/temporary-folder.ts';

/** Numbers that look random and are the same each time, in -1 .. 1. */
function numbers(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  });
}

const hasProducts = await hasEightBitProducts();
const why = hasProducts ? '' : ': this processor has no exact and fast 8-bit products';

describe('foldToEightBits', () => {
  it.each([
    [4, 130, 96],
    [8, 130, 96],
    [4, 70, 53],
    [8, 3, 31],
  ] as const)(
    '%i bits, [%i, %i]: within half a step of what the blocks stand for',
    (bits, n, k) => {
      const matrix = quantiseMatrix(numbers(n * k, 3), n, k, bits, 32);
      const exact = dequantiseMatrix(matrix);
      const { weights, scales } = foldToEightBits(matrix);
      for (let row = 0; row < n; row += 1) {
        for (let column = 0; column < k; column += 1) {
          const error = weights[column * n + row]! * scales[row]! - exact[row * k + column]!;
          expect(Math.abs(error)).toBeLessThanOrEqual(scales[row]! * 0.5001);
        }
      }
    },
  );

  it('keeps a row of zeros', () => {
    const { weights, scales } = foldToEightBits(quantiseMatrix(new Float32Array(64), 2, 32, 4, 32));
    expect(new Set(weights)).toEqual(new Set([0]));
    expect([...scales]).toEqual([0, 0]);
  });
});

describe('eightBitProduct', () => {
  it('multiplies rows with scales of their own: an outlier costs its own row alone', async () => {
    const [rows, k, n] = [3, 64, 40];
    const x = numbers(rows * k, 5);
    x[k] = 1000;
    x.fill(0, 2 * k);
    const matrix = quantiseMatrix(numbers(n * k, 6), n, k, 8, 32);
    const { weights, scales } = foldToEightBits(matrix);
    const given = input('x', 'float32', ['rows', k]);
    const graph = finishGraph('product', [given], {
      y: eightBitProduct(given, eightBitWeights('w', n, k)),
    });
    const model = serialise(graph, {
      find: (name) =>
        name === 'w.s8'
          ? { dtype: 'int8', shape: [k, n], location: bytesOf(weights) }
          : { dtype: 'float32', shape: [n], location: bytesOf(scales) },
      names: () => ['w.s8', 'w.s8scales'],
    });
    const session = await Session.open(model, { provider: 'cpu' });
    const outputs = await session.run({ x: float32Tensor(x, [rows, k]) });
    await session.release();
    const y = hostOutput(outputs, 'y', 'float32').data;
    const exact = dequantiseMatrix(matrix);
    const expected = Float32Array.from({ length: rows * n }, (_, at) => {
      const [row, column] = [Math.floor(at / n), at % n];
      let sum = 0;
      for (let i = 0; i < k; i += 1) sum += x[row * k + i]! * exact[column * k + i]!;
      return sum;
    });
    // On a processor that cuts sums the first row is wrong by far more.
    if (hasProducts) {
      expect(relativeError(y.subarray(0, n), expected.subarray(0, n))).toBeLessThan(0.02);
      expect(relativeError(y.subarray(n, 2 * n), expected.subarray(n, 2 * n))).toBeLessThan(0.02);
    }
    expect([...y.subarray(2 * n)]).toEqual(new Array<number>(n).fill(0));
  });
});

function bytesOf({ buffer, byteOffset, byteLength }: Int8Array | Float32Array) {
  return { kind: 'bytes', bytes: new Uint8Array(buffer, byteOffset, byteLength) } as const;
}

describe.skipIf(noPython)(`reading a prompt${noPython ? `: ${noPython}` : why}`, () => {
  const folder = temporaryFolderForAll();
  let plain: LanguageModel;
  let eight: LanguageModel;
  let long: number[];

  beforeAll(async () => {
    await quantiseModel(reference('grouped-tied').folder, folder, { bits: 8 });
    const providers = ['cpu'] as const;
    plain = await LanguageModel.open(folder, { providers, eightBitReading: false });
    eight = await LanguageModel.open(folder, { providers });
    long = Array.from({ length: 90 }, (_, index) => (index * 37) % 101);
  }, pythonTimeoutMs);
  afterAll(async () => {
    await plain?.release();
    await eight?.release();
  });

  it('is there where the processor has the products, and not where it was declined', () => {
    expect(eight.hasEightBitReading).toBe(hasProducts);
    expect(plain.hasEightBitReading).toBe(false);
  });

  it('reads the same from matrices that were folded before and lie in files', async () => {
    const copied = temporaryFolder();
    const stored: LanguageModel[] = [];
    try {
      await quantiseModel(reference('grouped-tied').folder, copied, { bits: 8 });
      await writeEightBitCopy(copied, { maxShardBytes: 20_000 });
      const files = readdirSync(copied).filter((name) => name.startsWith('eight-bits-'));
      expect(files.length).toBeGreaterThan(3);
      const before = files.map((name) => readFileSync(join(copied, name)));
      rmSync(join(copied, files[1]!));
      await writeEightBitCopy(copied, { maxShardBytes: 20_000, resume: true });
      expect(files.map((name) => readFileSync(join(copied, name)))).toEqual(before);
      stored.push(await LanguageModel.open(copied, { providers: ['cpu'] }));
      expect(stored[0]!.hasEightBitReading).toBe(hasProducts);
      const logitsOf = async (model: LanguageModel): Promise<Float32Array> => {
        const cache = model.newCache();
        await model.readAhead(cache, await model.embed(long.slice(0, -1)));
        return model.read(cache, long.slice(-1));
      };
      expect(relativeError(await logitsOf(stored[0]!), await logitsOf(eight))).toBeLessThan(1e-5);
    } finally {
      for (const model of stored) await model.release();
    }
  });

  it('gives what the decoder gives, but for rounding, in one part or several', async () => {
    const expected = await plain.read(plain.newCache(), long);
    for (const parts of [[89], [40, 49], [12, 5, 60, 12]]) {
      const cache = eight.newCache();
      let at = 0;
      for (const count of parts) {
        await eight.readAhead(cache, await eight.embed(long.slice(at, at + count)));
        at += count;
        expect(cache.length).toBe(at);
      }
      expect(relativeError(await eight.read(cache, long.slice(at)), expected)).toBeLessThan(0.1);
    }
  });

  it('leaves one position to the run that writes, and more only to the decoder alone', async () => {
    for (const model of [plain, eight]) {
      const sequence = new Sequence(model);
      sequence.feed(await sequence.stretchOf(long));
      await sequence.readAhead(new AbortController().signal);
      expect(sequence.positions).toHaveLength(model.hasEightBitReading ? 89 : 0);
      expect(sequence.lengthWithNext).toBe(90);
    }
  });

  it('refuses more than the model allows', async () => {
    const embeds = new Float32Array(129 * eight.config.hiddenSize);
    await expect(eight.readAhead(eight.newCache(), embeds)).rejects.toThrow(
      'the model allows 1 to 128 in all',
    );
  });

  it('in parts of some layers each, gives what one part of all gives', async () => {
    const { config } = eight;
    const checkpoint = openCheckpoint(folder);
    const run = async (ranges: readonly { first: number; end: number }[]) => {
      const added: Record<string, Float32Array> = {};
      let embeds = await eight.embed(long.slice(0, 20));
      for (const range of ranges) {
        const network = readerModel(config, checkpoint, 128, range);
        const session = await openNetwork(network, { provider: 'cpu' });
        const dims = [1, config.keyValueHeadCount, 16, config.headSize];
        const none = float32Tensor(new Float32Array(dims.reduce((a, b) => a * b)), dims);
        const feeds: Record<string, SessionTensor> = Object.fromEntries(
          session.inputNames.map((name) => [name, none]),
        );
        feeds['inputs_embeds'] = float32Tensor(embeds, [1, 20, config.hiddenSize]);
        feeds['past_length'] = int64Tensor([0], []);
        const outputs = await session.run(feeds);
        for (const name of session.outputNames) {
          if (name === 'sum') embeds = hostOutput(outputs, name, 'float32').data.slice();
          else added[name] = hostOutput(outputs, name, 'float32').data.slice();
        }
        await session.release();
      }
      return added;
    };
    const whole = await run([{ first: 0, end: 3 }]);
    const apart = await run([
      { first: 0, end: 1 },
      { first: 1, end: 3 },
    ]);
    expect(Object.keys(apart)).toEqual(Object.keys(whole));
    for (const [name, values] of Object.entries(whole)) {
      expect(relativeError(apart[name]!, values)).toBeLessThan(1e-5);
    }
  });

  it('takes every layer once', () => {
    const parts = readerParts({ ...eight.config, layerCount: 20 } satisfies LlamaConfig);
    expect(parts.map(({ first, end }) => [first, end])).toEqual([
      [0, 6],
      [6, 12],
      [12, 18],
      [18, 20],
    ]);
  });
});
