/** Whose eyes put a recipe's pictures together: a model's own, or a CLIP's as Hugging Face lays it out. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../base/json-file.ts';
import { StudioError } from '../../shared/errors.ts';

const configSchema = z.object({ model_type: z.string() });
/** A whole CLIP, or its vision part alone: the trainer's `eyes.CLIPS`. */
const clips: readonly string[] = ['clip', 'clip_vision_model'];

/**
 * Says whether the trainer could see by what lies in a folder, before it is started.
 * @throws StudioError `bad-input` where it holds neither
 */
export function checkEyes(folder: string): void {
  if (existsSync(path.join(folder, 'textbind.json'))) return;
  const file = path.join(folder, 'config.json');
  if (!existsSync(file)) {
    const message = `${folder}: holds neither a model (textbind.json) nor a CLIP (config.json).`;
    throw new StudioError('bad-input', message);
  }
  const { model_type: kind } = readJsonFile(file, configSchema, 'bad-input');
  if (!clips.includes(kind)) {
    throw new StudioError('bad-input', `${folder}: holds a ${kind}, and no CLIP.`);
  }
}
