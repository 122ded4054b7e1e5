/** A short calibration of one model: it is opened, speaks and draws, in a process that does nothing else. */
import { cpus } from 'node:os';
import type { WorkerReplyBody, WorkerRequestBody } from '../shared/contracts/worker-protocol.ts';
import type { FitMeasure } from '../shared/domain/fit.ts';
import { drawingSchema, samplingSchema, type Sampling } from '../shared/domain/settings.ts';
import type { Usage } from '../shared/domain/turn.ts';
import { TextBindModel } from './pipelines/textbind-model.ts';

/** Tokens that are written at least, so that one late run of the system does not decide. */
const leastTokens = 96;
const mostReplies = 8;
/** Drawing is measured over about so many seconds, within these limits of steps. */
const drawing = { seconds: 3, leastSteps: 3, mostSteps: 30 } as const;
/** A picture of as many steps or more has all its previews, so their time is the same for any. */
const withAllPreviews = 5;

const never = new AbortController().signal;
const nothing = (): void => undefined;

/** @throws StudioError where the model cannot be opened, or not be used */
export async function calibrate({
  folder,
  provider,
}: WorkerRequestBody<'calibrate'>): Promise<WorkerReplyBody<'calibrate'>> {
  const model = await TextBindModel.open(folder, { provider });
  const others = watchOthers();
  try {
    const words = await speak(model);
    const talkingBytes = peakBytes();
    const drawn = model.report.canDraw ? await draw(model) : null;
    return {
      provider: model.report.providers.provider,
      measured: {
        openSeconds: model.report.seconds,
        ...words,
        drawing: drawn,
        othersShare: others(),
        talkingBytes,
        drawingBytes: drawn === null ? null : peakBytes(),
      },
    };
  } finally {
    await model.release();
  }
}

/** Gives the share of the processors' time that other programs took since. */
function watchOthers(): () => number {
  const before = { all: processorTimes(), own: process.cpuUsage() };
  return () => {
    const all = processorTimes();
    const own = process.cpuUsage(before.own);
    // Milliseconds there, microseconds here.
    const others = all.busy - before.all.busy - (own.user + own.system) / 1000;
    const share = others / Math.max(all.total - before.all.total, 1);
    return Math.min(Math.max(share, 0), 1);
  };
}

/** Milliseconds of all processors since the machine began. */
function processorTimes(): { readonly busy: number; readonly total: number } {
  const times = cpus().map((each) => each.times);
  const total = sum(times, ({ user, nice, sys, idle, irq }) => user + nice + sys + idle + irq);
  return { total, busy: total - sum(times, ({ idle }) => idle) };
}

/** Of the whole process, since it began. */
function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

async function speak(
  model: TextBindModel,
): Promise<Pick<FitMeasure, 'tokensPerSecond' | 'promptTokensPerSecond'>> {
  // The first reply also pays for pages and kernels that are used for the first time.
  await reply(model, 0);
  const usages: Usage[] = [];
  const tokens = (): number => sum(usages, ({ replyTokens }) => replyTokens);
  while (tokens() < leastTokens && usages.length < mostReplies) {
    usages.push(await reply(model, usages.length + 1));
  }
  // The first token of each is counted with its prompt.
  const written = sum(usages, ({ replyTokens }) => Math.max(replyTokens - 1, 0));
  return {
    tokensPerSecond: Math.max(written, 1) / sum(usages, ({ decodeSeconds }) => decodeSeconds),
    promptTokensPerSecond:
      sum(usages, ({ promptTokens }) => promptTokens) /
      sum(usages, ({ prefillSeconds }) => prefillSeconds),
  };
}

function reply(model: TextBindModel, round: number): Promise<Usage> {
  // Another beginning each time, since what is in the cache is not read again.
  const text = `${round + 1}. Tell me a long story about the sea, the wind and an old ship.`;
  return answer(model, text, { temperature: 0.9, maxNewTokens: 64, seed: round });
}

/** Asks for words alone, and gives what they took. */
export async function answer(
  model: TextBindModel,
  text: string,
  sampling: Partial<Sampling>,
): Promise<Usage> {
  const { usage } = await model.reply(
    {
      turns: [{ role: 'user', parts: [{ kind: 'text', text }] }],
      sampling: samplingSchema.parse(sampling),
      drawing: drawingSchema.parse({}),
      wish: 'words',
    },
    nothing,
    never,
  );
  return usage;
}

async function draw(model: TextBindModel): Promise<NonNullable<FitMeasure['drawing']>> {
  await drawSteps(model, 1);
  const one = await drawSteps(model, 1);
  if (one * withAllPreviews < drawing.seconds) return drawQuickly(model, one);
  const few = await drawSteps(model, drawing.leastSteps);
  const roughly = Math.max((few - one) / (drawing.leastSteps - 1), 1e-3);
  const wished = Math.round(drawing.seconds / roughly);
  const steps = Math.min(Math.max(wished, drawing.leastSteps), drawing.mostSteps);
  const many = steps === drawing.leastSteps ? few : await drawSteps(model, steps);
  const secondsPerStep = Math.max((many - one) / (steps - 1), 0);
  return { secondsPerStep, secondsBeside: Math.max(one - secondsPerStep, 0) };
}

/** Where steps are quick, previews are a part of the time that counts. */
async function drawQuickly(
  model: TextBindModel,
  one: number,
): Promise<NonNullable<FitMeasure['drawing']>> {
  const steps = Math.min(
    Math.max(Math.round(drawing.seconds / one), 4 * withAllPreviews),
    drawing.mostSteps,
  );
  const least = await drawSteps(model, withAllPreviews);
  const most = await drawSteps(model, steps);
  // Once more, the other way round: what another program takes meanwhile is spread over both.
  const means = [
    (least + (await drawSteps(model, withAllPreviews))) / 2,
    (most + (await drawSteps(model, steps))) / 2,
  ] as const;
  const secondsPerStep = Math.max((means[1] - means[0]) / (steps - withAllPreviews), 0);
  const secondsBeside = Math.max(means[1] - steps * secondsPerStep, 0);
  return { secondsPerStep, secondsBeside };
}

async function drawSteps(model: TextBindModel, steps: number): Promise<number> {
  const settings = drawingSchema.parse({ steps, seed: 1 });
  const request = { caption: 'a red apple on a table', drawing: settings };
  return (await model.draw(request, nothing, never)).seconds;
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
