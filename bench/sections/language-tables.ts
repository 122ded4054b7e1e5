// What is said of the language model's runs: tables, and the line against llama.cpp's best form.
import { headingOf, type GgufForm } from '../gguf-forms.ts';
import type { LanguageRun } from '../peers/language-peer.ts';
import { median, pairedRatios } from '../statistics.ts';
import { fasterByRate, type AgainstBest, type Row, type Table } from '../tables.ts';

/** Who was measured. */
export interface Measured {
  /** Its name in the results. */
  readonly name: string;
  /** llama.cpp's. */
  readonly form?: GgufForm;
}

export interface ContextResult {
  readonly context: number;
  /** By who was measured, ours first, then by round. */
  readonly runs: readonly (readonly LanguageRun[])[];
}

const nobody: Measured = { name: 'llama.cpp' };
const headingOfPeer = ({ name, form }: Measured): string =>
  form === undefined ? name : headingOf(form);

const rate = (count: number) => (ms: number) => (count / ms) * 1000;

function rateRows({ context, runs }: ContextResult, peer: number): Row[] {
  const row = (label: string, pick: (run: LanguageRun) => number): Row => {
    const [ours, theirs] = [runs[0]!.map(pick), runs[peer]?.map(pick) ?? null];
    return {
      label: `${label}, ${context} tokens of context`,
      unit: 'tokens/s',
      cells: [ours, theirs],
      comparison: fasterByRate(ours, theirs),
    };
  };
  return [
    row('read', ({ prefillMs }) => rate(context)(prefillMs)),
    row('write', ({ decodeMs, tokens }) => rate(tokens.length)(decodeMs)),
  ];
}

/** Ours against each peer. */
export function rateTables(
  results: readonly ContextResult[],
  measured: readonly Measured[],
): Table[] {
  const peers = measured.length > 1 ? measured.slice(1) : [nobody];
  return peers.map((peer, index) => ({
    title: 'median (least to most)',
    columns: ['TextBind', peer.name],
    headings: ['TextBind', headingOfPeer(peer)],
    comparison: 'times as fast',
    rows: results.flatMap((result) => rateRows(result, index + 1)),
  }));
}

/**
 * Ours against the best of llama.cpp's forms: the one that it is least ahead of, for each row. Of several measured
 * series the best by chance counts too, so this says rather too little for us.
 */
export function againstBestForm(
  results: readonly ContextResult[],
  measured: readonly Measured[],
): AgainstBest | null {
  const forms = measured.flatMap(({ form }, index) =>
    form === undefined ? [] : [{ form, index }],
  );
  if (forms.length === 0) return null;
  const rows = results.flatMap((result) => {
    const byForm = forms.map(({ form, index }) => ({ form, rows: rateRows(result, index) }));
    return byForm[0]!.rows.map(({ label }, row) => {
      const candidates = byForm.map(({ form, rows: own }) => ({
        best: form,
        comparison: own[row]!.comparison ?? [],
      }));
      candidates.sort((a, b) => median(a.comparison) - median(b.comparison));
      return { label, ...candidates[0]! };
    });
  });
  return { of: forms.map(({ form }) => headingOf(form)), comparison: 'times as fast', rows };
}

/** What a token costs after the shortest context and after the longest; null where there is one alone. */
export function growthTable(
  results: readonly ContextResult[],
  measured: readonly Measured[],
): Table | null {
  const [short, long] = [results[0], results.at(-1)];
  if (short === undefined || long === undefined || short === long) return null;
  const perToken = (runs: readonly LanguageRun[]) =>
    runs.map(({ decodeMs, tokens }) => decodeMs / tokens.length);
  return {
    title: 'a longer context',
    columns: [`${short.context} tokens`, `${long.context} tokens`],
    comparison: 'times as slow',
    rows: measured.map((each, index) => {
      const cells = [perToken(short.runs[index]!), perToken(long.runs[index]!)] as const;
      return {
        label: `${each.name}, a token written`,
        heading: `${headingOfPeer(each)}, a token written`,
        unit: 'ms',
        cells,
        comparison: pairedRatios(cells[1], cells[0]),
      };
    }),
  };
}

/** How many tokens at the front are the same: that both sides compute the same function. */
export function commonLength(left: readonly number[], right: readonly number[]): number {
  const end = left.findIndex((token, index) => token !== right[index]);
  return end < 0 ? left.length : end;
}

/** A line for each peer: how far it writes our tokens. */
export function agreement(
  results: readonly ContextResult[],
  measured: readonly Measured[],
  tokens: number,
): string[] {
  return measured.slice(1).map((peer, index) => {
    const parts = results.map(({ context, runs }) => {
      const [ours = [], theirs = []] = [runs[0]?.[0]?.tokens, runs[index + 1]?.[0]?.tokens];
      return `${commonLength(ours, theirs)} of ${tokens} at ${context} tokens of context`;
    });
    return `tokens that ${headingOfPeer(peer)} writes as we do before the first that differs: ${parts.join(', ')}`;
  });
}
