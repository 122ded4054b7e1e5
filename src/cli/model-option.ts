import { existsSync } from 'node:fs';
import path from 'node:path';
import { listModels, resolveModelFolder, type ModelsFolder } from '../library/models.ts';
import { TextBindModel } from '../worker/pipelines/textbind-model.ts';
import type { Output } from './usage.ts';
import { userDataFolder } from './user-data.ts';

/** Folders that models are looked for in by name: those of the checkout, then the app's data folder. */
export function modelsFolders(): readonly [ModelsFolder, ...ModelsFolder[]] {
  const embedded = path.join(import.meta.dirname, '..', '..', 'models');
  return [
    { folder: embedded, embedded: true },
    { folder: path.join(userDataFolder(), 'data', 'models'), embedded: false },
  ];
}

/** The folder of `--model NAME|DIR`: a path that exists, a folder's name, or a model's name. */
export async function findModelFolder(chosen: string | undefined): Promise<string> {
  const folders = modelsFolders();
  if (chosen === undefined) return resolveModelFolder(folders, null);
  if (existsSync(chosen)) return path.resolve(chosen);
  const named = (await listModels(folders)).find(({ name }) => name === chosen);
  return named?.folder ?? resolveModelFolder(folders, chosen);
}

/** Opens the model of an option, with progress for a person. */
export async function openModelOption(
  chosen: string | undefined,
  output: Output,
): Promise<TextBindModel> {
  const model = await TextBindModel.open(await findModelFolder(chosen), {
    onProgress: ({ part, done, total }) => output.progress(`opening ${part} (${done} of ${total})`),
  });
  output.progress('');
  return model;
}
