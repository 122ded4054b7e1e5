import { randomInt } from 'node:crypto';
import type { DrawingSettings, Sampling } from '../../shared/domain/settings.ts';
import type { PictureWish, ReplyRecipe, Turn } from '../../shared/domain/turn.ts';

/** Seeds are 32 bits wide. */
const seeds = 0x1_0000_0000;
/** Temperatures of a reply written anew where the conversation's is 0, in turn: at 0 it would say the same again. */
export const anewTemperatures = [0.7, 0.9, 1.1] as const;
/** With them the unlikeliest words are left out, which a small model would stumble over. */
const anewTopP = 0.95;

/** What a reply is written by: as the settings say, with a seed of its own where they name none. */
export function recipeFor({ temperature, topK, topP, seed }: Sampling): ReplyRecipe {
  return { seed: seed ?? randomInt(seeds), temperature, topK, topP };
}

/** What the `version`-th version of a reply (from 2) is written by: another seed, and never greedily. */
export function recipeAnew(sampling: Sampling, version: number): ReplyRecipe {
  const recipe = recipeFor({ ...sampling, seed: null });
  if (sampling.temperature > 0) return recipe;
  const turn = Math.max(version - 2, 0) % anewTemperatures.length;
  const temperature = anewTemperatures[turn] ?? anewTemperatures[0];
  return { ...recipe, temperature, topP: Math.min(sampling.topP, anewTopP) };
}

/** The settings with a reply's own recipe over them. */
export function samplingOf({ recipe }: Turn, sampling: Sampling): Sampling {
  if (recipe === undefined) return sampling;
  const { seed, temperature, topK, topP } = recipe;
  return { ...sampling, seed, temperature, topK, topP };
}

/** A recipe with what a person wishes of the reply, if anything. */
export function wishing(recipe: ReplyRecipe, wish: PictureWish | undefined): ReplyRecipe {
  return wish === undefined ? recipe : { ...recipe, wish };
}

/** How pictures are drawn in a reply: one that a person asked to draw does so, whatever the settings say. */
export function drawingOf({ recipe }: Turn, drawing: DrawingSettings): DrawingSettings {
  return recipe?.wish === 'draw' ? { ...drawing, enabled: true } : drawing;
}
