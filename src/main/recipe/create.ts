/** Recipes as the app has them: beside the runs, written by the open model or by a server. */
import path from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Recipe as RecipeView, RecipeWriter } from '../../shared/domain/recipe.ts';
import type { Keychain } from '../downloads/token.ts';
import type { TrainerRuntime } from '../training/trainer-process.ts';
import { createChatServerWriter } from './chat-server.ts';
import { createEngineWriter, type EngineRoad } from './engine-writer.ts';
import { Prompts } from './prompts.ts';
import { Recipes } from './recipes.ts';
import { WriterKeys } from './writer-keys.ts';
import type { Writer } from './writer.ts';

export interface RecipesParts {
  /** What training keeps. */
  readonly folder: string;
  /** Prompts as they came with the app. */
  readonly defaults: string;
  /** Where keys are kept. */
  readonly keys: string;
  readonly keychain: () => Keychain;
  readonly proxy: () => string | null;
  readonly engine: EngineRoad;
  readonly runtime: () => TrainerRuntime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChange: (recipe: RecipeView, removed: boolean) => void;
}

export function createRecipes(parts: RecipesParts) {
  const { folder, defaults, keychain, proxy, engine, runtime, clock, log, onChange } = parts;
  const recipePrompts = new Prompts({ defaults, own: promptsFolder(folder) });
  const writerKeys = new WriterKeys(parts.keys, keychain);
  const writer = (chosen: RecipeWriter): Writer => {
    if (chosen.kind === 'app') return createEngineWriter(engine);
    const { address, model } = chosen;
    const key = (): string | null => writerKeys.of(address).read();
    return createChatServerWriter({ address, model, key, proxy });
  };
  const recipes = new Recipes({
    folder: path.join(folder, 'recipes'),
    ...{ clock, log, prompts: recipePrompts, runtime, writer, onChange },
  });
  return { recipes, recipePrompts, writerKeys };
}

/** The person's prompts, below what training keeps. */
export function promptsFolder(training: string): string {
  return path.join(training, 'prompts');
}
