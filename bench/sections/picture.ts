import { existsSync } from 'node:fs';
import path from 'node:path';
import { drawingSchema } from '../../src/shared/domain/settings.ts';
import { readModelFolder } from '../../src/library/model-folder.ts';
import { venvPython } from '../../scripts/setup/python.mjs';
import { defaultThreads, type BenchOptions } from '../options.ts';
import { LineProcess } from '../peers/line-process.ts';
import { PeerMissing } from '../peers/peer-process.ts';
import { interleave, median } from '../statistics.ts';
import { fasterByTime, type Section } from '../tables.ts';
import { findModel, startWorker, type WorkerProcess } from '../worker-process.ts';
import { reasonOf } from '../../src/shared/errors.ts';

const defaultRuns = 5;
const caption = 'A red apple on a wooden table.';

interface Drawn {
  /** The whole picture; null for the peer, which only takes the steps. */
  readonly seconds: number | null;
  /** Median of its steps. */
  readonly stepSeconds: number;
  readonly width: number;
}

/** Draws as the app does: text encoders, steps with guidance and previews, VAE, PNG. */
async function draw(worker: WorkerProcess, steps: number, seed: number): Promise<Drawn> {
  const times: number[] = [];
  const drawing = drawingSchema.parse({ steps, seed });
  const begin = performance.now();
  const picture = await worker.request('draw', { caption, drawing }, () => {
    times.push(performance.now());
  });
  const seconds = (performance.now() - begin) / 1000;
  // The median leaves out the few steps that also make a preview.
  const between = times.slice(1).map((time, index) => (time - times[index]!) / 1000);
  return { seconds, stepSeconds: median(between), width: picture.width };
}

async function openPeer(folder: string): Promise<{ peer: LineProcess; engine: string }> {
  if (!existsSync(venvPython)) throw new PeerMissing('.venv is not there');
  const program = path.join(import.meta.dirname, '..', 'peers', 'unet_peer.py');
  const peer = new LineProcess('PyTorch', venvPython, [program, folder, `${defaultThreads()}`]);
  try {
    const { ready } = (await peer.next()) as { readonly ready: string };
    return { peer, engine: ready };
  } catch (error) {
    peer.close();
    throw error;
  }
}

/** Seconds a picture through the worker, and a step of it against the same UNet in PyTorch. */
export async function measurePicture(
  options: BenchOptions,
  say: (line: string) => void,
): Promise<Section> {
  const base = { name: 'picture', title: 'Drawing a picture' };
  let worker: WorkerProcess | undefined;
  let opened: Awaited<ReturnType<typeof openPeer>> | undefined;
  const skipped: string[] = [];
  try {
    const folder = findModel(options.model);
    const decoder = readModelFolder(folder).imageDecoder;
    if (decoder === null) throw new PeerMissing(`${path.basename(folder)} cannot draw`);
    say(`picture: opening ${path.basename(folder)}`);
    worker = await startWorker(folder);
    try {
      opened = await openPeer(decoder.base);
    } catch (error) {
      skipped.push(`PyTorch: ${reasonOf(error)}`);
    }
    return { ...base, ...(await measure(options, worker, opened, say)), skipped };
  } catch (error) {
    if (!(error instanceof PeerMissing)) throw error;
    return { ...base, about: [], tables: [], skipped: [error.message] };
  } finally {
    opened?.peer.close();
    await worker?.close();
  }
}

async function measure(
  { runs, steps }: BenchOptions,
  worker: WorkerProcess,
  opened: Awaited<ReturnType<typeof openPeer>> | undefined,
  say: (line: string) => void,
): Promise<Pick<Section, 'about' | 'tables'>> {
  const rounds = runs ?? defaultRuns;
  const { width } = await draw(worker, 2, 0);
  const peers: ((round: number) => Promise<Drawn>)[] = [(round) => draw(worker, steps, round)];
  if (opened !== undefined) {
    const passes = async (count: number): Promise<Drawn> => {
      const { seconds } = (await opened.peer.ask({ steps: count, width })) as {
        readonly seconds: readonly number[];
      };
      return { seconds: null, stepSeconds: median(seconds), width };
    };
    await passes(2);
    peers.push(() => passes(steps));
  }
  say(`picture: ${rounds} rounds of ${steps} steps`);
  const [ours = [], theirs = null] = await interleave(rounds, peers);
  const stepMs = (series: readonly Drawn[]) => series.map(({ stepSeconds }) => stepSeconds * 1000);
  const ourSteps = stepMs(ours);
  const theirSteps = theirs === null ? null : stepMs(theirs);
  return {
    about: [
      `${worker.report.name}: ${width} x ${width}, ${steps} steps, guidance 5 (both directions in a batch of two), ${rounds} rounds in turns`,
      'our step is from one report of progress to the next, so it holds guidance, scheduler and messages too; the peer does the UNet alone',
      ...(opened === undefined
        ? []
        : [`peer: ${opened.engine}, single precision, ${defaultThreads()} threads`]),
    ],
    tables: [
      {
        title: 'median (least to most)',
        columns: ['TextBind', 'PyTorch'],
        comparison: 'times as fast',
        rows: [
          {
            label: 'a picture, from caption to PNG',
            unit: 's',
            cells: [ours.map(({ seconds }) => seconds ?? Number.NaN), null],
          },
          {
            label: 'a step of it',
            unit: 'ms',
            cells: [ourSteps, theirSteps],
            comparison: fasterByTime(ourSteps, theirSteps),
          },
        ],
      },
    ],
  };
}
