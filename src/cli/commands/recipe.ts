import path from 'node:path';
import { mkdir } from 'node:fs/promises';
import { writeDataFile } from '../../main/recipe/data-file.ts';
import { checkEyes } from '../../main/recipe/eyes.ts';
import type { Recipe } from '../../main/recipe/recipe.ts';
import { limitsOf, type Limits } from '../../shared/domain/limits.ts';
import { diversityOf } from '../../shared/domain/recipe-conversation.ts';
import {
  recipePlanSchema,
  recipeSettingsSchema,
  recipeWriterSchema,
  type RecipePlan,
  type RecipeSettings,
  type RecipeWriter,
} from '../../shared/domain/recipe.ts';
import { StudioError } from '../../shared/errors.ts';
import { findModelFolder } from '../model-option.ts';
import { command, type OptionValues } from '../options.ts';
import { makeRecipe, openRecipe, openWriter } from '../recipe-folder.ts';
import { numberOption, required, UsageError, type Output } from '../usage.ts';

const texts = [
  ...['data', 'images', 'eyes', 'name', 'count', 'pictures', 'clusters', 'leave-out', 'seed'],
  ...['tries', 'at-once', 'max-tokens', 'server', 'server-model', 'model', 'key-file', 'most'],
  ...['accept', 'reject', 'prompts', 'out'],
] as const;
type Values = OptionValues<(typeof texts)[number], never>;

interface Call {
  readonly values: Values;
  readonly output: Output;
  readonly place: string;
}

const actions: Readonly<Record<string, (call: Call) => Promise<void>>> = {
  make,
  show: (call) => Promise.resolve(show(opened(call), call.output)),
  estimate,
  write,
  judge,
  export: exportData,
};

export const recipeCommand = command({
  usage:
    'textbind recipe make|show|estimate|write|judge|export DIR [--data PATH] [--images DIR] [--eyes NAME|DIR] [--count N] [--pictures 2-4] [--clusters N] [--leave-out 0.1] [--seed N] [--tries N] [--server ADDRESS --server-model NAME] [--key-file FILE] [--at-once N] [--max-tokens N] [--most N] [--model NAME|DIR] [--accept all|N,N] [--reject N,N] [--prompts DIR] [--out DIR] [--json]: conversations from pictures with captions',
  texts,
  positionals: true,
  async run({ values, positionals, output }) {
    const [action, place, ...more] = positionals;
    const act = actions[action ?? ''];
    if (act === undefined || place === undefined || more.length > 0) {
      throw new UsageError(`expected one of ${Object.keys(actions).join(', ')} and one DIR`);
    }
    await act({ values, output, place });
  },
});

function opened({ values, output, place }: Call): Recipe {
  return openRecipe(place, { prompts: values.prompts, writer: null, output });
}

/** Looks at the pictures of some data and puts them into clusters; begun again, it goes on. */
async function make(call: Call): Promise<void> {
  const { values, place } = call;
  if (values.data !== undefined) makeRecipe(place, await planOf(values));
  const recipe = opened(call);
  await recipe.look();
  finish(recipe, call.output);
}

const limits = (name: keyof RecipeSettings): Limits => limitsOf(recipeSettingsSchema.shape[name]);

async function planOf(values: Values): Promise<RecipePlan> {
  const data = path.resolve(required(values.data, 'data'));
  const [least, most] = range(values.pictures ?? '2-4');
  const whole = (name: 'count' | 'clusters' | 'seed' | 'tries'): number | undefined =>
    numberOption(values[name], name, limits(name));
  const leaveOut = numberOption(values['leave-out'], 'leave-out', limits('leaveOut'));
  const eyes = await findModelFolder(values.eyes);
  checkEyes(eyes);
  return recipePlanSchema.parse({
    name: values.name ?? path.parse(data).name,
    data: {
      name: path.basename(data),
      path: data,
      images: values.images === undefined ? null : path.resolve(values.images),
    },
    eyes,
    settings: {
      ...{ count: whole('count'), clusters: whole('clusters') ?? null },
      ...{ seed: whole('seed'), tries: whole('tries'), least, most, leaveOut },
    },
    writer: { kind: 'app' },
    price: null,
  });
}

function range(text: string): readonly [number, number] {
  const match = /^([1-8])(?:-([1-8]))?$/.exec(text);
  if (match === null) throw new UsageError(`--pictures ${text}: expected 3, or 2-4`);
  return [Number(match[1]), Number(match[2] ?? match[1])];
}

