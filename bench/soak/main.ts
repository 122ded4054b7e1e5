// `npm run bench -- soak`: a scripted person uses the packaged app for a long time; what it takes is written down as it goes.
//   --minutes 30   how long     --turns N   ends after so many turns     --seed 1
//   --out DIR      soak.csv and soak.svg (default .cache/bench/soak)     --app FILE   a packed program
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Refused, sleep, startApp, type RunningApp } from '../app/app.ts';
import type { Kept } from '../app/inspector.ts';
import { createPerson, missing } from '../app/person.ts';
import { makePlace } from '../app/place.ts';
import { seeded } from '../app/random.ts';
import { describeMachine, formatMachine } from '../machine.ts';
import { chart } from './chart.ts';
import type { Sample } from './sample.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    turns: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: '.cache/bench/soak' },
    app: { type: 'string' },
  },
});

const watchFrames = `(() => {
  const frames = (window.__frames = []);
  let last = performance.now();
  const next = (now) => { frames.push(now - last); last = now; requestAnimationFrame(next); };
  requestAnimationFrame(next);
})()`;

async function look(
  app: RunningApp,
  begin: number,
  turns: number,
  database: string,
): Promise<Sample> {
  const frames = ((await app.evaluate('window.__frames.splice(0)')) as number[]).sort(
    (a, b) => a - b,
  );
  const all = app.processes();
  const sum = (kinds: readonly string[]): number =>
    all.filter(({ kind }) => kinds.includes(kind)).reduce((bytes, each) => bytes + each.bytes, 0);
  const sizeOf = (file: string): number => (existsSync(file) ? statSync(file).size : 0);
  const round = (ms: number | undefined): number => Math.round((ms ?? 0) * 10) / 10;
  return {
    seconds: Math.round((performance.now() - begin) / 1000),
    turns,
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    main: sum(['main']),
    page: sum(['page']),
    engine: sum(['engine']),
    helpers: sum(['helper']),
    others: sum(['gpu-process', 'network', 'zygote', 'other']),
    openFiles: all.reduce((count, each) => count + each.openFiles, 0),
    database: sizeOf(database) + sizeOf(`${database}-wal`),
    frame99: round(frames[Math.floor(frames.length * 0.99)]),
    frameMost: round(frames.at(-1)),
  };
}

/** What the page keeps when everything that was said is deleted and collected: the same each time, if nothing leaks. */
interface Bare extends Kept {
  readonly seconds: number;
  readonly acts: number;
}
/** Acts from one of those looks to the next. */
const actsToBare = 50;

const memoryColumns = ['main', 'page', 'engine', 'helpers'] as const;
type MemoryColumn = (typeof memoryColumns)[number];

/** Mebibytes an hour by which a column grows after the first third, by least squares. */
function growth(samples: readonly Sample[], column: MemoryColumn): number {
  const later = samples.slice(Math.floor(samples.length / 3));
  const mean = (of: (sample: Sample) => number): number =>
    later.reduce((sum, sample) => sum + of(sample), 0) / later.length;
  const middle = mean(({ seconds }) => seconds);
  const level = mean((sample) => sample[column]);
  let above = 0;
  let below = 0;
  for (const sample of later) {
    above += (sample.seconds - middle) * (sample[column] - level);
    below += (sample.seconds - middle) ** 2;
  }
  return below === 0 ? 0 : (above / below) * (3600 / 2 ** 20);
}

async function main(): Promise<number> {
  const place = await makePlace(values.app);
  const random = seeded(Number(values.seed));
  const limitMs = Number(values.minutes) * 60_000;
  const mostTurns = Number(values.turns);
  process.stdout.write(`${formatMachine(describeMachine())}\n`);
  try {
    const app = await startApp(place);
    await app.request('settings.set', {
      drawing: { steps: 8, guidance: null, negative: '', seed: null, enabled: true },
      sampling: { temperature: 0, topK: 0, topP: 1, maxNewTokens: 60, seed: null },
    });
    await app.evaluate(watchFrames);
    const person = createPerson(() => app, random);
    const database = path.join(place.userData, 'data/textbind.db');
    const begin = performance.now();
    const samples: Sample[] = [];
    const done = new Map<string, number>();
    const faults: string[] = [];
    const refused: string[] = [];
    const bares: Bare[] = [];
    let turns = 0;
    let acts = 0;
    let nextLook = 0;
    const end = async (): Promise<void> => {
      samples.push(await look(app, begin, turns, database));
      write(samples);
    };
    while (performance.now() - begin < limitMs && turns < mostTurns) {
      const action = person.choose();
      try {
        turns += await person.act(action);
        done.set(action, (done.get(action) ?? 0) + 1);
      } catch (error) {
        // A sentence is an answer: on a machine that is too busy a picture may take too long to decode.
        if (!(error instanceof Refused)) throw error;
        refused.push(error.message);
      }
      acts += 1;
      if (acts % actsToBare === 0) {
        faults.push(...(await missing(app, person.confirmed)));
        await person.tidy();
        const seconds = Math.round((performance.now() - begin) / 1000);
        bares.push({ seconds, acts, ...(await app.kept()) });
        // The collection is no frame that a person waited for.
        await app.evaluate('window.__frames.splice(0)');
      }
      if (performance.now() - begin < nextLook) continue;
      nextLook += 5000;
      await end();
    }
    await sleep(500);
    await end();
    faults.push(...(await missing(app, person.confirmed)));
    await app.quit();
    report(samples, done, refused, faults);
    reportBares(bares);
    return faults.length === 0 ? 0 : 1;
  } finally {
    place.leave();
  }
}

function write(samples: readonly Sample[]): void {
  mkdirSync(values.out, { recursive: true });
  const names = Object.keys(samples[0] ?? {});
  const lines = samples.map((sample) => Object.values(sample).join(','));
  writeFileSync(path.join(values.out, 'soak.csv'), [names.join(','), ...lines, ''].join('\n'));
  writeFileSync(path.join(values.out, 'soak.svg'), chart(samples));
}

function report(
  samples: readonly Sample[],
  done: ReadonlyMap<string, number>,
  refused: readonly string[],
  faults: readonly string[],
): void {
  const last = samples.at(-1);
  const counts = [...done].map(([name, count]) => `${name} ${count}`).join(', ');
  const grown = memoryColumns.map((column) => `${column} ${growth(samples, column).toFixed(1)}`);
  process.stdout.write(
    [
      `${last?.turns} turns in ${last?.seconds} s: ${counts}`,
      `growth after the first third, MiB an hour: ${grown.join(', ')}`,
      ...refused.map((sentence) => `refused: ${sentence}`),
      faults.length === 0 ? 'nothing confirmed is missing' : faults.join('\n'),
      `written: ${values.out}/soak.csv, soak.svg`,
      '',
    ].join('\n'),
  );
}

/** The first is not yet warm. */
function reportBares(bares: readonly Bare[]): void {
  const lines = bares.map(
    ({ seconds, acts, heap, nodes, listeners }) =>
      `${seconds},${acts},${(heap / 2 ** 20).toFixed(2)},${nodes},${listeners}`,
  );
  const text = ['seconds,acts,heap MiB,nodes,listeners', ...lines, ''].join('\n');
  writeFileSync(path.join(values.out, 'bare.csv'), text);
  process.stdout.write(`what the page keeps when all is deleted:\n${text}`);
}

if (import.meta.main) process.exit(await main());
