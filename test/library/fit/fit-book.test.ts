import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { estimate, FitBook } from '../../../src/library/fit/fit-book.ts';
import type { ModelVerdict } from '../../../src/shared/domain/doctor.ts';
import type { FitMeasure } from '../../../src/shared/domain/fit.ts';
import { temporaryFolderForAll } from '../../support/temporary-folder.ts';

const folder = temporaryFolderForAll();
let count = 0;
const fresh = (): string => path.join(folder, `${(count += 1)}`, 'fit.json');

const measured: FitMeasure = {
  ...{ openSeconds: 1, tokensPerSecond: 50, promptTokensPerSecond: 500, othersShare: 0 },
  drawing: { secondsPerStep: 0.1, secondsBeside: 2 },
  ...{ talkingBytes: 400e6, drawingBytes: 500e6 },
};
const small: ModelVerdict = {
  ...{ name: 'Small', folder: '/m/small', bytesOnDisk: 100, fits: true, verdict: 'fits' },
  memoryBytes: { talking: 400e6, drawingSparing: 450e6 },
};
const kept = { folder: small.folder, provider: 'cpu', bytesOnDisk: 100, at: 1, measured } as const;

describe('what is expected of a model', () => {
  it('is what was measured, and outlives the process', () => {
    const file = fresh();
    new FitBook(file).keep(kept);
    expect(estimate(new FitBook(file), small, 'cpu', 40)).toMatchObject({
      ...{ basis: 'measured', tokensPerSecond: 50, secondsPerPicture: 6, error: null },
      memory: [
        { part: 'words', bytes: 400e6 },
        { part: 'pictures', bytes: 500e6 },
      ],
    });
  });

  it('is nothing where nothing was measured, or something else was', () => {
    const book = new FitBook(fresh());
    const none = { basis: 'none', tokensPerSecond: null, secondsPerPicture: null };
    expect(estimate(book, small, 'cpu', 40)).toMatchObject(none);
    book.keep(kept);
    expect(estimate(book, small, 'cuda', 40)).toMatchObject(none);
    expect(estimate(book, { ...small, bytesOnDisk: 101 }, 'cpu', 40).basis).toBe('scaled');
  });

  it('goes with the weights where another model was measured, and says nothing of pictures', () => {
    const book = new FitBook(fresh());
    book.keep(kept);
    const large = { ...small, folder: '/m/large', memoryBytes: { talking: 4000e6 } };
    expect(estimate(book, large, 'cpu', 40)).toMatchObject({
      ...{ basis: 'scaled', tokensPerSecond: 5, secondsPerPicture: null },
    });
  });

  it('comes to what happens, and keeps what it was beside it', () => {
    const book = new FitBook(fresh());
    book.keep(kept);
    for (let at = 0; at < 20; at += 1) {
      book.observe(small.folder, 'cpu', { at, kind: 'words', happened: 25 });
      book.observe(small.folder, 'cpu', { at, kind: 'picture', happened: 12, steps: 40 });
    }
    const after = estimate(book, small, 'cpu', 40);
    expect(after.tokensPerSecond).toBeCloseTo(25, 0);
    expect(after.secondsPerPicture).toBeCloseTo(12, 0);
    expect(after.error).toBeLessThan(0.05);
    const [first] = book.find(small.folder, 'cpu', 100)!.observations;
    expect(first).toEqual({ at: 0, kind: 'words', expected: 50, happened: 25 });
    book.observe('/m/unknown', 'cpu', { at: 1, kind: 'words', happened: 1 });
    expect(book.on('cpu')).toHaveLength(1);
  });

  it('follows sooner where others were busy while it was measured', () => {
    const book = new FitBook(fresh());
    book.keep({ ...kept, measured: { ...measured, othersShare: 0.9 } });
    book.observe(small.folder, 'cpu', { at: 1, kind: 'words', happened: 20 });
    expect(estimate(book, small, 'cpu', 40).tokensPerSecond).toBeCloseTo(30);
    book.observe(small.folder, 'cpu', { at: 2, kind: 'words', happened: 20 });
    expect(estimate(book, small, 'cpu', 40).tokensPerSecond).toBeCloseTo(26);
  });

  it('of pictures follows what happened to words, until pictures were seen themselves', () => {
    const book = new FitBook(fresh());
    book.keep(kept);
    book.observe(small.folder, 'cpu', { at: 1, kind: 'words', happened: 25 });
    // 0.85 of the speed, so 6 s become 7.06.
    expect(estimate(book, small, 'cpu', 40).secondsPerPicture).toBeCloseTo(6 / 0.85);
    book.observe(small.folder, 'cpu', { at: 2, kind: 'picture', happened: 6 / 0.85, steps: 40 });
    book.observe(small.folder, 'cpu', { at: 3, kind: 'words', happened: 5 });
    expect(estimate(book, small, 'cpu', 40).secondsPerPicture).toBeCloseTo(6 / 0.85);
  });

  it('is not lost to one odd thing, nor to a file that cannot be read', () => {
    const file = fresh();
    const book = new FitBook(file);
    book.keep(kept);
    book.observe(small.folder, 'cpu', { at: 1, kind: 'words', happened: 5 });
    expect(estimate(book, small, 'cpu', 40).tokensPerSecond).toBeGreaterThan(35);
    writeFileSync(file, '{"records": [');
    expect(new FitBook(file).on('cpu')).toEqual([]);
  });

  it('says what would fit where this does not, and when a measurement says little', () => {
    const book = new FitBook(fresh());
    book.keep({ ...kept, measured: { ...measured, othersShare: 0.5 } });
    const said = estimate(book, { ...small, fits: false }, 'cpu', 40);
    expect(said.wouldFit).toMatch(/4-bit/);
    expect(said.wasBusy).toBe(true);
  });
});
