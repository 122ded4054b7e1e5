import { recipePlanSchema } from '../../shared/domain/recipe.ts';
import { StudioError } from '../../shared/errors.ts';
import { writeDataFile } from '../recipe/data-file.ts';
import { checkEyes } from '../recipe/eyes.ts';
import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about recipes: conversations written of pictures with captions. */
export function recipeHandlers(services: AppServices): DomainHandlers<'recipes'> {
  const { recipes, training } = services;
  return {
    'recipes.list': () => ({ recipes: recipes.list() }),
    'recipes.create'({ datasetId, ...plan }) {
      const { name, path, images, stage } = training.datasets.find(datasetId);
      if (stage !== 1) {
        throw new StudioError('bad-input', `"${name}" holds conversations already.`);
      }
      checkEyes(plan.eyes);
      const data = { name, path, images };
      return recipes.create(recipePlanSchema.parse({ ...plan, data })).view();
    },
    'recipes.change'({ recipeId, settings, writer, price }) {
      const recipe = recipes.find(recipeId);
      recipe.change({
        ...(settings === undefined ? {} : { settings }),
        ...(writer === undefined ? {} : { writer }),
        ...(price === undefined ? {} : { price }),
      });
      return recipe.view();
    },
    // They go on for as long as they take; how far they are is told.
    'recipes.look'({ recipeId }) {
      void recipes.find(recipeId).look();
      return null;
    },
    'recipes.quality': ({ recipeId }) => recipes.find(recipeId).quality(),
    'recipes.clusters': ({ recipeId }) => ({ clusters: recipes.find(recipeId).clusters() }),
    'recipes.estimate': ({ recipeId }) => recipes.find(recipeId).estimate(),
    'recipes.write'({ recipeId, sendTo, most }) {
      void recipes.find(recipeId).write(sendTo, most);
      return null;
    },
    'recipes.again'({ recipeId }) {
      const recipe = recipes.find(recipeId);
      recipe.again();
      return recipe.view();
    },
    'recipes.pause'({ recipeId }) {
      recipes.find(recipeId).pause();
      return null;
    },
    'recipes.remove'({ recipeId }) {
      recipes.remove(recipeId);
      return null;
    },
    ...itemHandlers(services),
    ...writerHandlers(services),
  };
}

/** Requests about what a recipe wrote. */
function itemHandlers({
  recipes,
  training,
}: AppServices): Pick<
  DomainHandlers<'recipes'>,
  `recipes.${'items' | 'judge' | 'edit' | 'undo' | 'example' | 'export'}`
> {
  return {
    'recipes.items': ({ recipeId, kind, from, count }) => ({
      items: recipes.find(recipeId).items(kind, from, count),
    }),
    'recipes.judge': ({ recipeId, number, verdict }) =>
      recipes.find(recipeId).judge(number, verdict),
    'recipes.edit': ({ recipeId, number, text }) => recipes.find(recipeId).edit(number, text),
    'recipes.undo': ({ recipeId }) => recipes.find(recipeId).undo(),
    'recipes.example'({ recipeId, number }) {
      recipes.find(recipeId).makeExample(number);
      return null;
    },
    async 'recipes.export'({ recipeId, name }) {
      const recipe = recipes.find(recipeId);
      return training.datasets.addOwn(name, 2, (folder) =>
        writeDataFile(folder, recipe.accepted(), (number) => recipe.folder.pictureFile(number)),
      );
    },
  };
}

/** Requests about what a writer is told, and the key that it asks for. */
function writerHandlers({
  recipePrompts,
  writerKeys,
  places,
  clock,
}: AppServices): Pick<
  DomainHandlers<'recipes'>,
  `recipes.${'openPrompts' | 'restorePrompts' | 'key' | 'setKey'}`
> {
  const keyOf = (address: string) => {
    const keeper = writerKeys.of(address);
    return { has: keeper.has, kept: keeper.kept() };
  };
  return {
    async 'recipes.openPrompts'() {
      await places.openFolder(recipePrompts.folder());
      return null;
    },
    'recipes.restorePrompts': () => ({
      keptAs: recipePrompts.restore(new Date(clock.now()).toISOString().replaceAll(/[:.]/g, '-')),
    }),
    'recipes.key': ({ address }) => keyOf(address),
    'recipes.setKey'({ address, key }) {
      writerKeys.of(address).set(key);
      return keyOf(address);
    },
  };
}
