import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import type { PromptPart, PromptTurn } from '../../src/shared/contracts/worker-protocol.ts';
import { drawingSchema, samplingSchema } from '../../src/shared/domain/settings.ts';
import { root } from '../../scripts/setup/steps.mjs';
import type { BenchOptions } from '../options.ts';
import { PeerMissing } from '../peers/peer-process.ts';
import { pairedRatios } from '../statistics.ts';
import type { Section } from '../tables.ts';
import { findModel, startWorker, type WorkerProcess } from '../worker-process.ts';

const defaultRuns = 7;
/** Enough to see first words; what comes after them is the language section's matter. */
const sampling = samplingSchema.parse({ maxNewTokens: 12 });
const drawing = drawingSchema.parse({ enabled: false });

/** About 250 tokens, so that a second turn has something to go on from. */
const passage = Array.from(
  { length: 12 },
  (_, index) =>
    `On day ${index + 1} we walked from the harbour to the old lighthouse, had tea with the keeper and looked at the ships.`,
).join(' ');

const text = (words: string): PromptPart => ({ kind: 'text', text: words });
const user = (...parts: PromptPart[]): PromptTurn => ({ role: 'user', parts });

interface FirstWords {
  /** From send to the first piece of the reply; where it had none, to its end. */
  readonly seconds: number;
  readonly hadWords: boolean;
  readonly promptTokens: number;
  readonly words: string;
}

async function timeFirstWords(
  worker: WorkerProcess,
  turns: readonly PromptTurn[],
): Promise<FirstWords> {
  const begin = performance.now();
  let first: number | null = null;
  let words = '';
  const body = { turns: [...turns], sampling, drawing };
  const { usage } = await worker.request('chat.reply', body, (event) => {
    if (event.kind !== 'text' && event.kind !== 'caption-text') return;
    first ??= performance.now();
    if (event.kind === 'text') words += event.text;
  });
  return {
    seconds: ((first ?? performance.now()) - begin) / 1000,
    hadWords: first !== null,
    promptTokens: usage.promptTokens,
    words,
  };
}

/** The demo's picture with another hue each time: a file that the worker has not seen. */
async function freshPicture(folder: string, round: number): Promise<PromptPart> {
  const file = path.join(folder, `scene-${round}.png`);
  await sharp(path.join(root, 'resources', 'demo', 'scene.png'))
    .modulate({ hue: (round * 47) % 360, brightness: 1 + (round % 5) / 50 })
    .png()
    .toFile(file);
  return { kind: 'picture', path: file, caption: null };
}

interface Round {
  readonly question: FirstWords;
  readonly picture: FirstWords;
  readonly seenPicture: FirstWords;
  readonly warm: FirstWords;
  readonly cold: FirstWords;
}

async function measureRound(worker: WorkerProcess, folder: string, round: number): Promise<Round> {
  // Something else at the front of each, so that nothing but what is meant is found read already.
  const question = await timeFirstWords(worker, [
    user(text(`${round + 1} plus two apples: how many are there?`)),
  ]);
  const scene = await freshPicture(folder, round);
  const picture = await timeFirstWords(worker, [
    user(text(`Picture ${round}: `), scene, text(' What is in this picture?')),
  ]);
  const seenPicture = await timeFirstWords(worker, [
    user(text(`Again ${round}: `), scene, text(' What is in this picture?')),
  ]);
  const opening = user(text(`Diary ${round}. ${passage} What did we see?`));
  const reply = await timeFirstWords(worker, [opening]);
  const turns = [
    opening,
    { role: 'assistant' as const, parts: [text(reply.words === '' ? 'Ships.' : reply.words)] },
    user(text('And whom did we meet?')),
  ];
  const warm = await timeFirstWords(worker, turns);
  // Another conversation takes the one sequence that is kept; then the same turns are all new.
  await timeFirstWords(worker, [user(text(`Nothing in common ${round}.`))]);
  const cold = await timeFirstWords(worker, turns);
  return { question, picture, seenPicture, warm, cold };
}

/** Seconds from send to the first words of the reply, through the worker's own process and protocol. */
export async function measureReply(
  options: BenchOptions,
  say: (line: string) => void,
): Promise<Section> {
  const base = { name: 'reply', title: 'Reply: from send to the first words' };
  const rounds = options.runs ?? defaultRuns;
  const folder = mkdtempSync(path.join(tmpdir(), 'textbind-bench-'));
  let worker: WorkerProcess | undefined;
  try {
    const model = findModel(options.model);
    say(`reply: opening ${path.basename(model)}`);
    worker = await startWorker(model);
    await measureRound(worker, folder, 1000);
    say(`reply: ${rounds} rounds`);
    const series: Round[] = [];
    for (let round = 0; round < rounds; round += 1) {
      series.push(await measureRound(worker, folder, round));
    }
    return { ...base, ...describe(worker, series) };
  } catch (error) {
    if (!(error instanceof PeerMissing)) throw error;
    return { ...base, about: [], tables: [], skipped: [error.message] };
  } finally {
    await worker?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function describe(
  worker: WorkerProcess,
  series: readonly Round[],
): Pick<Section, 'about' | 'tables' | 'skipped'> {
  const of = (name: keyof Round) => series.map((round) => round[name].seconds);
  const tokens = (name: keyof Round) => `${series[0]?.[name].promptTokens} tokens of prompt`;
  const row = (label: string, name: keyof Round) => ({
    label: `${label} (${tokens(name)})`,
    unit: 's',
    cells: [of(name)],
  });
  const all = series.flatMap((round) => Object.values(round) as FirstWords[]);
  const silent = all.filter(({ hadWords }) => !hadWords).length;
  const { name, seconds, providers } = worker.report;
  return {
    about: [
      `${name} on ${providers.provider}, opened in ${seconds.toFixed(1)} s; greedy; ${series.length} rounds`,
      ...(silent === 0
        ? []
        : [
            `${silent} of ${all.length} replies had no words: the time to their end stands for them`,
          ]),
    ],
    tables: [
      {
        title: 'median (least to most)',
        columns: ['TextBind'],
        rows: [
          row('a short question', 'question'),
          row('a question with a new picture', 'picture'),
          row('the same picture in another conversation', 'seenPicture'),
        ],
      },
      {
        title: 'a second turn',
        columns: ['goes on from the first', 'all read anew'],
        comparison: 'times as fast',
        rows: [
          {
            label: `the same turns (${tokens('warm')})`,
            unit: 's',
            cells: [of('warm'), of('cold')],
            comparison: pairedRatios(of('cold'), of('warm')),
          },
        ],
      },
    ],
    skipped: [],
  };
}
