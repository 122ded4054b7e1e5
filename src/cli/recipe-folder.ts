import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readTextFile } from '../base/json-file.ts';
import { systemClock, type Clock } from '../base/clock.ts';
import { silentLogger } from '../base/log.ts';
import { createChatServerWriter } from '../main/recipe/chat-server.ts';
import { promptsFolder } from '../main/recipe/create.ts';
import { createEngineWriter } from '../main/recipe/engine-writer.ts';
import { Prompts } from '../main/recipe/prompts.ts';
import { Recipe, type RecipeParts } from '../main/recipe/recipe.ts';
import { RecipeFolder } from '../main/recipe/recipe-folder.ts';
import { createRecipeFolder } from '../main/recipe/recipes.ts';
import type { RecipePlan, RecipeWriter } from '../shared/domain/recipe.ts';
import { dataFolder } from './commands/runs.ts';
import { openLocalEngine, type LocalEngine } from './local-engine.ts';
import { findModelFolder } from './model-option.ts';
import { trainerRuntime } from './trainer-process.ts';
import { UsageError, type Output } from './usage.ts';

const keyVariable = 'TEXTBIND_WRITER_KEY';

/** A wait that a server asked for is all that a command does meanwhile: its timers keep the process alive. */
const waitingClock: Clock = {
  ...systemClock,
  after(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Prompts of a folder of the person's, or those of the app's data. */
export function openPrompts(own: string | undefined): Prompts {
  const defaults = path.join(import.meta.dirname, '..', '..', 'resources', 'recipe');
  const usual = promptsFolder(path.join(dataFolder(undefined), 'training'));
  return new Prompts({ defaults, own: own === undefined ? usual : path.resolve(own) });
}

/** What a recipe is opened with beside its folder. */
export interface RecipeMeans {
  readonly prompts: string | undefined;
  /** Who writes; null where nobody is to. */
  readonly writer: RecipeParts['writer'] | null;
  readonly output: Output;
}

/** The recipe of a folder. @throws UsageError where there is none */
export function openRecipe(place: string, { prompts, writer, output }: RecipeMeans): Recipe {
  const folder = new RecipeFolder(path.resolve(place));
  if (!folder.has()) throw new UsageError(`${place}: holds no recipe; see textbind recipe make`);
  return new Recipe(folder, {
    clock: waitingClock,
    prompts: openPrompts(prompts),
    runtime: trainerRuntime,
    writer: writer ?? nobody,
    onChange({ state, progress, waitsUntil }) {
      const far = progress === null ? '' : ` ${progress.done} of ${progress.total}`;
      const waits = waitsUntil === null ? '' : ', the server asks to wait';
      output.progress(state === 'resting' ? '' : `${state}${far}${waits}`);
    },
  });
}

function nobody(): never {
  throw new UsageError('nobody is to write');
}

/** Writes down a new recipe. @throws UsageError where one is there */
export function makeRecipe(place: string, plan: RecipePlan): void {
  const folder = path.resolve(place);
  if (new RecipeFolder(folder).has()) throw new UsageError(`${place}: holds a recipe already`);
  createRecipeFolder(folder, randomUUID(), plan, systemClock.now());
}

/** Who writes, opened: a server, or a model in a process of its own. */
export async function openWriter(
  chosen: RecipeWriter,
  options: { readonly model: string | undefined; readonly keyFile: string | undefined },
  signal: AbortSignal,
): Promise<{ readonly writer: RecipeParts['writer']; close(): Promise<void> }> {
  if (chosen.kind === 'server') {
    const { address, model } = chosen;
    const key = readKey(options.keyFile);
    const server = createChatServerWriter({ address, model, key: () => key, proxy: () => null });
    return { writer: () => server, close: async () => undefined };
  }
  const folder = await findModelFolder(options.model);
  const engine: LocalEngine = await openLocalEngine(
    { folder, provider: 'auto' },
    silentLogger,
    signal,
  );
  const { maxSequenceLength } = await engine.served.model(signal);
  const road = { lend: engine.lend, contextLength: () => maxSequenceLength };
  return { writer: () => createEngineWriter(road), close: () => engine.close() };
}

function readKey(file: string | undefined): string | null {
  if (file !== undefined) {
    if (!existsSync(file)) throw new UsageError(`--key-file ${file}: does not exist`);
    return readTextFile(file, 'bad-input').trim();
  }
  const named = process.env[keyVariable] ?? '';
  return named === '' ? null : named;
}
