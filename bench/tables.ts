import { pairedRatios, summarise, type Summary } from './statistics.ts';

/** One line of a table: a series of values for each of the table's columns; null where there is none. */
export interface Row {
  readonly label: string;
  /** What is printed for the label, by which programs find the row. */
  readonly heading?: string;
  readonly unit: string;
  readonly cells: readonly (readonly number[] | null)[];
  /** Quotients by round, where the table has a comparison. */
  readonly comparison?: readonly number[] | null;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  /** What is printed above the columns instead of their names, by which programs find them. */
  readonly headings?: readonly string[];
  /** Heading of the quotients; left out where nothing is compared. */
  readonly comparison?: string;
  readonly rows: readonly Row[];
}

/** Ours against whichever of several forms of a peer it is least ahead of, for each thing that was measured. */
export interface AgainstBest {
  /** The forms that were measured. */
  readonly of: readonly string[];
  readonly comparison: string;
  readonly rows: readonly {
    readonly label: string;
    /** The form. */
    readonly best: string;
    /** Quotients by round. */
    readonly comparison: readonly number[];
  }[];
}

/** What one section measured. */
export interface Section {
  readonly name: string;
  readonly title: string;
  /** What was measured, on what: lines above the tables. */
  readonly about: readonly string[];
  readonly tables: readonly Table[];
  /** Where a peer was measured in several forms. */
  readonly againstBest?: AgainstBest;
  /** What did not run, and why: never a figure in its place. */
  readonly skipped: readonly string[];
}

/** How many times as fast ours is, from rates (more is better), by round. */
export function fasterByRate(ours: readonly number[], peer: readonly number[] | null) {
  return peer === null ? null : pairedRatios(ours, peer);
}

/** How many times as fast ours is, from times (less is better), by round. */
export function fasterByTime(ours: readonly number[], peer: readonly number[] | null) {
  return peer === null ? null : pairedRatios(peer, ours);
}

/** Three significant digits, without an exponent. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value !== 0 && Math.abs(value) < 0.001) return value.toFixed(6);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toFixed(Math.min(digits, 6));
}

/** `12.3 (11.9 to 13.0)`; the spread is left out where there was one run. */
export function formatSeries(values: readonly number[] | null | undefined): string {
  if (values === null || values === undefined || values.length === 0) return 'not measured';
  const { median, min, max, runs } = summarise(values);
  if (runs === 1) return formatNumber(median);
  return `${formatNumber(median)} (${formatNumber(min)} to ${formatNumber(max)})`;
}

/** A table as text: columns padded, one line a row. */
export function formatTable(table: Table): string {
  const { comparison } = table;
  const columns = table.headings ?? table.columns;
  const heading = [table.title, 'unit', ...columns, ...(comparison ? [comparison] : [])];
  const lines = table.rows.map((row) => [
    row.heading ?? row.label,
    row.unit,
    ...row.cells.map((cell) => formatSeries(cell)),
    ...(comparison ? [formatSeries(row.comparison)] : []),
  ]);
  const all = [heading, ...lines];
  const widths = heading.map((_, column) =>
    Math.max(...all.map((line) => line[column]?.length ?? 0)),
  );
  const pad = (line: readonly string[]): string =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [
    pad(heading),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...lines.map(pad),
  ].join('\n');
}

/** In one line: how far ours is ahead of the best form. */
export function formatAgainstBest({ of, comparison, rows }: AgainstBest): string {
  const parts = rows.map((row) => `${row.label}: ${formatSeries(row.comparison)} (${row.best})`);
  return `${comparison}, against the best of ${of.join(', ')}: ${parts.join('; ')}`;
}

/** A section as text. */
export function formatSection(section: Section): string {
  const { againstBest } = section;
  return [
    `== ${section.title}`,
    ...section.about,
    ...section.tables.map((table) => `\n${formatTable(table)}`),
    ...(againstBest === undefined ? [] : [`\n${formatAgainstBest(againstBest)}`]),
    ...section.skipped.map((reason) => `SKIPPED: ${reason}`),
  ].join('\n');
}

interface JsonSeries extends Summary {
  readonly values: readonly number[];
}

function jsonSeries(values: readonly number[] | null | undefined): JsonSeries | null {
  if (values === null || values === undefined || values.length === 0) return null;
  return { ...summarise(values), values };
}

function jsonTable({ title, columns, headings, comparison, rows }: Table): unknown {
  return {
    title,
    headings: headings ?? columns,
    comparison: comparison ?? null,
    rows: rows.map((row) => ({
      label: row.label,
      heading: row.heading ?? row.label,
      unit: row.unit,
      values: Object.fromEntries(
        columns.map((column, index) => [column, jsonSeries(row.cells[index])]),
      ),
      comparison: jsonSeries(row.comparison),
    })),
  };
}

/** A section for machines: each series with median, spread and all of its values. */
export function sectionToJson(section: Section): unknown {
  const { againstBest, ...rest } = section;
  const json = { ...rest, tables: section.tables.map(jsonTable) };
  if (againstBest === undefined) return json;
  const rows = againstBest.rows.map((row) => ({ ...row, comparison: jsonSeries(row.comparison) }));
  return { ...json, againstBest: { ...againstBest, rows } };
}
