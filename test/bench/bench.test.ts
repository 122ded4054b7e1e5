// Figures that are printed must be the ones that were measured: the arithmetic between the two.
import { describe, expect, it } from 'vitest';
import { loadWarning } from '../../bench/machine.ts';
import { readOptions, sectionNames, UsageError } from '../../bench/options.ts';
import { timeOfLine } from '../../bench/sections/start.ts';
import {
  interleave,
  median,
  orderOfRound,
  pairedRatios,
  summarise,
} from '../../bench/statistics.ts';
import {
  fasterByRate,
  fasterByTime,
  formatNumber,
  formatSeries,
  formatTable,
  sectionToJson,
} from '../../bench/tables.ts';

describe('statistics', () => {
  it('takes the middle, and the mean of two middles', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(() => median([])).toThrow('no values');
  });
  it('does not change what it is given, and sorts by number', () => {
    const values = [10, 9, 100];
    expect(summarise(values)).toEqual({ runs: 3, median: 10, min: 9, max: 100 });
    expect(values).toEqual([10, 9, 100]);
  });
  it('compares round by round', () => {
    expect(pairedRatios([2, 30], [1, 10])).toEqual([2, 3]);
    expect(() => pairedRatios([1], [1, 2])).toThrow('1 rounds of one side, 2 of the other');
  });
  it('says how many times as fast: of rates ours above, of times the peer above', () => {
    expect(fasterByRate([100], [50])).toEqual([2]);
    expect(fasterByTime([10], [20])).toEqual([2]);
    expect(fasterByRate([100], null)).toBeNull();
    expect(fasterByTime([10], null)).toBeNull();
  });
});

describe('rounds', () => {
  it('turn the order, and keep the results by peer', async () => {
    const order: string[] = [];
    const peer = (name: string) => async (round: number) => {
      order.push(`${name}${round}`);
      return `${name}${round}`;
    };
    const results = await interleave(3, [peer('a'), peer('b')]);
    expect(order).toEqual(['a0', 'b0', 'b1', 'a1', 'a2', 'b2']);
    expect(results).toEqual([
      ['a0', 'a1', 'a2'],
      ['b0', 'b1', 'b2'],
    ]);
    expect(orderOfRound(3, 1)).toEqual([2, 1, 0]);
  });
  it('fail with the peer that fails', async () => {
    const failing = () => Promise.reject(new Error('gone'));
    await expect(interleave(1, [failing])).rejects.toThrow('gone');
  });
});

describe('what is printed', () => {
  it('has three digits', () => {
    expect([1234.5, 123.45, 12.345, 1.2345, 0.012345, 0].map(formatNumber)).toEqual([
      '1235',
      '123',
      '12.3',
      '1.23',
      '0.0123',
      '0.00',
    ]);
    expect(formatNumber(0.0000123)).toBe('0.000012');
  });
  it('never has a figure where nothing was measured', () => {
    expect(formatSeries(null)).toBe('not measured');
    expect(formatSeries([])).toBe('not measured');
    expect(formatSeries([2])).toBe('2.00');
    expect(formatSeries([3, 1, 2])).toBe('2.00 (1.00 to 3.00)');
  });
  it('is a table, and for machines every value', () => {
    const table = {
      title: 'work',
      columns: ['ours', 'peer'],
      comparison: 'times as fast',
      rows: [
        {
          label: 'it',
          unit: 'ms',
          cells: [
            [10, 12],
            [20, 18],
          ],
          comparison: [2, 1.5],
        },
        { label: 'more', unit: 'ms', cells: [[1], null], comparison: null },
      ],
    };
    expect(formatTable(table).split('\n')[3]).toMatch(
      /^more +ms +1\.00 +not measured +not measured$/,
    );
    const section = { name: 'n', title: 't', about: [], tables: [table], skipped: ['no peer'] };
    const json = sectionToJson(section) as {
      tables: { rows: { values: Record<string, unknown>; comparison: unknown }[] }[];
    };
    const [first, second] = json.tables[0]!.rows;
    expect(first?.values['peer']).toEqual({
      runs: 2,
      median: 19,
      min: 18,
      max: 20,
      values: [20, 18],
    });
    expect(first?.comparison).toMatchObject({ median: 1.75 });
    expect(second?.values['peer']).toBeNull();
    expect(second?.comparison).toBeNull();
  });
});

describe('the log of a start', () => {
  const log = [
    '[2026-11-22 09:12:23.230] [info]  start electron=33.2.1 platform=linux',
    '[2026-11-22 09:12:24.205] [info]  window open ms=1903',
    '[2026-11-22 09:12:51.646] [info]  reply request=r1 name=model.open ms=25387',
  ].join('\n');
  it('gives the time of a line', () => {
    const start = timeOfLine(log, / start /);
    const window = timeOfLine(log, / window open\b/);
    expect(window! - start!).toBe(975);
  });
  it('gives none where no line says it', () => {
    expect(timeOfLine(log, /model could not be opened/)).toBeNull();
    expect(timeOfLine('', /start/)).toBeNull();
  });
});

describe('options', () => {
  it('are everything by default', () => {
    expect(readOptions([]).only).toEqual(sectionNames);
    expect(readOptions([]).contexts).toEqual([64, 640]);
  });
  it('name what is wrong', () => {
    expect(() => readOptions(['--only', 'chess'])).toThrow(UsageError);
    expect(() => readOptions(['--runs', '0'])).toThrow('--runs 0');
    expect(() => readOptions(['--contexts', '64,x'])).toThrow('--contexts x');
    expect(() => readOptions(['--colour'])).toThrow(UsageError);
  });
});

it('warns of a busy machine', () => {
  expect(loadWarning({ load: 0.4, logicalCores: 2 })).toBeNull();
  expect(loadWarning({ load: 7, logicalCores: 2 })).toContain('load average is 7');
});
