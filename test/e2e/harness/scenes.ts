// The held-out scenes that the evaluation uses as well: small pictures with true captions.
import { readFileSync } from 'node:fs';
import path from 'node:path';

const folder = path.resolve(import.meta.dirname, '../../fixtures/scenes');

export type Scene = {
  readonly file: string;
  readonly caption: string;
  readonly mainObject: string;
};

/** The `index`-th held-out scene; `file` is absolute. */
export function scene(index = 0): Scene {
  const { scenes } = JSON.parse(readFileSync(path.join(folder, 'scenes.json'), 'utf8')) as {
    scenes: Scene[];
  };
  const found = scenes[index];
  if (found === undefined) throw new Error(`there are ${scenes.length} scenes, none at ${index}`);
  return { ...found, file: path.join(folder, found.file) };
}
