// The language model's tables: who stands in which, by which name, and which form is the best.
import { describe, expect, it } from 'vitest';
import {
  againstBestForm,
  agreement,
  commonLength,
  growthTable,
  rateTables,
  type Measured,
} from '../../bench/sections/language-tables.ts';
import type { LanguageRun } from '../../bench/peers/language-peer.ts';
import { formatSection, formatTable, sectionToJson } from '../../bench/tables.ts';

const measured: readonly Measured[] = [
  { name: 'TextBind' },
  { name: 'llama.cpp', form: 'Q4_1' },
  { name: 'llama.cpp Q4_0', form: 'Q4_0' },
  { name: 'llama.cpp Q8_0', form: 'Q8_0' },
  { name: 'transformers.js' },
];

/** A run of two tokens that took so long. */
const run = (prefillMs: number, decodeMs: number, tokens = [5, 6]): LanguageRun => ({
  prefillMs,
  prefillCpuMs: prefillMs,
  decodeMs,
  decodeCpuMs: decodeMs,
  tokens,
});

const short = {
  context: 10,
  runs: [
    [run(10, 20), run(20, 40)],
    [run(40, 30, [5, 7]), run(80, 60)],
    [run(15, 60), run(30, 120)],
    [run(20, 50), run(40, 100)],
    [run(1, 1), run(1, 1)],
  ],
};
const long = { context: 100, runs: short.runs.map((runs) => runs.map(() => run(100, 200))) };

describe('rates', () => {
  it('stand in a table for each peer, against ours of the same round', () => {
    const tables = rateTables([short], measured);
    expect(tables.map(({ columns }) => columns)).toEqual([
      ['TextBind', 'llama.cpp'],
      ['TextBind', 'llama.cpp Q4_0'],
      ['TextBind', 'llama.cpp Q8_0'],
      ['TextBind', 'transformers.js'],
    ]);
    expect(tables.map(({ rows }) => rows.map((row) => row.comparison))).toEqual([
      [
        [4, 4],
        [1.5, 1.5],
      ],
      [
        [1.5, 1.5],
        [3, 3],
      ],
      [
        [2, 2],
        [2.5, 2.5],
      ],
      [
        [0.1, 0.05],
        [0.05, 0.025],
      ],
    ]);
    expect(tables[0]!.rows[0]).toMatchObject({
      label: 'read, 10 tokens of context',
      unit: 'tokens/s',
      cells: [
        [1000, 500],
        [250, 125],
      ],
    });
  });
  it('name the form above the column, and to programs as before', () => {
    const table = rateTables([short], measured)[0]!;
    expect(formatTable(table).split('\n')[0]).toMatch(
      /^median .* unit +TextBind +llama\.cpp Q4_1 +times as fast$/,
    );
    const section = { name: 'language', title: 't', about: [], tables: [table], skipped: [] };
    expect(sectionToJson(section)).toMatchObject({
      tables: [
        {
          headings: ['TextBind', 'llama.cpp Q4_1'],
          rows: [{ values: { TextBind: {}, 'llama.cpp': { median: 187.5 } } }, {}],
        },
      ],
    });
  });
  it('say that nothing was measured where no peer is there', () => {
    const tables = rateTables([{ ...short, runs: short.runs.slice(0, 1) }], measured.slice(0, 1));
    expect(tables).toHaveLength(1);
    expect(tables[0]).toMatchObject({ columns: ['TextBind', 'llama.cpp'] });
    expect(tables[0]!.rows[0]).toMatchObject({ cells: [[1000, 500], null], comparison: null });
  });
});

describe('the best form', () => {
  it('is chosen for each row, and never another program', () => {
    const best = againstBestForm([short], measured)!;
    expect(best).toEqual({
      of: ['llama.cpp Q4_1', 'llama.cpp Q4_0', 'llama.cpp Q8_0'],
      comparison: 'times as fast',
      rows: [
        { label: 'read, 10 tokens of context', best: 'Q4_0', comparison: [1.5, 1.5] },
        { label: 'write, 10 tokens of context', best: 'Q4_1', comparison: [1.5, 1.5] },
      ],
    });
  });
  it('is a line, and for machines every value', () => {
    const againstBest = againstBestForm([short], measured)!;
    const section = { name: 'n', title: 't', about: [], tables: [], againstBest, skipped: [] };
    expect(formatSection(section).split('\n').at(-1)).toBe(
      'times as fast, against the best of llama.cpp Q4_1, llama.cpp Q4_0, llama.cpp Q8_0: ' +
        'read, 10 tokens of context: 1.50 (1.50 to 1.50) (Q4_0); ' +
        'write, 10 tokens of context: 1.50 (1.50 to 1.50) (Q4_1)',
    );
    expect(sectionToJson(section)).toMatchObject({
      againstBest: {
        rows: [{ best: 'Q4_0', comparison: { median: 1.5, values: [1.5, 1.5] } }, {}],
      },
    });
  });
  it('is that of the forms that are there, and none where none is', () => {
    const some = [measured[0]!, measured[3]!];
    const runs = [short.runs[0]!, short.runs[3]!];
    expect(againstBestForm([{ ...short, runs }], some)?.rows.map(({ best }) => best)).toEqual([
      'Q8_0',
      'Q8_0',
    ]);
    const others = [measured[0]!, measured[4]!];
    expect(againstBestForm([short], others)).toBeNull();
    const section = { name: 'n', title: 't', about: [], tables: [], skipped: [] };
    expect(sectionToJson(section)).toEqual(section);
  });
});

it('a longer context has a row for each, by the name that programs know', () => {
  const table = growthTable([short, long], measured)!;
  expect(table.rows.map(({ label }) => label)).toEqual([
    'TextBind, a token written',
    'llama.cpp, a token written',
    'llama.cpp Q4_0, a token written',
    'llama.cpp Q8_0, a token written',
    'transformers.js, a token written',
  ]);
  expect(table.rows[1]).toMatchObject({
    heading: 'llama.cpp Q4_1, a token written',
    cells: [
      [15, 30],
      [100, 100],
    ],
  });
  expect(formatTable(table)).toContain('\nllama.cpp Q4_1, a token written');
  expect(growthTable([short], measured)).toBeNull();
});

it('finds where two sides part', () => {
  expect(commonLength([1, 2, 3], [1, 2, 4])).toBe(2);
  expect(commonLength([1, 2], [1, 2])).toBe(2);
  expect(commonLength([1, 2], [1])).toBe(1);
  expect(agreement([short], measured, 2)[0]).toBe(
    'tokens that llama.cpp Q4_1 writes as we do before the first that differs: 1 of 2 at 10 tokens of context',
  );
});
