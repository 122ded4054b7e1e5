import { busyShare, expectedOf, type FitBook } from '../../library/fit/fit-book.ts';
import type { FitRecord } from '../../shared/domain/fit.ts';
import { drawingSchema } from '../../shared/domain/settings.ts';
import { gigabytes } from '../../shared/words.ts';
import { answer } from '../../worker/calibrate.ts';
import { estimates, measureModel, openFitBook } from '../fit.ts';
import { findModelFolder, openModelOption } from '../model-option.ts';
import { command } from '../options.ts';
import type { Output } from '../usage.ts';

/** What was expected of one thing, and what happened. */
interface Compared {
  readonly what: string;
  readonly expected: number;
  readonly happened: number;
  /** As a share of what happened. */
  readonly error: number;
}

const questions = [
  'Tell me about a garden in spring, and who lives in it.',
  'What would you do on a long journey by train through the mountains?',
  'Describe a market in the morning, with everything that is sold there.',
];

export const fitCommand = command({
  usage: 'textbind fit [--model NAME|DIR] [--check] [--json]',
  texts: ['model'],
  flags: ['check'],
  async run({ values, output }) {
    const folder = await findModelFolder(values.model);
    const book = openFitBook();
    output.progress('looking');
    const known = (await estimates(book)).find((each) => each.folder === folder);
    if (known?.fits === false) {
      output.progress('');
      return output.result(known, () =>
        output.line(`Will not fit into this machine's memory. ${known.wouldFit ?? ''}`),
      );
    }
    output.progress('measuring');
    const record = await measureModel(book, folder);
    const checked = values.check ? await check(book, record, output) : [];
    output.progress('');
    output.result({ ...record, checked }, () => {
      const { measured, provider } = record;
      output.line(
        `${measured.tokensPerSecond.toFixed(1)} tokens/s, prompts ${measured.promptTokensPerSecond.toFixed(0)} tokens/s, on ${provider}`,
      );
      const { steps } = drawingSchema.parse({});
      const seconds = expectedOf(record, 'picture', steps);
      if (seconds !== null) output.line(`${seconds.toFixed(1)} s a picture of ${steps} steps`);
      output.line(
        `most memory: words ${gigabytes(measured.talkingBytes)}${measured.drawingBytes === null ? '' : `, pictures ${gigabytes(measured.drawingBytes)}`}`,
      );
      if (measured.othersShare > busyShare) {
        const share = `${(100 * measured.othersShare).toFixed(0)} %`;
        output.line(
          `Other programs took ${share} of the processors meanwhile: measure again when they are done.`,
        );
      }
      for (const { what, expected, happened, error } of checked) {
        const share = `${(100 * error).toFixed(0)} %`;
        output.line(
          `${what}: expected ${expected.toFixed(1)}, was ${happened.toFixed(1)} (${share})`,
        );
      }
    });
  },
});

/** Uses the model as a person does, and compares; what happened corrects what is expected next. */
async function check(book: FitBook, record: FitRecord, output: Output): Promise<Compared[]> {
  const { folder, provider } = record;
  const model = await openModelOption(folder, output);
  const never = new AbortController().signal;
  const ignore = (): void => undefined;
  const compared: Compared[] = [];
  const compare = (kind: 'words' | 'picture', what: string, happened: number, steps: number) => {
    const known = book.find(folder, provider, record.bytesOnDisk) ?? record;
    const expected = expectedOf(known, kind, steps);
    if (expected === null) return;
    compared.push({ what, expected, happened, error: Math.abs(expected / happened - 1) });
    book.observe(folder, provider, { at: Date.now(), kind, happened, steps });
  };
  for (const [index, text] of questions.entries()) {
    const usage = await answer(model, text, { temperature: 0.8, maxNewTokens: 160, seed: index });
    const speed = (usage.replyTokens - 1) / usage.decodeSeconds;
    compare('words', `reply ${index + 1}, tokens/s (${usage.replyTokens})`, speed, 1);
  }
  const draw = (steps: number) => {
    const drawing = drawingSchema.parse({ steps, seed: steps });
    return model.draw({ caption: 'a blue bird on a branch', drawing }, ignore, never);
  };
  // The first of a process also pays for what is used for the first time.
  if (model.report.canDraw) await draw(1);
  for (const steps of model.report.canDraw ? [20, 40] : []) {
    const drawn = await draw(steps);
    compare('picture', `picture of ${steps} steps, s`, drawn.seconds, steps);
  }
  await model.release();
  return compared;
}