/** Where captions go is what the command line says: `--server`, or a model of this machine. */
function writerOf(values: Values): RecipeWriter {
  if (values.server === undefined) return { kind: 'app' };
  const model = required(values['server-model'], 'server-model');
  const parsed = recipeWriterSchema.safeParse({ kind: 'server', address: values.server, model });
  if (parsed.success) return parsed.data;
  throw new UsageError(`--server ${values.server}: expected an address such as https://host/v1`);
}

function withWriter(recipe: Recipe, values: Values): RecipeWriter {
  const writer = writerOf(values);
  const { settings } = recipe.plan;
  const count = numberOption(values.count, 'count', limits('count'));
  const atOnce = numberOption(values['at-once'], 'at-once', limits('atOnce'));
  const maxTokens = numberOption(values['max-tokens'], 'max-tokens', limits('maxTokens'));
  recipe.change({
    writer,
    settings: {
      ...settings,
      count: count ?? settings.count,
      atOnce: writer.kind === 'app' ? 1 : (atOnce ?? settings.atOnce),
      maxTokens: maxTokens ?? settings.maxTokens,
    },
  });
  return writer;
}

function estimate(call: Call): Promise<void> {
  const recipe = opened(call);
  withWriter(recipe, call.values);
  const found = recipe.estimate();
  call.output.result(found, () => {
    const { requests, promptTokens, replyTokens, address } = found;
    call.output.line(
      `about ${requests} requests, ${promptTokens} tokens to read and ${replyTokens} to write; captions go to ${address ?? 'no other machine'}`,
    );
  });
  return Promise.resolve();
}

async function write({ values, output, place }: Call): Promise<void> {
  const most = numberOption(values.most, 'most', limits('count')) ?? null;
  const ending = new AbortController();
  const { writer, close } = await openWriter(
    writerOf(values),
    { model: values.model, keyFile: values['key-file'] },
    ending.signal,
  );
  const recipe = openRecipe(place, { prompts: values.prompts, writer, output });
  const pause = (): void => recipe.pause();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, pause);
  try {
    const chosen = withWriter(recipe, values);
    await recipe.write(chosen.kind === 'server' ? chosen.address : null, most);
    finish(recipe, output);
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, pause);
    await close();
  }
}

function judge(call: Call): Promise<void> {
  const { values, output } = call;
  const recipe = opened(call);
  const waiting = recipe.items('to-review', 0, Infinity).map(({ number }) => number);
  for (const number of numbersOf(values.reject, waiting)) recipe.judge(number, 'rejected');
  for (const number of numbersOf(values.accept, waiting)) recipe.judge(number, 'accepted');
  show(recipe, output);
  return Promise.resolve();
}

function numbersOf(text: string | undefined, all: readonly number[]): readonly number[] {
  if (text === undefined) return [];
  if (text === 'all') return all;
  const numbers = text.split(',').map(Number);
  if (numbers.every((number) => Number.isInteger(number) && number >= 0)) return numbers;
  throw new UsageError(`${text}: expected all, or numbers with commas between them`);
}

async function exportData(call: Call): Promise<void> {
  const { values, output } = call;
  const recipe = opened(call);
  const out = path.resolve(required(values.out, 'out'));
  await mkdir(out, { recursive: true });
  const accepted = recipe.accepted();
  const file = await writeDataFile(out, accepted, (number) => recipe.folder.pictureFile(number));
  const diversity = diversityOf(accepted.map(({ text }) => text));
  const words = (value: number | null): string => (value ?? 0).toFixed(2);
  output.result({ path: file, rows: accepted.length, diversity }, () =>
    output.line(
      `${file}: ${accepted.length} conversations; diversity (of 3): human ${words(diversity.user)}, assistant ${words(diversity.assistant)}`,
    ),
  );
}

/** What stopped it is an error of the command, after what there is. */
function finish(recipe: Recipe, output: Output): void {
  const { trouble } = recipe.view();
  if (trouble !== null) {
    throw new StudioError('internal', `${trouble.message} ${trouble.remedy}`.trim());
  }
  show(recipe, output);
}

function show(recipe: Recipe, output: Output): void {
  const view = recipe.view();
  output.result(view, () => {
    const { counts, pictures, clusters, plan } = view;
    const seen =
      pictures === null || clusters === null
        ? 'its pictures are to be looked at'
        : `${pictures.count} pictures in ${clusters.length} clusters`;
    const { toReview, accepted, rejected, filtered, failed, toWrite } = counts;
    output.line(
      `${plan.name}: ${seen}; ${toWrite} to write, ${toReview} to review, ${accepted} accepted, ${rejected} rejected, ${filtered + failed} left out`,
    );
  });
}
