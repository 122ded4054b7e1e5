// Whose eyes may look at a recipe's pictures, told before anything is started.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { checkEyes } from '../../../src/main/recipe/eyes.ts';
import { temporaryFolder } from './support.ts';

function folderWith(name: string, content: string): string {
  const folder = path.join(temporaryFolder(), 'eyes');
  mkdirSync(folder);
  writeFileSync(path.join(folder, name), content);
  return folder;
}

it.each(['clip', 'clip_vision_model'])('takes a %s of Hugging Face, and a model', (kind) => {
  expect(() => checkEyes(folderWith('config.json', `{"model_type": "${kind}"}`))).not.toThrow();
  expect(() => checkEyes(folderWith('textbind.json', '{}'))).not.toThrow();
});

it('names what lies there instead', () => {
  expect(() => checkEyes('/nowhere')).toThrow(/neither a model \(textbind.json\) nor a CLIP/);
  expect(() => checkEyes(folderWith('config.json', '{"model_type": "bert"}'))).toThrow(
    /holds a bert, and no CLIP/,
  );
  expect(() => checkEyes(folderWith('config.json', '{}'))).toThrow(/model_type/);
  expect(() => checkEyes(folderWith('config.json', '{'))).toThrow(/JSON/);
});
