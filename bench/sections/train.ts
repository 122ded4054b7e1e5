import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { venvPython } from '../../scripts/setup/python.mjs';
import type { BenchOptions } from '../options.ts';
import { LineProcess } from '../peers/line-process.ts';
import { fasterByRate, type Row, type Section } from '../tables.ts';

const defaultRuns = 3;
/** Widths of the models are multiples of it. */
const scale = 16;
const stages = [1, 2] as const;

const sideSchema = z.object({
  /** By pass over the rows. */
  seconds: z.array(z.number()).min(1),
  processorSeconds: z.array(z.number()).min(1),
  losses: z.array(z.number()).min(1),
});
const answerSchema = z.object({ ours: sideSchema, plain: sideSchema });
type Answer = z.infer<typeof answerSchema>;
const readySchema = z.object({
  ready: z.string(),
  about: z.array(z.string()),
  rows: z.record(z.string(), z.number()),
  /** What the trainer takes here where a run file does not say. */
  chosen: z.enum(['fp32', 'bf16']),
});
type Precision = z.infer<typeof readySchema>['chosen'];

/** Both must have trained the same: losses step by step, as near as a precision's rounding lets them be. */
const sameLoss = { fp32: 1e-3, bf16: 2e-2 } as const;
const nameOf = { fp32: 'single precision', bf16: 'bf16 autocast' } as const;

/** Samples a second of the trainer against a plain loop that follows the reference, both stages, the paper's epochs. */
export async function measureTrain(
  { runs, threads }: BenchOptions,
  say: (line: string) => void,
): Promise<Section> {
  const base = { name: 'train', title: 'Training both stages' };
  const root = path.join(import.meta.dirname, '..', '..');
  if (!existsSync(venvPython)) {
    return { ...base, about: [], tables: [], skipped: ['.venv is not there'] };
  }
  const program = path.join(root, 'bench', 'peers', 'training_peer.py');
  const peer = new LineProcess('PyTorch', venvPython, [program, String(threads), String(scale)]);
  try {
    const { ready, about, rows, chosen } = readySchema.parse(await peer.next());
    const rounds = runs ?? defaultRuns;
    const precisions: readonly Precision[] = chosen === 'fp32' ? ['fp32'] : ['fp32', 'bf16'];
    const table: Row[] = [];
    for (const stage of stages) {
      const answers = await measureStage(peer, stage, rounds, precisions, say);
      table.push(...rowsOf(stage, answers, chosen, rows[String(stage)]!));
    }
    return {
      ...base,
      about: [
        ...about,
        `${ready}, ${threads} threads, ${rounds} rounds in turns; the trainer's own choice here: ${nameOf[chosen]}`,
      ],
      tables: [
        {
          title: 'samples a second, median (least to most)',
          columns: ['TextBind', 'plain loop'],
          comparison: 'times as fast',
          rows: table,
        },
      ],
      skipped: ['the share of peak: there is no GPU here'],
    };
  } finally {
    peer.close();
  }
}

type ByPrecision = Readonly<Record<Precision, Answer[]>>;

async function measureStage(
  peer: LineProcess,
  stage: (typeof stages)[number],
  rounds: number,
  precisions: readonly Precision[],
  say: (line: string) => void,
): Promise<ByPrecision> {
  const answers: ByPrecision = { fp32: [], bf16: [] };
  // The first warms up and is not counted.
  for (let round = -1; round < rounds; round += 1) {
    say(`train: stage ${stage}, round ${round + 1} of ${rounds}`);
    const first = round % 2 === 0 ? 'ours' : 'plain';
    for (const precision of precisions) {
      const answer = answerSchema.parse(await peer.ask({ stage, first, precision }));
      checkLosses(stage, answer, precision);
      if (round >= 0) answers[precision].push(answer);
    }
  }
  return answers;
}

/** @throws Error where the two did not compute the same: their speeds could not be compared */
function checkLosses(stage: number, { ours, plain }: Answer, precision: Precision): void {
  for (const [step, loss] of ours.losses.entries()) {
    const other = plain.losses[step] ?? Number.NaN;
    if (!(Math.abs(loss - other) < sameLoss[precision] * Math.abs(other))) {
      throw new Error(`stage ${stage}, step ${step + 1}: the losses differ: ${loss} and ${other}`);
    }
  }
}

function rowsOf(stage: number, answers: ByPrecision, chosen: Precision, rows: number): Row[] {
  const sum = (values: readonly number[]): number => values.reduce((all, each) => all + each, 0);
  const row = (
    label: string,
    of: (side: Answer['ours']) => number,
    ours: Precision = 'fp32',
    plain: Precision = 'fp32',
  ): Row => {
    const mine = answers[ours].map((answer) => of(answer.ours));
    const theirs = answers[plain].map((answer) => of(answer.plain));
    return {
      label,
      unit: '/s',
      cells: [mine, theirs],
      comparison: fasterByRate(mine, theirs),
    };
  };
  const epochs = answers.fp32[0]?.ours.seconds.length ?? 0;
  const all = ({ seconds }: Answer['ours']): number => (rows * epochs) / sum(seconds);
  const title = `stage ${stage}, ${epochs} epochs`;
  return [
    row(`${title}, both in ${nameOf.fp32}`, all),
    row('its first epoch', ({ seconds }) => rows / seconds[0]!),
    row('its last epoch', ({ seconds }) => rows / seconds.at(-1)!),
    row(
      'all, by processor time',
      ({ processorSeconds }) => (rows * epochs) / sum(processorSeconds),
    ),
    ...(chosen === 'bf16'
      ? [
          row(`${title}, both in ${nameOf.bf16}`, all, 'bf16', 'bf16'),
          row(`${title}, as each runs by itself`, all, 'bf16', 'fp32'),
        ]
      : []),
  ];
}
