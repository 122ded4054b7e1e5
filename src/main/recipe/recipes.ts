/** The recipes of this data folder. */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from '../../base/log.ts';
import { StudioError, toWireError } from '../../shared/errors.ts';
import type { Recipe as RecipeView, RecipePlan } from '../../shared/domain/recipe.ts';
import { Recipe, type RecipeParts } from './recipe.ts';
import { RecipeFolder } from './recipe-folder.ts';

export interface RecipesOptions extends Omit<RecipeParts, 'onChange'> {
  /** Holds a folder a recipe. */
  readonly folder: string;
  readonly log: Logger;
  readonly onChange: (recipe: RecipeView, removed: boolean) => void;
}

export class Recipes {
  readonly #options: RecipesOptions;
  readonly #recipes = new Map<string, Recipe>();

  constructor(options: RecipesOptions) {
    this.#options = options;
    const { folder } = options;
    for (const id of existsSync(folder) ? readdirSync(folder) : []) this.#read(id);
  }

  #read(id: string): void {
    const folder = new RecipeFolder(path.join(this.#options.folder, id));
    if (!folder.has()) return;
    try {
      this.#open(folder);
    } catch (error) {
      const reason = toWireError(error).message;
      this.#options.log.warn('a recipe cannot be read', { id, reason });
    }
  }

  #open(folder: RecipeFolder): Recipe {
    const { onChange, ...parts } = this.#options;
    const recipe = new Recipe(folder, { ...parts, onChange: (view) => onChange(view, false) });
    this.#recipes.set(recipe.id, recipe);
    return recipe;
  }

  /** Newest first. */
  list(): RecipeView[] {
    return [...this.#recipes.values()]
      .map((recipe) => recipe.view())
      .sort((one, other) => other.createdAt - one.createdAt);
  }

  /** @throws StudioError `not-found` */
  find(id: string): Recipe {
    const found = this.#recipes.get(id);
    if (found === undefined) throw new StudioError('not-found', `There is no recipe ${id}.`);
    return found;
  }

  create(plan: RecipePlan): Recipe {
    const id = randomUUID();
    return this.#open(
      createRecipeFolder(path.join(this.#options.folder, id), id, plan, this.#options.clock.now()),
    );
  }

  /** Deletes one with its pictures' copies. */
  remove(id: string): void {
    const recipe = this.find(id);
    if (recipe.isBusy)
      throw new StudioError('busy', `"${recipe.plan.name}" is under way: pause it first.`);
    const view = recipe.view();
    rmSync(recipe.folder.folder, { recursive: true, force: true });
    this.#recipes.delete(id);
    this.#options.onChange(view, true);
  }

  /** Ends what is under way: it goes on from there. */
  close(): void {
    for (const recipe of this.#recipes.values()) recipe.pause();
  }
}

/** Writes down what a recipe is made with. */
export function createRecipeFolder(
  place: string,
  id: string,
  plan: RecipePlan,
  createdAt: number,
): RecipeFolder {
  const folder = new RecipeFolder(place);
  folder.writeRecord({ id, createdAt, plan, confirmed: null, skipped: 0, trouble: null });
  return folder;
}
