import type { AppReplyBody, AppRequestBody } from '../../shared/contracts/app-ipc.ts';
import type {
  Recipe,
  RecipeCluster,
  RecipeQuality,
  RecipeEstimate,
  RecipeItem,
  RecipeItemKind,
} from '../../shared/domain/recipe.ts';
import type { Dataset } from '../../shared/domain/training.ts';
import type { Api } from '../api.ts';
import { attempt } from './attempt.ts';

type KeyState = AppReplyBody<'recipes.key'>;

/** Conversations that are fetched for the review at once. */
const itemsAtOnce = 20;

/** Recipes as main tells of them, and the one that is looked through. */
export class RecipesStore {
  items = $state.raw<readonly Recipe[]>([]);
  error = $state<string | null>(null);
  /** Of the pile that is open. */
  pile = $state.raw<readonly RecipeItem[]>([]);
  kind = $state<RecipeItemKind>('to-review');
  /** Which of the pile is shown. */
  at = $state(0);
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
    api.on('recipes.changed', ({ recipe, removed }) => {
      this.items = removed ? this.items.filter(({ id }) => id !== recipe.id) : this.#put(recipe);
    });
  }

  find(recipeId: string): Recipe | null {
    return this.items.find(({ id }) => id === recipeId) ?? null;
  }

  get shown(): RecipeItem | null {
    return this.pile[this.at] ?? null;
  }

  load(): Promise<boolean> {
    return attempt(this, async () => {
      this.items = (await this.#api.request('recipes.list', null)).recipes;
    });
  }

  /** Makes one; null where main refused. */
  async create(plan: AppRequestBody<'recipes.create'>): Promise<Recipe | null> {
    let made: Recipe | null = null;
    await attempt(this, async () => {
      made = await this.#api.request('recipes.create', plan);
      this.items = this.#put(made);
    });
    return made;
  }

  change(change: AppRequestBody<'recipes.change'>): Promise<boolean> {
    return attempt(this, async () => {
      this.items = this.#put(await this.#api.request('recipes.change', change));
    });
  }

  look(recipeId: string): Promise<boolean> {
    return attempt(this, () => this.#api.request('recipes.look', { recipeId }));
  }

  pause(recipeId: string): Promise<boolean> {
    return attempt(this, () => this.#api.request('recipes.pause', { recipeId }));
  }

  write(recipeId: string, sendTo: string | null, most: number | null): Promise<boolean> {
    return attempt(this, () => this.#api.request('recipes.write', { recipeId, sendTo, most }));
  }

  again(recipeId: string): Promise<boolean> {
    return attempt(this, () => this.#api.request('recipes.again', { recipeId }));
  }

  /** @throws what main says, as a sentence */
  /** How good what was made is, by numbers. @throws what main says */
  quality(recipeId: string): Promise<RecipeQuality> {
    return this.#api.request('recipes.quality', { recipeId });
  }

  async clusters(recipeId: string): Promise<readonly RecipeCluster[]> {
    return (await this.#api.request('recipes.clusters', { recipeId })).clusters;
  }

  /** @throws what main says, as a sentence */
  estimate(recipeId: string): Promise<RecipeEstimate> {
    return this.#api.request('recipes.estimate', { recipeId });
  }

  /** @throws what main says, as a sentence */
  key(address: string): Promise<KeyState> {
    return this.#api.request('recipes.key', { address });
  }

  /** @param key null forgets it. @throws what main says, as a sentence */
  setKey(address: string, key: string | null): Promise<KeyState> {
    return this.#api.request('recipes.setKey', { address, key });
  }

  /** Opens a pile at its beginning. */
  open(recipeId: string, kind: RecipeItemKind): Promise<boolean> {
    return attempt(this, async () => {
      this.kind = kind;
      this.pile = await this.#items(recipeId, 0);
      this.at = 0;
    });
  }

  /** The next or the one before; fetches more where the pile goes on. */
  async go(recipeId: string, by: 1 | -1): Promise<void> {
    const to = this.at + by;
    if (to < 0) return;
    if (to >= this.pile.length) {
      const more = await this.#items(recipeId, this.pile.length);
      this.pile = [...this.pile, ...more];
    }
    if (to < this.pile.length) this.at = to;
  }

  /** Judges what is shown; it leaves the pile, and the next one takes its place. */
  judge(recipeId: string, verdict: 'accepted' | 'rejected'): Promise<boolean> {
    const { shown } = this;
    if (shown === null) return Promise.resolve(false);
    return attempt(this, async () => {
      const request = { recipeId, number: shown.number, verdict };
      const judged = await this.#api.request('recipes.judge', request);
      await this.#replace(recipeId, judged);
    });
  }

  edit(recipeId: string, text: string): Promise<boolean> {
    const { shown } = this;
    if (shown === null) return Promise.resolve(false);
    return attempt(this, async () => {
      const request = { recipeId, number: shown.number, text };
      const edited = await this.#api.request('recipes.edit', request);
      this.pile = this.pile.map((item) => (item.number === edited.number ? edited : item));
    });
  }

  /** Takes the last judgement or edit back, and shows what it was about. */
  undo(recipeId: string): Promise<boolean> {
    return attempt(this, async () => {
      const item = await this.#api.request('recipes.undo', { recipeId });
      if (item === null) return;
      const others = this.pile.filter(({ number }) => number !== item.number);
      const at = others.findIndex(({ number }) => number > item.number);
      this.at = at === -1 ? others.length : at;
      this.pile = others.toSpliced(this.at, 0, item);
    });
  }

  makeExample(recipeId: string): Promise<boolean> {
    const { shown } = this;
    if (shown === null) return Promise.resolve(false);
    const request = { recipeId, number: shown.number };
    return attempt(this, () => this.#api.request('recipes.example', request));
  }

  /** Makes a data set of what was accepted; null where main refused. */
  async export(recipeId: string, name: string): Promise<Dataset | null> {
    let made: Dataset | null = null;
    await attempt(this, async () => {
      made = await this.#api.request('recipes.export', { recipeId, name });
    });
    return made;
  }

  remove(recipeId: string): Promise<boolean> {
    return attempt(this, async () => {
      await this.#api.request('recipes.remove', { recipeId });
      this.items = this.items.filter(({ id }) => id !== recipeId);
    });
  }

  openPrompts(): Promise<boolean> {
    return attempt(this, () => this.#api.request('recipes.openPrompts', null));
  }

  /** Where the changed ones went; undefined where main refused. */
  async restorePrompts(): Promise<string | null | undefined> {
    let keptAs: string | null | undefined;
    await attempt(this, async () => {
      ({ keptAs } = await this.#api.request('recipes.restorePrompts', null));
    });
    return keptAs;
  }

  async #items(recipeId: string, from: number): Promise<readonly RecipeItem[]> {
    const request = { recipeId, kind: this.kind, from, count: itemsAtOnce };
    return (await this.#api.request('recipes.items', request)).items;
  }

  /** A judged one leaves its pile; an empty pile is fetched anew: there may be more behind it. */
  async #replace(recipeId: string, judged: RecipeItem): Promise<void> {
    if (this.kind === judged.verdict) {
      this.pile = this.pile.map((item) => (item.number === judged.number ? judged : item));
      return;
    }
    this.pile = this.pile.filter(({ number }) => number !== judged.number);
    if (this.pile.length === 0) this.pile = await this.#items(recipeId, 0);
    this.at = Math.min(this.at, Math.max(0, this.pile.length - 1));
  }

  #put(recipe: Recipe): readonly Recipe[] {
    const { items } = this;
    return items.some(({ id }) => id === recipe.id)
      ? items.map((each) => (each.id === recipe.id ? recipe : each))
      : [recipe, ...items];
  }
}
