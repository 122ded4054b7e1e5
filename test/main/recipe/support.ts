// Recipes over pictures that are looked at already, written by a look-alike on loopback.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { createRecipes } from '../../../src/main/recipe/create.ts';
import type { Recipe } from '../../../src/main/recipe/recipe.ts';
import { recipePlanSchema, type RecipePlan } from '../../../src/shared/domain/recipe.ts';
import { ChatServerLookAlike } from '../../support/chat-server.ts';
import { encodePng } from '../../support/png.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Waits of seconds pass in milliseconds. */
export const hastyClock: Clock = {
  now: () => Math.round(performance.now() * 1000),
  monotonicMs: () => systemClock.monotonicMs(),
  after: (delayMs, callback) => systemClock.after(delayMs / 1000, callback),
};

export { temporaryFolder };

export async function startServer(): Promise<ChatServerLookAlike> {
  const server = new ChatServerLookAlike();
  await server.start();
  onTestFinished(() => server.stop());
  return server;
}

export function openRecipes(folder: string, clock: Clock = hastyClock) {
  return createRecipes({
    folder,
    defaults: path.join(import.meta.dirname, '..', '..', '..', 'resources', 'recipe'),
    keys: path.join(folder, 'keys'),
    keychain: () => ({
      isEncryptionAvailable: () => true,
      encryptString: (text) => Buffer.from(text).reverse(),
      decryptString: (bytes) => String(Buffer.from(bytes).reverse()),
    }),
    proxy: () => null,
    engine: {
      lend: () => Promise.reject(new Error('no engine here')),
      contextLength: () => null,
    },
    runtime: () => ({ python: 'python3', code: folder }),
    ...{ clock, log: silentLogger, onChange: () => undefined },
  });
}

const things = ['boat', 'lantern', 'bridge', 'teapot', 'violin', 'cactus', 'kite', 'anchor'];
/** Captions of twelve pictures in two clusters; the last two fit theirs worst. */
export const captionsOfTest = Array.from(
  { length: 12 },
  (_, at) => `a ${things[at % things.length]} of colour number ${at} on a table`,
);

export function planOf(server: ChatServerLookAlike, settings: object = {}): RecipePlan {
  return recipePlanSchema.parse({
    name: 'Tables',
    data: { name: 'pairs', path: '/nowhere', images: null },
    eyes: '/nowhere',
    settings: { count: 6, least: 2, most: 3, leaveOut: 0.17, atOnce: 1, ...settings },
    writer: { kind: 'server', address: server.address, model: 'writer-1' },
    price: null,
  });
}

/** As the trainer leaves a folder behind. */
export function lookAt(recipe: Recipe): void {
  const { folder } = recipe.folder;
  mkdirSync(path.join(folder, 'pictures'), { recursive: true });
  const png = encodePng(2, 2, 200);
  const lines = captionsOfTest.map((caption, number) => {
    writeFileSync(recipe.folder.pictureFile(number), png);
    return JSON.stringify({ number, row: number, caption, likeness: number < 10 ? 0.4 : 0.01 });
  });
  writeFileSync(path.join(folder, 'pictures.jsonl'), `${lines.join('\n')}\n`);
  const of = captionsOfTest.map((_, at) => at % 2);
  writeFileSync(path.join(folder, 'clusters.json'), JSON.stringify({ of }));
}

/** A recipe whose pictures are looked at, as an app that was started again opens it. */
export function openLooked(folder: string, plan: RecipePlan, clock: Clock = hastyClock) {
  const { id } = (() => {
    const recipe = openRecipes(folder, clock).recipes.create(plan);
    lookAt(recipe);
    return recipe;
  })();
  const opened = openRecipes(folder, clock);
  return { ...opened, recipe: opened.recipes.find(id) };
}

/** A recipe in a folder of its own whose pictures are looked at, and the server that writes it. */
export async function openServed(settings: object = {}) {
  const server = await startServer();
  const folder = temporaryFolder();
  return { server, folder, ...openLooked(folder, planOf(server, settings)) };
}
